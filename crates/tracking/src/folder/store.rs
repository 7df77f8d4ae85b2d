//! What the files say.

use std::{collections::BTreeMap, path::PathBuf};

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{FolderTracking, files};
use crate::{
    ExperimentId, ExperimentInfo, ExperimentName, Metric, PendingMetric, RunError, RunId, RunInfo,
    RunStatus, spool,
};

/// `experiments/{id}.json`
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredExperiment {
    pub(super) id: ExperimentId,
    pub(super) name: ExperimentName,
    #[serde(default)]
    pub(super) is_archived: bool,
}

impl From<StoredExperiment> for ExperimentInfo {
    fn from(it: StoredExperiment) -> Self {
        Self { is_archived: it.is_archived, ..Self::new(it.id, it.name) }
    }
}

/// `runs/{id}/run.json`. Instants are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredRun {
    pub(super) id: RunId,
    pub(super) experiment_id: ExperimentId,
    pub(super) local_id: Option<Uuid>,
    pub(super) name: Option<String>,
    pub(super) parent_id: Option<RunId>,
    /// A word of MLflow.
    pub(super) status: String,
    pub(super) created_at: i64,
    pub(super) started_at: i64,
    pub(super) ended_at: Option<i64>,
    pub(super) error: Option<StoredError>,
    #[serde(default)]
    pub(super) is_deleted: bool,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) params: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredError {
    pub(super) code: String,
    pub(super) message: String,
}

impl From<StoredRun> for RunInfo {
    fn from(it: StoredRun) -> Self {
        let error = it.error.map(|it| RunError::new(it.code, it.message));
        Self {
            name: it.name,
            parent_id: it.parent_id,
            tags: it.tags,
            params: it.params,
            created_at: Some(spool::instant(it.created_at)),
            started_at: Some(spool::instant(it.started_at)),
            ended_at: it.ended_at.map(spool::instant),
            error,
            is_deleted: it.is_deleted,
            ..Self::new(it.id, it.experiment_id, RunStatus::from_word(&it.status))
        }
    }
}

/// A line of `metrics.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredMetric<'a> {
    id: Uuid,
    key: std::borrow::Cow<'a, str>,
    value: Value,
    step: i64,
    at: i64,
}

/// A number, or the word for one that JSON has none for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Word(String),
}

impl<'a> StoredMetric<'a> {
    pub(super) fn new(PendingMetric { metric, id }: &'a PendingMetric) -> Self {
        let value = if metric.value.is_finite() {
            Value::Number(metric.value)
        } else {
            Value::Word(metric.value.to_string())
        };
        let at = spool::millis(metric.logged_at);
        Self { id: *id, key: metric.key.as_str().into(), value, step: metric.step, at }
    }

    pub(super) fn id(&self) -> Uuid {
        self.id
    }

    /// `None` for a word that is none.
    pub(super) fn metric(&self) -> Option<Metric> {
        let value = match &self.value {
            Value::Number(value) => *value,
            Value::Word(word) => word.parse().ok()?,
        };
        Some(Metric::new(&*self.key, value, spool::instant(self.at)).with_step(self.step))
    }
}

impl FolderTracking {
    pub(super) fn experiment_file(&self, id: &str) -> PathBuf {
        self.root.join("experiments").join(format!("{id}.json"))
    }

    pub(super) fn run_folder(&self, id: &RunId) -> PathBuf {
        self.root.join("runs").join(id.as_str())
    }

    pub(super) fn run_file(&self, id: &RunId) -> PathBuf {
        self.run_folder(id).join("run.json")
    }

    pub(super) fn metrics_file(&self, id: &RunId) -> PathBuf {
        self.run_folder(id).join("metrics.jsonl")
    }

    /// A run that is there.
    pub(super) fn stored_run(&self, operation: &'static str, id: &RunId) -> Result<StoredRun> {
        // An id is one part of a path, so that it leads nowhere else.
        let is_plain =
            !matches!(id.as_str(), "" | "." | "..") && !id.as_str().contains(['/', '\\']);
        let found = if is_plain { files::read(operation, &self.run_file(id))? } else { None };
        found.ok_or_else(|| {
            let reason = format!("{} has no run {id}", self.root.display());
            Error::explained(operation, ErrorKind::NotFound, reason)
        })
    }

    /// Changes what is said about a run.
    pub(super) fn change_run(
        &self,
        operation: &'static str,
        id: &RunId,
        change: impl FnOnce(&mut StoredRun) -> Result<()>,
    ) -> Result<()> {
        let lock = self.run_folder(id).join("lock");
        let mut run = self.stored_run(operation, id)?;
        // Others may change it as well.
        let held = std::fs::File::create(&lock).and_then(|it| it.lock().map(|()| it));
        let held = held.map_err(|err| files::failed(operation, &lock, err))?;
        if let Some(now) = files::read(operation, &self.run_file(id))? {
            run = now;
        }
        change(&mut run)?;
        let written = files::write(operation, &self.run_file(id), &run);
        drop(held);
        written
    }
}
