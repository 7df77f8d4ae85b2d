//! The kinds of tasks that the service itself carries out, and those that this
//! version of the crate does not know.

use std::{collections::BTreeSet, fmt};

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JobId, RunParameters, Task};
use crate::ExtraFields;

word_enum! {
    /// How two values are compared. The order is that of numbers, where both are.
    Comparison {
        /// They are equal.
        EqualTo = "EQUAL_TO",
        /// They differ.
        NotEqual = "NOT_EQUAL",
        /// The left one is greater.
        GreaterThan = "GREATER_THAN",
        /// The left one is not smaller.
        GreaterThanOrEqual = "GREATER_THAN_OR_EQUAL",
        /// The left one is smaller.
        LessThan = "LESS_THAN",
        /// The left one is not greater.
        LessThanOrEqual = "LESS_THAN_OR_EQUAL",
    }
}

/// A comparison, on whose outcome other tasks depend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConditionTask {
    /// How the values are compared.
    pub op: Comparison,
    /// A value or a reference, for example `{{job.parameters.size}}`.
    pub left: String,
    /// A value or a reference.
    pub right: String,
}

impl ConditionTask {
    /// Compares `left` with `right`.
    pub fn new(left: impl Into<String>, op: Comparison, right: impl Into<String>) -> Self {
        Self { op, left: left.into(), right: right.into() }
    }
}

/// A task that runs once for each input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ForEachTask {
    /// A JSON array, or a reference to one. The task sees each as `{{input}}`.
    pub inputs: String,
    /// How many run at the same time: 1 to 100. `None` is 1.
    pub concurrency: Option<u32>,
    /// What runs for each of them.
    pub task: Box<Task>,
}

impl ForEachTask {
    /// Runs `task` for each element of `inputs`, a JSON array or a reference to one.
    pub fn new(inputs: impl Into<String>, task: Task) -> Self {
        Self { inputs: inputs.into(), concurrency: None, task: Box::new(task) }
    }

    /// Sets how many run at the same time.
    #[must_use]
    pub fn with_concurrency(self, concurrency: u32) -> Self {
        Self { concurrency: Some(concurrency), ..self }
    }
}

/// Another job, which runs as a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunJobTask {
    /// The job.
    pub job_id: JobId,
    /// What it is given.
    #[serde(flatten)]
    pub parameters: RunParameters,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl RunJobTask {
    /// The job `job_id`.
    pub fn new(job_id: JobId) -> Self {
        Self { job_id, parameters: RunParameters::default(), extra: ExtraFields::default() }
    }

    /// Sets what it is given.
    #[must_use]
    pub fn with_parameters(self, parameters: RunParameters) -> Self {
        Self { parameters, ..self }
    }
}

/// An update of a pipeline of tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PipelineTask {
    /// The pipeline.
    pub pipeline_id: String,
    /// Whether all tables are made anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full_refresh: bool,
    /// The tables to bring up to date. Empty stands for all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refresh_selection: BTreeSet<String>,
    /// The tables to make anew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub full_refresh_selection: BTreeSet<String>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl PipelineTask {
    /// The pipeline `pipeline_id`.
    pub fn new(pipeline_id: impl Into<String>) -> Self {
        Self {
            pipeline_id: pipeline_id.into(),
            full_refresh: false,
            refresh_selection: BTreeSet::new(),
            full_refresh_selection: BTreeSet::new(),
            extra: ExtraFields::default(),
        }
    }

    /// Makes all tables anew.
    #[must_use]
    pub fn with_full_refresh(self, full_refresh: bool) -> Self {
        Self { full_refresh, ..self }
    }
}

/// A task of a kind that this version of the crate does not know. It is written as
/// it was read. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherTask {
    pub(super) kind: String,
    pub(super) body: Value,
}

impl OtherTask {
    /// A task of `kind`, for example `dbt_task`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when `kind` does not end in
    /// `_task`, or `body` cannot be written as JSON.
    pub fn new(kind: impl Into<String>, body: impl Serialize) -> Result<Self> {
        const NAME: &str = "databricks.jobs.other_task";
        let kind = kind.into();
        if !kind.ends_with("_task") {
            let reason = format!("kind: {kind} is none; name the field, for example dbt_task");
            return Err(Error::invalid(NAME, reason));
        }
        let body = serde_json::to_value(body)
            .map_err(|err| Error::local(NAME, ErrorKind::InvalidArgument, err))?;
        Ok(Self { kind, body })
    }

    /// The name of its field, for example `dbt_task`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What it says, as JSON.
    pub fn json(&self) -> String {
        self.body.to_string()
    }
}

impl fmt::Debug for OtherTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherTask").field("kind", &self.kind).finish_non_exhaustive()
    }
}
