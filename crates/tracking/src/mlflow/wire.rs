//! JSON exactly as MLflow writes it. Nothing here leaves this module tree.

use std::collections::BTreeMap;

use azml_core::{Page, PageToken};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    ExperimentId, ExperimentInfo, ExperimentName, MetricKey, PendingMetric, RunId, RunInfo,
    RunStatus,
};

/// The tag that names the run of which a run is a part.
pub(super) const PARENT: &str = "mlflow.parentRunId";

/// The tag that says by what a run was known before the server had made it.
pub(super) const LOCAL_ID: &str = "azml.spool.run";

/// Milliseconds since 1970.
pub(super) fn millis(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

pub(super) fn instant(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}

#[derive(Serialize)]
pub(super) struct Pair<'a> {
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

pub(super) fn pairs(texts: &BTreeMap<String, String>) -> Vec<Pair<'_>> {
    texts.iter().map(|(key, value)| Pair { key, value }).collect()
}

#[derive(Serialize)]
pub(super) struct NewMetric<'a> {
    pub(super) key: &'a str,
    pub(super) value: Number,
    pub(super) timestamp: i64,
    pub(super) step: i64,
}

impl<'a> From<&'a PendingMetric> for NewMetric<'a> {
    fn from(PendingMetric { metric, .. }: &'a PendingMetric) -> Self {
        Self {
            key: metric.key.as_str(),
            value: Number(metric.value),
            timestamp: millis(metric.logged_at),
            step: metric.step,
        }
    }
}

/// A number that is a word when JSON has none for it: a server that gets the
/// bare word stores 0 and says nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            it if it.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            it => serializer.serialize_f64(it),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(word) => match word.as_str() {
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                other => other.parse().ok(),
            },
            _ => None,
        };
        number.map(Self).ok_or_else(|| de::Error::custom(format!("{value} is no number")))
    }
}

/// A 64-bit number, as a number or as text.
pub(super) fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_i64()),
        Some(Value::String(text)) => text.parse().map(Some).map_err(de::Error::custom),
        Some(other) => Err(de::Error::custom(format!("{other} is no number"))),
    }
}

#[derive(Deserialize)]
pub(super) struct CreatedExperiment {
    pub(super) experiment_id: String,
}

#[derive(Deserialize)]
pub(super) struct GotExperiment {
    experiment: Experiment,
}

#[derive(Deserialize)]
struct Experiment {
    #[serde(rename = "experiment_id")]
    id: String,
    name: String,
    lifecycle_stage: Option<String>,
}

impl From<Experiment> for ExperimentInfo {
    fn from(it: Experiment) -> Self {
        let info = Self::new(ExperimentId::new(it.id), ExperimentName::new(it.name));
        Self { is_archived: it.lifecycle_stage.as_deref() == Some("deleted"), ..info }
    }
}

impl From<GotExperiment> for ExperimentInfo {
    fn from(it: GotExperiment) -> Self {
        it.experiment.into()
    }
}

#[derive(Deserialize)]
pub(super) struct Experiments {
    #[serde(default)]
    experiments: Vec<Experiment>,
    next_page_token: Option<String>,
}

impl From<Experiments> for Page<ExperimentInfo> {
    fn from(it: Experiments) -> Self {
        Self {
            items: it.experiments.into_iter().map(ExperimentInfo::from).collect(),
            next: it.next_page_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct GotRun {
    run: Run,
}

#[derive(Deserialize)]
pub(super) struct Run {
    info: Info,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Info {
    run_id: Option<String>,
    /// The older name. Servers of today send both.
    run_uuid: Option<String>,
    experiment_id: String,
    run_name: Option<String>,
    status: Option<String>,
    artifact_uri: Option<String>,
    lifecycle_stage: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    start_time: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    end_time: Option<i64>,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default)]
    params: Vec<OwnedPair>,
    #[serde(default)]
    tags: Vec<OwnedPair>,
}

#[derive(Deserialize)]
pub(super) struct OwnedPair {
    pub(super) key: String,
    #[serde(default)]
    pub(super) value: String,
}

#[derive(Deserialize)]
pub(super) struct Metric {
    key: String,
    value: Number,
    #[serde(default, deserialize_with = "integer")]
    timestamp: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    step: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct History {
    #[serde(default)]
    metrics: Vec<Metric>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Runs {
    #[serde(default)]
    runs: Vec<Run>,
    next_page_token: Option<String>,
}

impl GotRun {
    /// The series that the run has.
    pub(super) fn metric_keys(self) -> Vec<MetricKey> {
        self.run.data.metrics.into_iter().map(|it| MetricKey::new(it.key)).collect()
    }
}

impl From<GotRun> for RunInfo {
    fn from(it: GotRun) -> Self {
        it.run.into()
    }
}

impl From<Run> for RunInfo {
    fn from(Run { info, data }: Run) -> Self {
        let texts = |pairs: Vec<OwnedPair>| -> BTreeMap<String, String> {
            pairs.into_iter().map(|it| (it.key, it.value)).collect()
        };
        let status_text = info.status.unwrap_or_else(|| "RUNNING".to_owned());
        let tags = texts(data.tags);
        let started_at = info.start_time.and_then(instant);
        Self {
            id: RunId::new(info.run_id.or(info.run_uuid).unwrap_or_default()),
            experiment_id: ExperimentId::new(info.experiment_id),
            name: info.run_name.filter(|it| !it.is_empty()),
            status: RunStatus::from_word(&status_text),
            status_text,
            parent_id: tags.get(PARENT).map(|it| RunId::new(it.as_str())),
            data_container: info.artifact_uri.filter(|it| !it.is_empty()),
            target: None,
            tags,
            properties: BTreeMap::new(),
            params: texts(data.params),
            created_at: started_at,
            started_at,
            ended_at: info.end_time.filter(|it| *it > 0).and_then(instant),
            error: None,
            is_deleted: info.lifecycle_stage.as_deref() == Some("deleted"),
        }
    }
}

impl From<Metric> for crate::Metric {
    fn from(it: Metric) -> Self {
        let logged_at = it.timestamp.and_then(instant).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        Self::new(it.key, it.value.0, logged_at).with_step(it.step.unwrap_or(0))
    }
}

impl From<History> for Page<crate::Metric> {
    fn from(it: History) -> Self {
        Self {
            items: it.metrics.into_iter().map(crate::Metric::from).collect(),
            next: it.next_page_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}

impl From<Runs> for Page<RunInfo> {
    fn from(it: Runs) -> Self {
        Self {
            items: it.runs.into_iter().map(RunInfo::from).collect(),
            next: it.next_page_token.filter(|it| !it.is_empty()).map(PageToken),
        }
    }
}
