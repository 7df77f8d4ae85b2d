use std::{collections::BTreeMap, time::Duration};

use azml_core::Result;
use serde::{Deserialize, Serialize};

use super::{EmailNotifications, NotificationSettings, Task, WebhookNotifications};
use crate::{ExtraFields, clusters::NewCluster, permissions::Principal};

/// The definition of a job.
///
/// In an update, only what is set counts; [`JobSettings::default`] sets nothing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct JobSettings {
    /// What people call it: at most 4096 bytes. Need not be unique.
    pub name: Option<String>,
    /// What it is for, for people: at most 27,700 bytes.
    pub description: Option<String>,
    /// Its tasks: at most 1000.
    pub tasks: Vec<Task>,
    /// Clusters that its tasks share, one set for each run.
    pub job_clusters: Vec<JobCluster>,
    /// Environments of tasks that run where the service chooses.
    pub environments: Vec<JobEnvironment>,
    /// Its parameters, which tasks see as `{{job.parameters.NAME}}`.
    pub parameters: Vec<JobParameter>,
    /// At most 25.
    pub tags: BTreeMap<String, String>,
    /// How long a run may take, in whole seconds. `None` sets no limit.
    pub timeout: Option<Duration>,
    /// How many runs may be active at the same time: at most 1000, 0 for none.
    /// `None` is 1.
    pub max_concurrent_runs: Option<u32>,
    /// Whether runs wait for their turn instead of being skipped. `None` takes the
    /// default of the service.
    pub queue: Option<bool>,
    /// When it runs by itself.
    pub schedule: Option<CronSchedule>,
    /// Runs it again and again. Not together with a schedule.
    pub continuous: Option<Continuous>,
    /// Where the code of its tasks is.
    pub git_source: Option<GitSource>,
    /// Who its runs act as. `None` is who made it.
    pub run_as: Option<Principal>,
    /// Who gets a mail.
    pub email_notifications: EmailNotifications,
    /// Which addresses are called.
    pub webhook_notifications: WebhookNotifications,
    /// What nobody needs to hear of.
    pub notification_settings: NotificationSettings,
    /// Whatever else the service knows of a job, for example `trigger`, `health`.
    pub extra: ExtraFields,
}

/// A cluster that the tasks of a run share.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobCluster {
    /// The key that tasks name it by.
    pub job_cluster_key: String,
    /// What to create.
    pub new_cluster: NewCluster,
}

/// An environment of tasks that run where the service chooses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobEnvironment {
    /// The key that tasks name it by.
    pub environment_key: String,
    /// What is in it.
    #[serde(default)]
    pub spec: EnvironmentSpec,
}

/// What is in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EnvironmentSpec {
    /// Its version, for example `2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_version: Option<String>,
    /// The same under its old name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Python packages, as in a line of `requirements.txt`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// Whatever else the service knows of an environment.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

/// A parameter of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobParameter {
    /// Letters, digits and `_`, `-`, `.`.
    pub name: String,
    /// Its value when a run does not give one.
    pub default: String,
}

/// When a job runs by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CronSchedule {
    /// Seconds, minutes, hours, day of the month, month, day of the week and
    /// perhaps a year, for example `0 30 7 * * ?`.
    pub quartz_cron_expression: String,
    /// For example `Europe/Berlin`.
    pub timezone_id: String,
    /// Whether it is in force. `None` is unpaused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_status: Option<PauseStatus>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

/// Runs a job again and again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Continuous {
    /// Whether it is in force. `None` is unpaused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_status: Option<PauseStatus>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

word_enum! {
    /// Whether a schedule is in force.
    PauseStatus {
        /// It is not.
        Paused = "PAUSED",
        /// It is.
        Unpaused = "UNPAUSED",
    }
}

/// Where the code of a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GitSource {
    /// Its address.
    pub git_url: String,
    /// Who hosts it, for example `gitHub`, `azureDevOpsServices`.
    pub git_provider: String,
    /// The branch, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_branch: Option<String>,
    /// The tag, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_tag: Option<String>,
    /// The commit, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl JobCluster {
    /// A cluster that tasks name by `job_cluster_key`.
    pub fn new(job_cluster_key: impl Into<String>, new_cluster: NewCluster) -> Self {
        Self { job_cluster_key: job_cluster_key.into(), new_cluster }
    }
}

impl JobEnvironment {
    /// An environment of the version `version`, for example `2`, with `dependencies`.
    pub fn new(
        environment_key: impl Into<String>,
        version: impl Into<String>,
        dependencies: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let spec = EnvironmentSpec {
            environment_version: Some(version.into()),
            dependencies: dependencies.into_iter().map(Into::into).collect(),
            ..EnvironmentSpec::default()
        };
        Self { environment_key: environment_key.into(), spec }
    }
}

impl CronSchedule {
    /// A schedule that is in force.
    pub fn new(quartz_cron_expression: impl Into<String>, timezone_id: impl Into<String>) -> Self {
        Self {
            quartz_cron_expression: quartz_cron_expression.into(),
            timezone_id: timezone_id.into(),
            pause_status: None,
            extra: ExtraFields::default(),
        }
    }

    /// Says whether it is in force.
    #[must_use]
    pub fn with_pause_status(self, pause_status: PauseStatus) -> Self {
        Self { pause_status: Some(pause_status), ..self }
    }
}

impl GitSource {
    /// The newest commit of a branch.
    pub fn branch(
        git_url: impl Into<String>,
        git_provider: impl Into<String>,
        branch: impl Into<String>,
    ) -> Self {
        Self { git_branch: Some(branch.into()), ..Self::bare(git_url, git_provider) }
    }

    /// The commit of a tag.
    pub fn tag(
        git_url: impl Into<String>,
        git_provider: impl Into<String>,
        tag: impl Into<String>,
    ) -> Self {
        Self { git_tag: Some(tag.into()), ..Self::bare(git_url, git_provider) }
    }

    /// One commit.
    pub fn commit(
        git_url: impl Into<String>,
        git_provider: impl Into<String>,
        commit: impl Into<String>,
    ) -> Self {
        Self { git_commit: Some(commit.into()), ..Self::bare(git_url, git_provider) }
    }

    fn bare(git_url: impl Into<String>, git_provider: impl Into<String>) -> Self {
        Self {
            git_url: git_url.into(),
            git_provider: git_provider.into(),
            git_branch: None,
            git_tag: None,
            git_commit: None,
            extra: ExtraFields::default(),
        }
    }
}

impl JobSettings {
    /// A job of `tasks`.
    pub fn new(name: impl Into<String>, tasks: impl IntoIterator<Item = Task>) -> Self {
        Self { name: Some(name.into()), tasks: tasks.into_iter().collect(), ..Self::default() }
    }

    /// Sets what people call it.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Says what it is for.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Adds a task.
    #[must_use]
    pub fn with_task(mut self, task: Task) -> Self {
        self.tasks.push(task);
        self
    }

    /// Adds a cluster that tasks share by `job_cluster_key`.
    #[must_use]
    pub fn with_job_cluster(mut self, key: impl Into<String>, new_cluster: NewCluster) -> Self {
        self.job_clusters.push(JobCluster::new(key, new_cluster));
        self
    }

    /// Adds an environment of tasks that run where the service chooses.
    #[must_use]
    pub fn with_environment(mut self, environment: JobEnvironment) -> Self {
        self.environments.push(environment);
        self
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, default: impl Into<String>) -> Self {
        self.parameters.push(JobParameter { name: name.into(), default: default.into() });
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Ends a run after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Sets how many runs may be active at the same time.
    #[must_use]
    pub fn with_max_concurrent_runs(self, runs: u32) -> Self {
        Self { max_concurrent_runs: Some(runs), ..self }
    }

    /// Lets runs wait for their turn, or skips them.
    #[must_use]
    pub fn with_queue(self, enabled: bool) -> Self {
        Self { queue: Some(enabled), ..self }
    }

    /// Runs it by itself.
    #[must_use]
    pub fn with_schedule(self, schedule: CronSchedule) -> Self {
        Self { schedule: Some(schedule), ..self }
    }

    /// Runs it again and again.
    #[must_use]
    pub fn with_continuous(self, pause_status: PauseStatus) -> Self {
        let continuous =
            Continuous { pause_status: Some(pause_status), extra: ExtraFields::default() };
        Self { continuous: Some(continuous), ..self }
    }

    /// Says where the code of its tasks is.
    #[must_use]
    pub fn with_git_source(self, git_source: GitSource) -> Self {
        Self { git_source: Some(git_source), ..self }
    }

    /// Lets its runs act as somebody else.
    #[must_use]
    pub fn with_run_as(self, run_as: Principal) -> Self {
        Self { run_as: Some(run_as), ..self }
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
