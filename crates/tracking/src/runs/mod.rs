//! Runs: one execution each, with what was logged along the way.

mod batch;
mod new_run;
mod query;
mod status;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use azml_core::{Error, Result, string_id};
use bytes::Bytes;
use futures_core::stream::BoxStream;
use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

pub use self::{batch::RunBatch, new_run::NewRun, query::RunQuery, status::RunStatus};
use crate::{ExperimentId, ExperimentInfo};

string_id! {
    /// Identifies a run. Opaque text.
    RunId
}

/// What the server tells about a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunInfo {
    /// Id.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// Name for display.
    pub name: Option<String>,
    /// How it is doing.
    pub status: RunStatus,
    /// How it is doing, in the server's own word.
    pub status_text: String,
    /// The run that it is a part of.
    pub parent_id: Option<RunId>,
    /// Where the server keeps its artifacts, in its own spelling.
    pub data_container: Option<String>,
    /// The compute target it runs on.
    pub target: Option<String>,
    /// Tags. They may change.
    pub tags: BTreeMap<String, String>,
    /// Properties: set once, never changed. Azure ML only.
    pub properties: BTreeMap<String, String>,
    /// Params.
    pub params: BTreeMap<String, String>,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// When it began.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Why it failed.
    pub error: Option<RunError>,
    /// Whether it was deleted. It may be there all the same, and takes nothing more.
    pub is_deleted: bool,
}

impl RunInfo {
    /// A run of which nothing else is known.
    pub fn new(id: RunId, experiment_id: ExperimentId, status: RunStatus) -> Self {
        Self {
            id,
            experiment_id,
            name: None,
            status_text: status.word().to_owned(),
            status,
            parent_id: None,
            data_container: None,
            target: None,
            tags: BTreeMap::new(),
            properties: BTreeMap::new(),
            params: BTreeMap::new(),
            created_at: None,
            started_at: None,
            ended_at: None,
            error: None,
            is_deleted: false,
        }
    }
}

/// Why a run failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunError {
    /// Machine-readable code, for example `UserError`.
    pub code: String,
    /// Human-readable text.
    pub message: String,
}

impl RunError {
    /// A reason with a machine-readable code, for example `UserError`.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// All that the server tells about a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunDetails {
    /// How it is doing.
    pub run: RunInfo,
    /// What went wrong without ending the run.
    pub warnings: Vec<String>,
    /// The names of its log files, each with the address of its text, which
    /// carries its own permission. Azure ML only.
    pub log_files: BTreeMap<String, SecretString>,
}

/// Names a run to a backend: some address it through its experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRef {
    /// Id.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment: ExperimentInfo,
    /// Where the server keeps its artifacts, in its own spelling. Asked for when it is needed and missing.
    pub data_container: Option<String>,
}

impl RunRef {
    /// Names a run of `experiment`.
    pub fn new(experiment: ExperimentInfo, id: RunId) -> Self {
        Self { id, experiment, data_container: None }
    }

    /// Says where its artifacts are.
    #[must_use]
    pub fn with_data_container(self, data_container: Option<String>) -> Self {
        Self { data_container, ..self }
    }
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunEnd {
    /// Well.
    Finished,
    /// Badly, with a reason.
    Failed(RunError),
    /// Because somebody wanted it to.
    Canceled,
}

impl RunEnd {
    /// The end of a run that failed for the reason `message`.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(RunError::new("UserError", message))
    }
}

/// The runs of one server or workspace.
#[async_trait]
pub trait Runs: fmt::Debug + Send + Sync {
    /// Starts a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the experiment is gone.
    async fn start(&self, experiment: &ExperimentInfo, run: &NewRun) -> Result<RunInfo>;

    /// Finds the run that was started with this [`NewRun::local_id`], for one whose
    /// start was not answered.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the experiment is gone.
    async fn find_started(
        &self,
        experiment: &ExperimentInfo,
        local_id: Uuid,
    ) -> Result<Option<RunInfo>>;

    /// Describes one run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn get(&self, id: &RunId) -> Result<RunInfo>;

    /// Lists runs of an experiment, the latest first.
    fn list(
        &self,
        experiment: &ExperimentInfo,
        query: &RunQuery,
    ) -> BoxStream<'static, Result<RunInfo>>;

    /// Lists the runs that are directly part of `run`.
    fn children(&self, run: &RunRef) -> BoxStream<'static, Result<RunInfo>>;

    /// Starts several runs that are part of `parent`, in as few calls as possible.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when the parent is gone.
    async fn start_children(&self, parent: &RunRef, children: &[NewRun]) -> Result<Vec<RunInfo>> {
        let mut started = Vec::with_capacity(children.len());
        for child in children {
            let child = child.clone().with_parent(parent.id.clone());
            started.push(self.start(&parent.experiment, &child).await?);
        }
        Ok(started)
    }

    /// Tells all about a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn details(&self, run: &RunRef) -> Result<RunDetails> {
        let run = self.get(&run.id).await?;
        Ok(RunDetails { run, warnings: Vec::new(), log_files: BTreeMap::new() })
    }

    /// Reads a log file of a run by its name in [`RunDetails::log_files`].
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such file.
    async fn read_log(&self, run: &RunRef, name: &str) -> Result<Bytes> {
        let _ = (run, name);
        Err(Error::invalid("runs.read_log", "the server keeps no logs; read the artifacts"))
    }

    /// Sets tags. Others stay as they are.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn set_tags(&self, run: &RunRef, tags: &BTreeMap<String, String>) -> Result<()>;

    /// Sets tags without a value. Where there are none, their value is empty.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn set_bare_tags(&self, run: &RunRef, keys: &[String]) -> Result<()> {
        let tags = keys.iter().map(|it| (it.clone(), String::new())).collect();
        self.set_tags(run, &tags).await
    }

    /// Removes tags.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run or tag exists.
    async fn remove_tags(&self, run: &RunRef, keys: &[String]) -> Result<()> {
        let _ = (run, keys);
        Err(Error::invalid("runs.remove_tags", "this backend cannot remove tags"))
    }

    /// Sets properties, which never change again. Azure ML only.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn set_properties(
        &self,
        run: &RunRef,
        properties: &BTreeMap<String, String>,
    ) -> Result<()>;

    /// Refuses a param that the server would refuse, or cut.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), with the rule.
    fn check_param(&self, key: &str, value: &str) -> Result<()> {
        let _ = value;
        check_key("runs.log_params", "param", key)
    }

    /// Refuses a tag that the server would refuse, or cut.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), with the rule.
    fn check_tag(&self, key: &str, value: &str) -> Result<()> {
        let _ = value;
        check_key("runs.set_tags", "tag", key)
    }

    /// Logs params. The same value again is fine, another one is not.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for another
    /// value of a param that was logged before.
    async fn log_params(&self, run: &RunRef, params: &BTreeMap<String, String>) -> Result<()>;

    /// Ends a run, which it did at `ended_at`. May be sent again after a failure.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn end(&self, run: &RunRef, end: &RunEnd, ended_at: OffsetDateTime) -> Result<()>;

    /// Notes that something went wrong without ending the run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn warn(&self, run: &RunRef, message: &str) -> Result<()> {
        let _ = (run, message);
        Err(Error::invalid("runs.warn", "the server keeps no warnings; set a tag"))
    }

    /// Deletes a run. Most servers keep it for a while, see [`restore`](Self::restore).
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn delete(&self, run: &RunRef) -> Result<()> {
        let _ = run;
        Err(Error::invalid("runs.delete", "this backend cannot delete runs"))
    }

    /// Brings a deleted run back.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when it is gone for good.
    async fn restore(&self, run: &RunRef) -> Result<()> {
        let _ = run;
        Err(Error::invalid("runs.restore", "this backend cannot restore runs"))
    }
}

const _: fn(&dyn Runs) = |_| ();

fn check_key(operation: &'static str, what: &str, key: &str) -> Result<()> {
    if key.is_empty() {
        return Err(Error::invalid(operation, format!("{what} key is empty: give it a name")));
    }
    Ok(())
}
