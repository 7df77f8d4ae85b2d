//! The bodies of the calls that come most often, read without a detour.
//!
//! What does not fit is read again field by field, to say which field is wrong.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use super::{
    Fields, missing,
    request::{check_content_type, number_of},
};
use crate::{
    kernel::{Refusal, lenient, strict::Notes},
    services::mlflow::state::{Logged, Measured},
    store::Point,
};

/// 64-bit numbers come as numbers or as texts.
#[derive(Clone, Copy, Debug)]
struct Long(i64);

/// Numbers come as numbers or as texts, the words for what is not finite among them.
#[derive(Clone, Copy, Debug)]
struct Double(f64);

struct LongVisitor;
struct DoubleVisitor;

impl de::Visitor<'_> for LongVisitor {
    type Value = Long;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, it: i64) -> Result<Long, E> {
        Ok(Long(it))
    }

    fn visit_u64<E: de::Error>(self, it: u64) -> Result<Long, E> {
        i64::try_from(it).map(Long).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, it: &str) -> Result<Long, E> {
        it.parse().map(Long).map_err(E::custom)
    }
}

impl de::Visitor<'_> for DoubleVisitor {
    type Value = Double;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, it: f64) -> Result<Double, E> {
        Ok(Double(it))
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric is a double")]
    fn visit_i64<E: de::Error>(self, it: i64) -> Result<Double, E> {
        Ok(Double(it as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a metric is a double")]
    fn visit_u64<E: de::Error>(self, it: u64) -> Result<Double, E> {
        Ok(Double(it as f64))
    }

    fn visit_str<E: de::Error>(self, it: &str) -> Result<Double, E> {
        number_of(it).map(Double).ok_or_else(|| E::custom("no number"))
    }
}

impl<'de> Deserialize<'de> for Long {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LongVisitor)
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DoubleVisitor)
    }
}

#[derive(Deserialize)]
struct MetricEntry {
    /// Newer clients say it of every metric.
    #[serde(default, rename = "run_id")]
    _run_id: Option<String>,
    key: String,
    value: Double,
    timestamp: Long,
    #[serde(default)]
    step: Option<Long>,
    #[serde(default)]
    model_id: Option<String>,
    #[serde(default)]
    dataset_name: Option<String>,
    #[serde(default)]
    dataset_digest: Option<String>,
}

#[derive(Deserialize)]
struct PairEntry {
    key: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Deserialize)]
struct BatchEntry {
    run_id: String,
    #[serde(default, rename = "run_uuid")]
    _run_uuid: Option<String>,
    #[serde(default)]
    metrics: Vec<MetricEntry>,
    #[serde(default)]
    params: Vec<PairEntry>,
    #[serde(default)]
    tags: Vec<PairEntry>,
}

/// A metric beside the run that it is of.
#[derive(Deserialize)]
struct RunMetricEntry {
    run_id: String,
    /// The older name of the same, beside it.
    #[serde(default, rename = "run_uuid")]
    _run_uuid: Option<String>,
    key: String,
    value: Double,
    timestamp: Long,
    #[serde(default)]
    step: Option<Long>,
    #[serde(default)]
    model_id: Option<String>,
    #[serde(default)]
    dataset_name: Option<String>,
    #[serde(default)]
    dataset_digest: Option<String>,
}

/// Reads `text` and takes note of what is unknown. `None` if it does not fit.
fn read_noting<T: de::DeserializeOwned>(text: &[u8], notes: &Notes) -> Option<Result<T, Refusal>> {
    let (mut json, mut unused) = (serde_json::Deserializer::from_slice(text), Vec::new());
    let read = serde_ignored::deserialize(&mut json, |path| unused.push(path.to_string()));
    let read = read.ok().filter(|_| json.end().is_ok())?;
    Some(notes.take(unused).map(|()| read))
}

/// Reads fields one by one and takes note of what is unknown.
fn fields_noting(bytes: &[u8], notes: &Notes) -> Result<Fields, Refusal> {
    let fields = Fields::of_body(bytes);
    notes.take(fields.unknown())?;
    Ok(fields)
}

/// A point of MLflow. The SQL store has no infinity; it keeps the greatest
/// number there is.
fn point_of(value: f64, timestamp: i64, step: i64) -> Point {
    let value = if value.is_infinite() { f64::MAX.copysign(value) } else { value };
    Point { at: timestamp.saturating_mul(1000), step: Some(step), value }
}

impl From<MetricEntry> for Measured {
    fn from(it: MetricEntry) -> Self {
        let some = |it: Option<String>| it.filter(|it| !it.is_empty());
        Self {
            key: it.key,
            timestamp: it.timestamp.0,
            point: point_of(it.value.0, it.timestamp.0, it.step.map_or(0, |it| it.0)),
            model_id: some(it.model_id),
            dataset_name: some(it.dataset_name),
            dataset_digest: some(it.dataset_digest),
        }
    }
}

fn pair(it: PairEntry) -> (String, String) {
    (it.key, it.value.unwrap_or_default())
}

/// The body of a `log-batch`.
pub(in crate::services::mlflow) struct BatchBody {
    pub(in crate::services::mlflow) run_id: String,
    pub(in crate::services::mlflow) logged: Logged,
}

impl BatchBody {
    pub(in crate::services::mlflow) fn read(
        headers: &axum::http::HeaderMap,
        bytes: &[u8],
        notes: &Notes,
    ) -> Result<Self, Refusal> {
        check_content_type(headers)?;
        let read = read_noting::<BatchEntry>(&lenient::quoted(bytes), notes).transpose()?;
        if let Some(it) = read.filter(|it| !it.run_id.is_empty()) {
            let logged = Logged {
                metrics: it.metrics.into_iter().map(Measured::from).collect(),
                params: it.params.into_iter().map(pair).collect(),
                tags: it.tags.into_iter().map(pair).collect(),
            };
            return Ok(Self { run_id: it.run_id, logged });
        }
        Self::read_by_field(&fields_noting(bytes, notes)?)
    }

    fn read_by_field(fields: &Fields) -> Result<Self, Refusal> {
        let run_id = fields.run_id()?.to_owned();
        let keys = |name: &str| -> Result<Vec<(String, String)>, Refusal> {
            let mut found = Vec::new();
            for (index, it) in fields.objects(name)?.iter().enumerate() {
                let key = it.text("key")?.filter(|it| !it.is_empty());
                let key = key.ok_or_else(|| missing(&format!("{name}[{index}].key")))?;
                found.push((key.to_owned(), it.text_or_empty("value")?.to_owned()));
            }
            Ok(found)
        };
        let mut metrics = Vec::new();
        for (index, it) in fields.objects("metrics")?.iter().enumerate() {
            let part = |part: &str| format!("metrics[{index}].{part}");
            metrics.push(metric_of(it, part)?);
        }
        let logged = Logged { metrics, params: keys("params")?, tags: keys("tags")? };
        Ok(Self { run_id, logged })
    }
}

/// One metric, field by field. `path` says how a field is called in a refusal.
fn metric_of(fields: &Fields, path: impl Fn(&str) -> String) -> Result<Measured, Refusal> {
    let lacks = |name: &str| missing(&path(name));
    let key = fields.text("key")?.filter(|it| !it.is_empty()).ok_or_else(|| lacks("key"))?;
    let value = fields.decimal("value")?.ok_or_else(|| lacks("value"))?;
    let timestamp = fields.whole("timestamp")?.ok_or_else(|| lacks("timestamp"))?;
    let step = fields.whole("step")?.unwrap_or(0);
    let text = |name: &str| -> Result<Option<String>, Refusal> {
        Ok(fields.text(name)?.filter(|it| !it.is_empty()).map(str::to_owned))
    };
    Ok(Measured {
        key: key.to_owned(),
        timestamp,
        point: point_of(value, timestamp, step),
        model_id: text("model_id")?,
        dataset_name: text("dataset_name")?,
        dataset_digest: text("dataset_digest")?,
    })
}

/// The body of a `log-metric`.
pub(in crate::services::mlflow) struct MetricBody {
    pub(in crate::services::mlflow) run_id: String,
    pub(in crate::services::mlflow) metric: Measured,
}

impl MetricBody {
    pub(in crate::services::mlflow) fn read(
        headers: &axum::http::HeaderMap,
        bytes: &[u8],
        notes: &Notes,
    ) -> Result<Self, Refusal> {
        check_content_type(headers)?;
        let read = read_noting::<RunMetricEntry>(&lenient::quoted(bytes), notes).transpose()?;
        if let Some(it) = read.filter(|it| !it.run_id.is_empty() && !it.key.is_empty()) {
            let RunMetricEntry { run_id, key, value, timestamp, step, .. } = it;
            let RunMetricEntry { model_id, dataset_name, dataset_digest, .. } = it;
            let metric = MetricEntry {
                _run_id: None,
                key,
                value,
                timestamp,
                step,
                model_id,
                dataset_name,
                dataset_digest,
            };
            return Ok(Self { run_id, metric: metric.into() });
        }
        let fields = fields_noting(bytes, notes)?;
        let run_id = fields.run_id()?.to_owned();
        Ok(Self { run_id, metric: metric_of(&fields, str::to_owned)? })
    }
}
