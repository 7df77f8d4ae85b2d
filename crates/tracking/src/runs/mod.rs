//! Runs: one execution each, with what was logged along the way.

mod status;

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use azml_core::{Result, string_id};
use futures_core::stream::BoxStream;
use time::OffsetDateTime;

pub use self::status::RunStatus;
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
    /// Where Azure ML keeps its artifacts.
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

/// Names a run to a backend: some address it through its experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRef {
    /// Id.
    pub id: RunId,
    /// The experiment it belongs to.
    pub experiment: ExperimentInfo,
    /// Where Azure ML keeps its artifacts. Asked for when it is needed and missing.
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

/// How to start a run. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRun {
    /// Name for display. The server makes one up.
    pub name: Option<String>,
    /// The run that this one is a part of.
    pub parent_id: Option<RunId>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Properties: set once, never changed. Azure ML only.
    pub properties: BTreeMap<String, String>,
}

impl NewRun {
    /// A run without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name for display.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Makes it a part of another run of the same experiment.
    #[must_use]
    pub fn with_parent(self, parent_id: RunId) -> Self {
        Self { parent_id: Some(parent_id), ..self }
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
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
        Self::Failed(RunError { code: "UserError".to_owned(), message: message.into() })
    }
}

/// Which runs of an experiment to list: at first those without a parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunQuery {
    /// Tags that the runs must have.
    pub tags: BTreeMap<String, String>,
    /// Whether runs that are part of another are listed too.
    pub has_children: bool,
    /// A further condition in the server's own language.
    pub filter: Option<String>,
}

impl RunQuery {
    /// All runs without a parent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only runs with this tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Also runs that are part of another.
    #[must_use]
    pub fn with_children(self) -> Self {
        Self { has_children: true, ..self }
    }

    /// Adds a condition in the server's own language.
    #[must_use]
    pub fn with_filter(self, filter: impl Into<String>) -> Self {
        Self { filter: Some(filter.into()), ..self }
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

    /// Sets tags. Others stay as they are.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn set_tags(&self, run: &RunRef, tags: &BTreeMap<String, String>) -> Result<()>;

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

    /// Logs params. The same value again is fine, another one is not.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for another
    /// value of a param that was logged before.
    async fn log_params(&self, run: &RunRef, params: &BTreeMap<String, String>) -> Result<()>;

    /// Ends a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such run exists.
    async fn end(&self, run: &RunRef, end: &RunEnd) -> Result<()>;
}

const _: fn(&dyn Runs) = |_| ();
