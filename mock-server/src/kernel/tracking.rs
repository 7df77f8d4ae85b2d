use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;

/// How the stores of runs behave where services differ from each other, or
/// where a test wants to see what a client makes of the worst of them.
///
/// All roots of MLflow and the metrics of Azure ML go by these. They belong to
/// a world while it runs: not to its export, and a reset brings back what the
/// cloud was made with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TrackingOptions {
    /// Whether a point that is there already is not added again, as in
    /// MLflow's SQL store and, by the id of the point, in Azure ML. On by
    /// default. Off, every point that is sent is kept.
    pub dedupe: bool,
    /// How long metrics stay unseen after they were logged, and new runs in
    /// `runs/search` after they were made, by the clock of the world. 0 by default.
    pub visibility_delay: Duration,
    /// Where plain MLflow puts the artifacts of experiments that are made
    /// without a location: a path, `file:///…`, or the URI of a store. `None`
    /// (the default) is `mlflow-artifacts:/`, which the server keeps itself. Of
    /// local folders the server reads and writes only what is below this one.
    pub artifact_root: Option<String>,
    /// Whether plain MLflow reads bodies as `mlflow server` does: a field of the
    /// wrong kind that its checks pass over is lost, and with it all that
    /// comes after. On by default. Off, such a body is refused.
    pub faithful: bool,
}

impl Default for TrackingOptions {
    fn default() -> Self {
        let visibility_delay = Duration::ZERO;
        Self { dedupe: true, visibility_delay, artifact_root: None, faithful: true }
    }
}

impl TrackingOptions {
    /// Keeps identical points once (`true`), or each time they are sent.
    #[must_use]
    pub fn with_dedupe(self, dedupe: bool) -> Self {
        Self { dedupe, ..self }
    }

    /// Shows metrics and new runs only `delay` after they were written.
    #[must_use]
    pub fn with_visibility_delay(self, delay: Duration) -> Self {
        Self { visibility_delay: delay, ..self }
    }

    /// Puts the artifacts of new experiments of plain MLflow below `root`.
    #[must_use]
    pub fn with_artifact_root(self, root: impl Into<String>) -> Self {
        let root = root.into().trim_end_matches('/').to_owned();
        Self { artifact_root: Some(root).filter(|it| !it.is_empty()), ..self }
    }

    /// Reads bodies as loosely as `mlflow server` (`true`), or strictly.
    #[must_use]
    pub fn with_faithful(self, faithful: bool) -> Self {
        Self { faithful, ..self }
    }

    /// As `/_mock/tracking` shows them.
    pub(super) fn shown(&self) -> Value {
        json!({
            "dedupe": self.dedupe,
            "visibility_delay_seconds": self.visibility_delay.as_secs_f64(),
            "artifact_root": self.artifact_root,
            "faithful": self.faithful,
        })
    }

    /// With what a client of `/_mock/tracking` changes.
    pub(super) fn changed(&self, change: &TrackingChange) -> Result<Self, Refusal> {
        let mut changed = self.clone();
        if let Some(dedupe) = change.dedupe {
            changed.dedupe = dedupe;
        }
        if let Some(seconds) = change.visibility_delay_seconds {
            changed.visibility_delay = Duration::try_from_secs_f64(seconds)
                .map_err(|_| Refusal::invalid("visibility_delay_seconds must be 0 or more"))?;
        }
        changed.faithful = change.faithful.unwrap_or(changed.faithful);
        if let Some(root) = &change.artifact_root {
            changed = changed.with_artifact_root(root);
        }
        Ok(changed)
    }
}

/// The body of `POST /_mock/tracking`: what is not named stays as it is.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrackingChange {
    dedupe: Option<bool>,
    visibility_delay_seconds: Option<f64>,
    /// Empty for the store that the server keeps itself.
    artifact_root: Option<String>,
    faithful: Option<bool>,
}
