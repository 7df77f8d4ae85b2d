//! Who runs a Databricks task: nobody (simulated, the default: outcomes come
//! from rules and states from age) or this machine.

pub(crate) mod contexts;
#[cfg(feature = "local")]
pub(crate) mod local;
pub(crate) mod outcomes;
mod simulated;

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{
    kernel::{Kernel, WorldId},
    services::databricks::libraries::Library,
};

use self::contexts::{CommandText, ContextId};
pub(crate) use self::simulated::Simulated;

/// Executes the tasks of running job runs.
///
/// What it does is the one thing in a cloud that happens by itself: its reports
/// are commits (`services::databricks::jobs::decide_report`) that are dropped
/// when their world, epoch or attempt is over.
pub(crate) trait Executor: fmt::Debug + Send + Sync {
    /// Whether tasks run for real. If not, jobs decide their outcomes themselves.
    fn executes(&self) -> bool;

    /// Begins `work` in the background and reports its end to `kernel`.
    fn start(&self, kernel: &Arc<Kernel>, work: Work);

    /// Installs a library in the background and reports the outcome to `kernel`.
    fn install(&self, kernel: &Arc<Kernel>, installation: Installation);

    /// Ends what executes `attempt`. Its report will be dropped.
    fn cancel(&self, attempt: &AttemptId);

    /// Starts the process of a context, which reports to `kernel`.
    fn open_context(&self, kernel: &Arc<Kernel>, id: ContextId, work: Work);

    /// Hands a command to a context, which runs one after the other.
    fn run_command(&self, id: &ContextId, command: CommandText);

    /// Stops a command. The context and its variables stay.
    fn cancel_command(&self, id: &ContextId, command_id: &str);

    /// Ends a context.
    fn close_context(&self, id: &ContextId);

    /// Ends what is kept warm for a cluster, and its contexts.
    fn end_cluster(&self, world: &WorldId, workspace: u64, cluster_id: &str);

    /// Ends everything of `world` and answers when it is gone. `None`: of all worlds.
    fn end_all(&self, world: Option<&WorldId>) -> BoxFuture<'static, ()>;
}

/// One try at one task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct AttemptId {
    pub(crate) world: WorldId,
    pub(crate) epoch: u64,
    /// The Databricks workspace.
    pub(crate) workspace: u64,
    /// The run id of the task, which no other try has.
    pub(crate) run_id: i64,
}

impl AttemptId {
    /// The file below the world's scratch folder that takes the task's output.
    pub(crate) fn log_name(&self) -> PathBuf {
        PathBuf::from("logs").join(format!("{}-{}-{}.log", self.epoch, self.workspace, self.run_id))
    }
}

/// Stands, followed by the id of a run, for that run's own token. The token is
/// made when the task starts, so no log, world or answer ever holds it.
pub(crate) const RUN_TOKEN_OF: &str = "{{azureml-run-token}}:";

/// One library that a cluster is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Installation {
    pub(crate) world: WorldId,
    pub(crate) epoch: u64,
    pub(crate) workspace: u64,
    pub(crate) cluster_id: String,
    pub(crate) library: Library,
}

/// All that is needed to run one task on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) attempt: AttemptId,
    pub(crate) code: Code,
    /// Widgets of a notebook.
    pub(crate) widgets: BTreeMap<String, String>,
    /// Arguments of a script.
    pub(crate) parameters: Vec<String>,
    pub(crate) cluster_id: String,
    /// Whose JVM it shares: that of its cluster, or of all tasks of its kind
    /// that have none.
    pub(crate) machine: String,
    /// Spark settings and environment of the cluster.
    pub(crate) spark_conf: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
    /// Values that must not appear in any log.
    pub(crate) redact: Vec<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) job_id: i64,
    pub(crate) job_run_id: i64,
    pub(crate) task_key: String,
    pub(crate) user: String,
    /// What other tasks of the run left for this one, by task key.
    pub(crate) task_values: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// A token of that user, for calls back into the workspace.
    pub(crate) token: String,
    /// Storage accounts and containers that the task may address.
    pub(crate) containers: Vec<(String, String)>,
}

/// Stands for where the data plane of Azure ML is, as a task on this machine
/// reaches it, and for the host in it. Like the token it is filled in when the
/// task starts: a mock that was restarted has another address.
pub(crate) const DATA_PLANE: &str = "{{azureml-data-plane}}";
pub(crate) const DATA_PLANE_HOST: &str = "{{azureml-data-plane-host}}";

impl Work {
    /// Puts addresses and run tokens where they belong, and the tokens on the
    /// list of what is never shown.
    pub(crate) fn fill_in(&mut self, data_plane: &str, token_of: impl Fn(&str) -> String) {
        let host = data_plane.split_once("://").map_or(data_plane, |(_, it)| it);
        let mut tokens = BTreeMap::new();
        for value in self.widgets.values_mut().chain(&mut self.parameters) {
            if value.contains("{{azureml-data-plane") {
                *value = value.replace(DATA_PLANE, data_plane).replace(DATA_PLANE_HOST, host);
            }
            if let Some(run_id) = value.strip_prefix(RUN_TOKEN_OF) {
                let token = tokens.entry(run_id.to_owned()).or_insert_with(|| token_of(run_id));
                *value = token.clone();
            }
        }
        self.redact.extend(tokens.into_values());
    }
}

/// The kinds of code, by the paths under which the workspace knows them. Where
/// the bytes are is looked up when the task starts.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    Notebook {
        path: String,
        language: String,
        is_jupyter: bool,
    },
    PythonFile {
        path: String,
        python_path: Vec<String>,
    },
    /// A script in a folder below the files of the world, and modules beside it.
    LocalScript {
        folder: String,
        script: String,
    },
    Jar {
        main_class: String,
        jars: Vec<String>,
    },
    Wheel {
        package: String,
        entry_point: String,
        named_parameters: BTreeMap<String, String>,
        wheels: Vec<String>,
    },
    /// What to submit is among the parameters.
    SparkSubmit,
    SqlFile {
        path: String,
    },
}

/// How a task ended, as its executor saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) ending: Ending,
    /// What a notebook passed to `dbutils.notebook.exit`.
    pub(crate) exit_value: Option<String>,
    /// The exception's last line.
    pub(crate) error: Option<String>,
    pub(crate) error_trace: Option<String>,
    pub(crate) task_values: BTreeMap<String, serde_json::Value>,
}

impl Report {
    /// The end of a task that lost its JVM, whatever the task itself made of it.
    pub(crate) fn of_dead_driver(self, machine: &str, cause: &str) -> Self {
        let error = Some(format!(
            "The Spark driver of {machine} has stopped unexpectedly ({cause}). The next task gets a new one"
        ));
        Self { ending: Ending::Failed, error, ..self }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    #[default]
    Succeeded,
    Failed,
    TimedOut,
}
