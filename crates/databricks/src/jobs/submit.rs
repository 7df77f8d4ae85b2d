use std::{collections::BTreeMap, time::Duration};

use super::{JobId, TaskKey};
use crate::{
    clusters::{ClusterId, NewCluster},
    libraries::Library,
};

/// A run to start: tasks that are not saved as a job.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubmitRun {
    /// What people call it.
    pub run_name: String,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// How long it may take, in whole seconds. `None` sets no limit.
    pub timeout: Option<Duration>,
    /// At most 64 characters. The same token gives the same run. `None` makes a
    /// new one at each submission.
    pub idempotency_token: Option<String>,
}

impl SubmitRun {
    /// A run of `tasks`.
    pub fn new(run_name: impl Into<String>, tasks: impl IntoIterator<Item = Task>) -> Self {
        Self {
            run_name: run_name.into(),
            tasks: tasks.into_iter().collect(),
            timeout: None,
            idempotency_token: None,
        }
    }

    /// Ends the run after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Makes all submissions with this token one run.
    #[must_use]
    pub fn with_idempotency_token(self, token: impl Into<String>) -> Self {
        Self { idempotency_token: Some(token.into()), ..self }
    }
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Task {
    /// Its name in the run.
    pub task_key: TaskKey,
    /// What it runs.
    pub code: TaskCode,
    /// What it runs on.
    pub compute: TaskCompute,
    /// Libraries to install before it runs.
    pub libraries: Vec<Library>,
    /// The tasks that must succeed first.
    pub depends_on: Vec<TaskKey>,
    /// How long it may take, in whole seconds. `None` sets no limit.
    pub timeout: Option<Duration>,
    /// How often it is tried again after a failure.
    pub max_retries: u32,
}

/// What a task runs on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TaskCompute {
    /// Machines that the service chooses.
    Serverless,
    /// A cluster that is made for the task and removed after it.
    New(Box<NewCluster>),
    /// A cluster that is there already. A terminated one is started.
    Existing(ClusterId),
}

/// What a task runs.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Task {
    /// A task that runs `code`. Give it a cluster, or the service chooses.
    pub fn new(task_key: impl Into<String>, code: impl Into<TaskCode>) -> Self {
        Self {
            task_key: TaskKey::new(task_key.into()),
            code: code.into(),
            compute: TaskCompute::Serverless,
            libraries: Vec::new(),
            depends_on: Vec::new(),
            timeout: None,
            max_retries: 0,
        }
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

    /// Installs a library before it runs.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.libraries.push(library);
        self
    }

    /// Waits for another task to succeed.
    #[must_use]
    pub fn with_dependency(mut self, task_key: impl Into<TaskKey>) -> Self {
        self.depends_on.push(task_key.into());
        self
    }

    /// Ends it after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Tries it again after a failure.
    #[must_use]
    pub fn with_max_retries(self, max_retries: u32) -> Self {
        Self { max_retries, ..self }
    }
}

/// A notebook of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotebookTask {
    /// Its absolute path, without an extension.
    pub notebook_path: String,
    /// Values of its widgets.
    pub base_parameters: BTreeMap<String, String>,
}

impl NotebookTask {
    /// The notebook at `notebook_path`.
    pub fn new(notebook_path: impl Into<String>) -> Self {
        Self { notebook_path: notebook_path.into(), base_parameters: BTreeMap::new() }
    }

    /// Gives a widget a value.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.base_parameters.insert(name.into(), value.into());
        self
    }
}

/// A Python script.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparkPythonTask {
    /// Where it is, for example `dbfs:/scripts/train.py`.
    pub python_file: String,
    /// Its arguments.
    pub parameters: Vec<String>,
}

impl SparkPythonTask {
    /// The script at `python_file`.
    pub fn new(python_file: impl Into<String>) -> Self {
        Self { python_file: python_file.into(), parameters: Vec::new() }
    }

    /// Sets its arguments.
    #[must_use]
    pub fn with_parameters(self, parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect(), ..self }
    }
}

/// A class in a JAR, which is one of the libraries of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparkJarTask {
    /// The full name of the class with `main`.
    pub main_class_name: String,
    /// Its arguments.
    pub parameters: Vec<String>,
}

impl SparkJarTask {
    /// The class `main_class_name`.
    pub fn new(main_class_name: impl Into<String>) -> Self {
        Self { main_class_name: main_class_name.into(), parameters: Vec::new() }
    }

    /// Sets its arguments.
    #[must_use]
    pub fn with_parameters(self, parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect(), ..self }
    }
}

/// An entry point of a Python wheel, which is one of the libraries of the task.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonWheelTask {
    /// The name of the package.
    pub package_name: String,
    /// The name of the entry point.
    pub entry_point: String,
    /// Its arguments.
    pub parameters: Vec<String>,
}

impl PythonWheelTask {
    /// The entry point `entry_point` of `package_name`.
    pub fn new(package_name: impl Into<String>, entry_point: impl Into<String>) -> Self {
        Self {
            package_name: package_name.into(),
            entry_point: entry_point.into(),
            parameters: Vec::new(),
        }
    }

    /// Sets its arguments.
    #[must_use]
    pub fn with_parameters(self, parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect(), ..self }
    }
}

impl From<NotebookTask> for TaskCode {
    fn from(it: NotebookTask) -> Self {
        Self::Notebook(it)
    }
}

impl From<SparkPythonTask> for TaskCode {
    fn from(it: SparkPythonTask) -> Self {
        Self::SparkPython(it)
    }
}

impl From<SparkJarTask> for TaskCode {
    fn from(it: SparkJarTask) -> Self {
        Self::SparkJar(it)
    }
}

impl From<PythonWheelTask> for TaskCode {
    fn from(it: PythonWheelTask) -> Self {
        Self::PythonWheel(it)
    }
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Only those of one job.
    pub job_id: Option<JobId>,
    /// Only those that are not over.
    pub active_only: bool,
    /// Whether to describe the tasks too.
    pub expand_tasks: bool,
}

impl RunFilter {
    /// Takes only the runs of one job.
    #[must_use]
    pub fn with_job_id(self, job_id: JobId) -> Self {
        Self { job_id: Some(job_id), ..self }
    }

    /// Takes only runs that are not over.
    #[must_use]
    pub fn with_active_only(self, active_only: bool) -> Self {
        Self { active_only, ..self }
    }

    /// Describes the tasks too.
    #[must_use]
    pub fn with_expand_tasks(self, expand_tasks: bool) -> Self {
        Self { expand_tasks, ..self }
    }
}
