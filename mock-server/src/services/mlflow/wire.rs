//! JSON of MLflow, as `mlflow server` 3.17.2 was seen to send and accept it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::state::{Logged, NewRun};
use crate::store::{Experiment, Point, Run, Status};

/// 64-bit numbers come as numbers or as texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Long(pub(super) i64);

/// Numbers come as numbers or as texts, the words for what is not finite among them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double(pub(super) f64);

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        number.map(Self).ok_or_else(|| de::Error::custom(format!("{value} is no whole number")))
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = value.as_f64().or_else(|| match value.as_str()? {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.parse().ok(),
        });
        number.map(Self).ok_or_else(|| de::Error::custom(format!("{value} is no number")))
    }
}

#[derive(Deserialize)]
pub(super) struct Pair {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
pub(super) struct ExperimentBody {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) artifact_location: String,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Deserialize)]
pub(super) struct ExperimentQuery {
    pub(super) experiment_id: Option<String>,
    pub(super) experiment_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct RunBody {
    experiment_id: Option<String>,
    user_id: Option<String>,
    run_name: Option<String>,
    start_time: Option<Long>,
    #[serde(default)]
    tags: Vec<Pair>,
}

/// A run by its id, under its old and its new name.
#[derive(Deserialize)]
pub(super) struct RunKey {
    run_id: Option<String>,
    run_uuid: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct UpdateBody {
    #[serde(flatten)]
    pub(super) run: RunKey,
    pub(super) status: Option<String>,
    pub(super) end_time: Option<Long>,
    pub(super) run_name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct MetricBody {
    #[serde(flatten)]
    pub(super) run: RunKey,
    key: Option<String>,
    value: Option<Double>,
    timestamp: Option<Long>,
    step: Option<Long>,
}

#[derive(Deserialize)]
pub(super) struct PairBody {
    #[serde(flatten)]
    pub(super) run: RunKey,
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Deserialize)]
pub(super) struct BatchBody {
    #[serde(flatten)]
    pub(super) run: RunKey,
    #[serde(default)]
    metrics: Vec<MetricEntry>,
    #[serde(default)]
    params: Vec<Pair>,
    #[serde(default)]
    tags: Vec<Pair>,
}

#[derive(Deserialize)]
struct MetricEntry {
    key: String,
    value: Double,
    timestamp: Long,
    #[serde(default)]
    step: Option<Long>,
}

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    #[serde(flatten)]
    pub(super) run: RunKey,
    pub(super) metric_key: Option<String>,
    pub(super) max_results: Option<String>,
    pub(super) page_token: Option<String>,
}

/// The text of MLflow for a parameter that is not there.
pub(super) fn missing(name: &str) -> String {
    format!(
        "Missing value for required parameter '{name}'. See the API docs for more information about request parameters."
    )
}

fn at_millis(it: Long) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(it.0) * 1_000_000).ok()
}

fn pairs(pairs: Vec<Pair>) -> Vec<(String, String)> {
    pairs.into_iter().map(|it| (it.key, it.value)).collect()
}

fn point(value: Double, timestamp: Long, step: Option<Long>) -> Result<Point, String> {
    if timestamp.0 < 0 {
        return Err(format!(
            "Invalid timestamp {}: it must be nonnegative, in milliseconds",
            timestamp.0
        ));
    }
    // The SQL store has no infinity; it keeps the greatest number there is.
    let value = if value.0.is_infinite() { f64::MAX.copysign(value.0) } else { value.0 };
    let step = Some(step.map_or(0, |it| it.0));
    Ok(Point { at: timestamp.0.saturating_mul(1000), step, value })
}

impl RunKey {
    /// Names no run. What is left in a body whose key was taken out.
    pub(super) fn none() -> Self {
        Self { run_id: None, run_uuid: None }
    }

    pub(super) fn id(&self) -> Result<&str, String> {
        let id = self.run_id.as_deref().or(self.run_uuid.as_deref()).filter(|it| !it.is_empty());
        id.ok_or_else(|| missing("run_id"))
    }
}

impl ExperimentBody {
    pub(super) fn tags(&mut self) -> BTreeMap<String, String> {
        pairs(std::mem::take(&mut self.tags)).into_iter().collect()
    }
}

impl RunBody {
    pub(super) fn into_new(self) -> NewRun {
        NewRun {
            experiment_id: self.experiment_id.unwrap_or_else(|| "0".into()),
            name: self.run_name.filter(|it| !it.is_empty()),
            user: self.user_id,
            started_at: self.start_time.and_then(at_millis),
            tags: pairs(self.tags).into_iter().collect(),
        }
    }
}

impl UpdateBody {
    pub(super) fn status(&self) -> Result<Option<Status>, String> {
        let status = |it: &str| match it {
            "RUNNING" => Ok(Status::Running),
            "SCHEDULED" => Ok(Status::NotStarted),
            "FINISHED" => Ok(Status::Completed),
            "FAILED" => Ok(Status::Failed),
            "KILLED" => Ok(Status::Canceled),
            other => Err(format!("Invalid value \"{other}\" for parameter 'status' supplied.")),
        };
        self.status.as_deref().map(status).transpose()
    }

    pub(super) fn ended_at(&self) -> Option<OffsetDateTime> {
        self.end_time.and_then(at_millis)
    }
}

impl MetricBody {
    pub(super) fn into_logged(self) -> Result<Logged, String> {
        let key = self.key.filter(|it| !it.is_empty()).ok_or_else(|| missing("key"))?;
        let value = self.value.ok_or_else(|| missing("value"))?;
        let timestamp = self.timestamp.ok_or_else(|| missing("timestamp"))?;
        let metrics = vec![(key, point(value, timestamp, self.step)?)];
        Ok(Logged { metrics, ..Logged::default() })
    }
}

impl BatchBody {
    pub(super) fn into_logged(self) -> Result<Logged, String> {
        let metric = |it: MetricEntry| Ok((it.key, point(it.value, it.timestamp, it.step)?));
        Ok(Logged {
            metrics: self.metrics.into_iter().map(metric).collect::<Result<_, String>>()?,
            params: pairs(self.params),
            tags: pairs(self.tags),
        })
    }
}

fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn number(value: f64) -> Value {
    if value.is_nan() { "NaN".into() } else { value.into() }
}

pub(super) fn experiment_json(it: &Experiment) -> Value {
    let tags: Vec<Value> =
        it.tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
    json!({ "experiment": {
        "experiment_id": it.id, "name": it.name, "artifact_location": it.artifact_location,
        "lifecycle_stage": "active", "creation_time": millis(it.created_at),
        "last_update_time": millis(it.created_at), "tags": tags,
    } })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::NotStarted | Status::Queued | Status::Preparing | Status::Provisioning => {
            "SCHEDULED"
        }
        Status::Starting | Status::Running | Status::Finalizing | Status::CancelRequested => {
            "RUNNING"
        }
        Status::Completed => "FINISHED",
        Status::Failed => "FAILED",
        Status::Canceled => "KILLED",
    }
}

pub(super) fn info_json(run: &Run, artifact_uri: &str) -> Value {
    let mut info = json!({
        "run_id": run.id, "run_uuid": run.id,
        "run_name": run.display_name.as_ref().or(run.name.as_ref()).cloned().unwrap_or_default(),
        "experiment_id": run.experiment_id, "user_id": run.user, "status": status(run.status),
        "start_time": millis(run.started_at.unwrap_or(run.created_at)),
        "artifact_uri": artifact_uri,
        "lifecycle_stage": if run.is_deleted { "deleted" } else { "active" },
    });
    if let (Some(ended_at), Some(fields)) = (run.ended_at, info.as_object_mut()) {
        fields.insert("end_time".to_owned(), millis(ended_at).into());
    }
    info
}

pub(super) fn run_json(run: &Run, artifact_uri: &str) -> Value {
    let metrics = run
        .metrics
        .iter()
        .filter_map(|(key, series)| series.latest().map(|it| point_json(key, it)));
    let metrics: Vec<Value> = metrics.collect();
    let params = run.params.iter().map(|(key, value)| json!({ "key": key, "value": value }));
    let params: Vec<Value> = params.collect();
    let tags = run
        .tags
        .iter()
        .map(|(key, value)| json!({ "key": key, "value": value.as_deref().unwrap_or_default() }));
    let tags: Vec<Value> = tags.collect();
    let mut data = serde_json::Map::new();
    for (name, list) in [("metrics", metrics), ("params", params), ("tags", tags)] {
        if !list.is_empty() {
            data.insert(name.to_owned(), list.into());
        }
    }
    json!({ "run": { "info": info_json(run, artifact_uri), "data": data, "inputs": {} } })
}

pub(super) fn point_json(key: &str, point: Point) -> Value {
    json!({
        "key": key, "value": number(point.value), "timestamp": point.at / 1000,
        "step": point.step.unwrap_or(0),
    })
}
