use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::terms::Overrides;
use crate::{
    executor::outcomes::Subject,
    kernel::{Kind, Refusal},
    services::databricks::{clusters::ClusterSpec, libraries::Library},
};

/// One run to be made, whoever asks for it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Submission {
    pub(crate) run_name: String,
    pub(crate) user: String,
    pub(crate) tasks: Vec<TaskSpec>,
    pub(crate) idempotency_token: Option<String>,
    pub(crate) timeout: Option<Duration>,
    /// What rules may call the job besides the name of the run.
    pub(crate) job_names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskSpec {
    pub(crate) task_key: String,
    /// What rules may call the task besides its key.
    pub(crate) names: Vec<String>,
    pub(crate) code: CodeSpec,
    /// Widgets of a notebook.
    pub(crate) widgets: BTreeMap<String, String>,
    /// Arguments of everything else.
    pub(crate) parameters: Vec<String>,
    pub(crate) cluster: ClusterChoice,
    pub(crate) libraries: Vec<Library>,
    pub(crate) depends_on: Vec<Dependency>,
    pub(crate) run_if: RunIf,
    pub(crate) timeout: Option<Duration>,
    /// How often the task is tried again after a failure. `None`: without end.
    pub(crate) max_retries: Option<u32>,
    pub(crate) min_retry_interval: Duration,
    pub(crate) retry_on_timeout: bool,
    /// Storage accounts and containers that the task may address.
    pub(crate) containers: Vec<(String, String)>,
    /// Folders for Python to look for modules in.
    pub(crate) python_path: Vec<String>,
    /// Values among the parameters that no log may show.
    pub(crate) secrets: Vec<String>,
    /// Not run, but no failure either.
    pub(crate) is_disabled: bool,
    /// As the client wrote it, nothing if nobody did.
    pub(crate) shown: Value,
}

/// A task that comes before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) task_key: String,
    /// What a condition must have come to.
    pub(crate) outcome: Option<bool>,
}

/// What is run, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum CodeSpec {
    Notebook {
        path: String,
    },
    /// On DBFS, in the workspace, or in a volume.
    PythonFile {
        path: String,
    },
    /// A script in a folder below the files of the world.
    LocalScript {
        folder: String,
        script: String,
    },
    Jar {
        main_class: String,
    },
    Wheel {
        package: String,
        entry_point: String,
        named_parameters: BTreeMap<String, String>,
    },
    /// All of it is in the parameters.
    SparkSubmit,
    /// On a SQL warehouse, which stands for a cluster.
    SqlFile {
        path: String,
        warehouse_id: String,
    },
    /// Decides which of the tasks behind it run.
    Condition {
        operator: Operator,
        left: String,
        right: String,
    },
    /// Runs one task for each of its inputs.
    ForEach {
        inputs: String,
        concurrency: usize,
        task: Box<TaskSpec>,
    },
    /// Runs a saved job.
    RunJob {
        job_id: i64,
        overrides: Box<Overrides>,
    },
    /// What Databricks has and the mock does not run.
    Other {
        kind: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Operator {
    EqualTo,
    NotEqual,
    GreaterThan,
    GreaterThanOrEqual,
    LessThan,
    LessThanOrEqual,
}

/// Where a task runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum ClusterChoice {
    Existing(String),
    /// Made for the task, and terminated with it.
    New(Box<ClusterSpec>),
    /// Made for the first task that needs it, and terminated after the last.
    Shared {
        key: String,
        spec: Box<ClusterSpec>,
    },
    /// The service finds machines by itself.
    Serverless,
}

/// What must have become of the tasks that a task depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum RunIf {
    #[default]
    AllSuccess,
    AllDone,
    NoneFailed,
    AtLeastOneSuccess,
    AllFailed,
    AtLeastOneFailed,
}

impl TaskSpec {
    /// A task without anything that has a default.
    pub(crate) fn new(task_key: impl Into<String>, code: CodeSpec, cluster: ClusterChoice) -> Self {
        Self {
            task_key: task_key.into(),
            names: Vec::new(),
            code,
            widgets: BTreeMap::new(),
            parameters: Vec::new(),
            cluster,
            libraries: Vec::new(),
            depends_on: Vec::new(),
            run_if: RunIf::default(),
            timeout: None,
            max_retries: Some(0),
            min_retry_interval: Duration::ZERO,
            retry_on_timeout: false,
            containers: Vec::new(),
            python_path: Vec::new(),
            secrets: Vec::new(),
            is_disabled: false,
            shown: Value::Null,
        }
    }

    /// Whether the service itself does what the task is for.
    pub(in super::super) fn is_control(&self) -> bool {
        matches!(
            self.code,
            CodeSpec::Condition { .. } | CodeSpec::ForEach { .. } | CodeSpec::RunJob { .. }
        )
    }
}

impl Submission {
    /// A task of the run as the outcome rules see it.
    pub(in super::super) fn subject<'a>(&'a self, task: &'a TaskSpec) -> Subject<'a> {
        let mut subject = Subject {
            tasks: vec![&task.task_key],
            jobs: vec![&self.run_name],
            ..Subject::default()
        };
        subject.tasks.extend(task.names.iter().map(String::as_str));
        subject.jobs.extend(self.job_names.iter().map(String::as_str));
        match &task.code {
            CodeSpec::Notebook { path } => subject.notebook_path = Some(path),
            CodeSpec::PythonFile { path: it } | CodeSpec::LocalScript { script: it, .. } => {
                subject.python_file = Some(it);
            }
            _ => (),
        }
        subject
    }

    /// Refuses what cannot be run.
    pub(in super::super) fn check(&self) -> Result<(), Refusal> {
        if self.tasks.is_empty() {
            return Err(Refusal::invalid("At least one task must be specified"));
        }
        if self.idempotency_token.as_ref().is_some_and(|it| 64 < it.len()) {
            return Err(Refusal::invalid("idempotency_token must have at most 64 characters"));
        }
        for task in &self.tasks {
            let code = match &task.code {
                CodeSpec::ForEach { task, .. } => &task.code,
                other => other,
            };
            if let CodeSpec::Other { kind } = code {
                let text = format!("azml-mock does not emulate {kind}");
                return Err(Refusal::new(Kind::NotEmulated, text));
            }
        }
        self.check_order()
    }

    /// Refuses tasks that cannot be put in any order.
    pub(in super::super) fn check_order(&self) -> Result<(), Refusal> {
        let mut known: BTreeMap<&str, &TaskSpec> = BTreeMap::new();
        for task in &self.tasks {
            let key = task.task_key.as_str();
            if known.insert(key, task).is_some() {
                return Err(Refusal::invalid(format!("Task key '{key}' is used more than once")));
            }
        }
        for task in &self.tasks {
            let key = &task.task_key;
            for it in &task.depends_on {
                let before = &it.task_key;
                let Some(found) = known.get(before.as_str()) else {
                    let text = format!("Task '{key}' depends on '{before}', which does not exist");
                    return Err(Refusal::invalid(text));
                };
                if it.outcome.is_some() && !matches!(found.code, CodeSpec::Condition { .. }) {
                    let text = format!(
                        "Task '{key}' depends on an outcome of '{before}', which is no condition task"
                    );
                    return Err(Refusal::invalid(text));
                }
            }
        }
        let mut left: Vec<&TaskSpec> = self.tasks.iter().collect();
        while !left.is_empty() {
            let open: BTreeSet<&str> = left.iter().map(|it| it.task_key.as_str()).collect();
            let before = left.len();
            left.retain(|it| it.depends_on.iter().any(|it| open.contains(it.task_key.as_str())));
            if left.len() == before {
                let text = format!("Task '{}' depends on itself", left[0].task_key);
                return Err(Refusal::invalid(text));
            }
        }
        Ok(())
    }
}
