use std::time::Duration;

use azml_core::Result;
use serde::Serialize;

use super::{
    ConditionTask, EmailNotifications, ForEachTask, NotebookTask, NotificationSettings, OtherTask,
    PipelineTask, PythonWheelTask, RunJobTask, SparkJarTask, SparkPythonTask, SparkSubmitTask,
    SqlTask, TaskKey, WebhookNotifications,
};
use crate::{
    ExtraFields,
    clusters::{ClusterId, NewCluster},
    libraries::Library,
};

/// A task of a job or of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Task {
    /// Its name: 1 to 100 letters, digits, underscores and hyphens.
    pub task_key: TaskKey,
    /// What it is for, for people.
    pub description: Option<String>,
    /// What it runs.
    pub code: TaskCode,
    /// What it runs on.
    pub compute: TaskCompute,
    /// Libraries to install before it runs.
    pub libraries: Vec<Library>,
    /// The tasks that must be over first.
    pub depends_on: Vec<Dependency>,
    /// What those tasks must have come to. `None` is
    /// [`AllSuccess`](RunIf::AllSuccess).
    pub run_if: Option<RunIf>,
    /// Whether it is left out of all runs.
    pub is_disabled: bool,
    /// How long one attempt may take, in whole seconds. `None` sets no limit.
    pub timeout: Option<Duration>,
    /// How often it is tried again after a failure.
    pub max_retries: MaxRetries,
    /// How long to wait between two attempts, in whole milliseconds.
    pub min_retry_interval: Option<Duration>,
    /// Whether an attempt that took too long counts as a failure to try again.
    pub retry_on_timeout: bool,
    /// Who gets a mail.
    pub email_notifications: EmailNotifications,
    /// Which addresses are called.
    pub webhook_notifications: WebhookNotifications,
    /// What nobody needs to hear of.
    pub notification_settings: NotificationSettings,
    /// Whatever else the service knows of a task.
    pub extra: ExtraFields,
}

/// What a task runs on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TaskCompute {
    /// Machines that the service chooses.
    Serverless,
    /// Machines that the service chooses, with the environment of this key in
    /// [`JobSettings::environments`](super::JobSettings::environments).
    Environment(String),
    /// A cluster that is made for the task and removed after it.
    New(Box<NewCluster>),
    /// The cluster of this key in
    /// [`JobSettings::job_clusters`](super::JobSettings::job_clusters), which the
    /// tasks of one run share.
    JobCluster(String),
    /// A cluster that is there already. A terminated one is started.
    Existing(ClusterId),
}

/// What a task runs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TaskCode {
    /// A notebook of the workspace.
    Notebook(NotebookTask),
    /// A Python script.
    SparkPython(SparkPythonTask),
    /// A class in a JAR.
    SparkJar(SparkJarTask),
    /// An entry point of a Python wheel.
    PythonWheel(PythonWheelTask),
    /// The arguments of `spark-submit`.
    SparkSubmit(SparkSubmitTask),
    /// SQL on a warehouse.
    Sql(SqlTask),
    /// A comparison, on whose outcome other tasks depend.
    Condition(ConditionTask),
    /// A task that runs once for each input.
    ForEach(ForEachTask),
    /// Another job.
    RunJob(RunJobTask),
    /// An update of a pipeline of tables.
    Pipeline(PipelineTask),
    /// A kind that this version of the crate does not know.
    Other(OtherTask),
}

/// A task that must be over first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependency {
    /// Its name.
    pub task_key: TaskKey,
    /// What it must have come to, if it is a [`Condition`](TaskCode::Condition).
    pub outcome: Option<bool>,
}

impl Dependency {
    /// Waits for the condition `task_key` to come to `outcome`.
    pub fn on_outcome(task_key: impl Into<TaskKey>, outcome: bool) -> Self {
        Self { task_key: task_key.into(), outcome: Some(outcome) }
    }
}

impl From<TaskKey> for Dependency {
    fn from(task_key: TaskKey) -> Self {
        Self { task_key, outcome: None }
    }
}

impl From<&str> for Dependency {
    fn from(task_key: &str) -> Self {
        TaskKey::from(task_key).into()
    }
}

impl From<String> for Dependency {
    fn from(task_key: String) -> Self {
        TaskKey::from(task_key).into()
    }
}

word_enum! {
    /// What the tasks that one waits for must have come to.
    RunIf {
        /// All have succeeded.
        AllSuccess = "ALL_SUCCESS",
        /// All are over.
        AllDone = "ALL_DONE",
        /// None has failed, and at least one has run.
        NoneFailed = "NONE_FAILED",
        /// At least one has succeeded.
        AtLeastOneSuccess = "AT_LEAST_ONE_SUCCESS",
        /// All have failed.
        AllFailed = "ALL_FAILED",
        /// At least one has failed.
        AtLeastOneFailed = "AT_LEAST_ONE_FAILED",
    }
}

/// How often a task is tried again after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRetries {
    /// At most so often. 0 is the default.
    Times(u32),
    /// Until it succeeds or somebody cancels it.
    Unlimited,
}

impl Default for MaxRetries {
    fn default() -> Self {
        Self::Times(0)
    }
}

impl From<u32> for MaxRetries {
    fn from(times: u32) -> Self {
        Self::Times(times)
    }
}

impl Task {
    /// A task that runs `code`. Give it a cluster, or the service chooses.
    pub fn new(task_key: impl Into<String>, code: impl Into<TaskCode>) -> Self {
        Self {
            task_key: TaskKey::new(task_key.into()),
            description: None,
            code: code.into(),
            compute: TaskCompute::Serverless,
            libraries: Vec::new(),
            depends_on: Vec::new(),
            run_if: None,
            is_disabled: false,
            timeout: None,
            max_retries: MaxRetries::default(),
            min_retry_interval: None,
            retry_on_timeout: false,
            email_notifications: EmailNotifications::default(),
            webhook_notifications: WebhookNotifications::default(),
            notification_settings: NotificationSettings::default(),
            extra: ExtraFields::default(),
        }
    }

    /// Says what it is for.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Runs it on a cluster that is there already.
    #[must_use]
    pub fn on_cluster(self, cluster_id: ClusterId) -> Self {
        Self { compute: TaskCompute::Existing(cluster_id), ..self }
    }

    /// Runs it on a cluster that is made for it.
    #[must_use]
    pub fn on_new_cluster(self, cluster: NewCluster) -> Self {
        Self { compute: TaskCompute::New(Box::new(cluster)), ..self }
    }

    /// Runs it on the cluster of this key, which the tasks of one run share.
    #[must_use]
    pub fn on_job_cluster(self, job_cluster_key: impl Into<String>) -> Self {
        Self { compute: TaskCompute::JobCluster(job_cluster_key.into()), ..self }
    }

    /// Runs it where the service chooses, with the environment of this key.
    #[must_use]
    pub fn in_environment(self, environment_key: impl Into<String>) -> Self {
        Self { compute: TaskCompute::Environment(environment_key.into()), ..self }
    }

    /// Installs a library before it runs.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.libraries.push(library);
        self
    }

    /// Waits for another task: its name, or a [`Dependency::on_outcome`].
    #[must_use]
    pub fn with_dependency(mut self, dependency: impl Into<Dependency>) -> Self {
        self.depends_on.push(dependency.into());
        self
    }

    /// Sets what the tasks that it waits for must have come to.
    #[must_use]
    pub fn with_run_if(self, run_if: RunIf) -> Self {
        Self { run_if: Some(run_if), ..self }
    }

    /// Leaves it out of all runs, or takes it in again.
    #[must_use]
    pub fn with_disabled(self, is_disabled: bool) -> Self {
        Self { is_disabled, ..self }
    }

    /// Ends an attempt after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Tries it again after a failure.
    #[must_use]
    pub fn with_max_retries(self, max_retries: impl Into<MaxRetries>) -> Self {
        Self { max_retries: max_retries.into(), ..self }
    }

    /// Waits so long between two attempts.
    #[must_use]
    pub fn with_min_retry_interval(self, interval: Duration) -> Self {
        Self { min_retry_interval: Some(interval), ..self }
    }

    /// Tries it again also after an attempt that took too long.
    #[must_use]
    pub fn with_retry_on_timeout(self, retry_on_timeout: bool) -> Self {
        Self { retry_on_timeout, ..self }
    }

    /// Sets who gets a mail.
    #[must_use]
    pub fn with_email_notifications(self, email_notifications: EmailNotifications) -> Self {
        Self { email_notifications, ..self }
    }

    /// Sets which addresses are called.
    #[must_use]
    pub fn with_webhook_notifications(self, webhook_notifications: WebhookNotifications) -> Self {
        Self { webhook_notifications, ..self }
    }

    /// Sets what nobody needs to hear of.
    #[must_use]
    pub fn with_notification_settings(self, notification_settings: NotificationSettings) -> Self {
        Self { notification_settings, ..self }
    }

    /// Sets a field that this crate has no name for.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when `value`
    /// cannot be written as JSON.
    pub fn with_extra(mut self, name: impl Into<String>, value: impl Serialize) -> Result<Self> {
        self.extra.insert(name, value)?;
        Ok(self)
    }
}
