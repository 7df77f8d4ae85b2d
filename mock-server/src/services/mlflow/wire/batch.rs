//! The bodies of the calls that come most often, read without a detour.
//!
//! What does not fit is read again field by field, to say which field is wrong.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Deserializer, de};

use super::{Fields, Head, kinds::number_of, missing};
use crate::{
    kernel::{Refusal, lenient},
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
fn read_noting<T: de::DeserializeOwned>(text: &[u8], head: &Head) -> Option<Result<T, Refusal>> {
    let (mut json, mut unused) = (serde_json::Deserializer::from_slice(text), Vec::new());
    let read = serde_ignored::deserialize(&mut json, |path| unused.push(path.to_string()));
    let read = read.ok().filter(|_| json.end().is_ok())?;
    Some(head.note(unused).map(|()| read))
}

/// The text of a body for the readers below: with what JSON does not have in
/// quotes, or, read as MLflow does, without an excuse for it.
fn readable<'a>(bytes: &'a [u8], head: &Head) -> Cow<'a, [u8]> {
    if head.is_faithful { Cow::Borrowed(bytes) } else { lenient::quoted(bytes) }
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
    pub(in crate::services::mlflow) fn read(head: &Head, bytes: &[u8]) -> Result<Self, Refusal> {
        head.check()?;
        let read = read_noting::<BatchEntry>(&readable(bytes, head), head).transpose()?;
        let keys = |it: &BatchEntry| {
            let pairs = it.params.iter().chain(&it.tags).map(|it| &it.key);
            pairs.chain(it.metrics.iter().map(|it| &it.key)).all(|it| !it.is_empty())
        };
        if let Some(it) = read.filter(|it| !it.run_id.is_empty() && keys(it)) {
            let logged = Logged {
                metrics: it.metrics.into_iter().map(Measured::from).collect(),
                params: it.params.into_iter().map(pair).collect(),
                tags: it.tags.into_iter().map(pair).collect(),
            };
            return Ok(Self { run_id: it.run_id, logged });
        }
        Self::read_by_field(&head.fields(bytes)?)
    }

    fn read_by_field(fields: &Fields) -> Result<Self, Refusal> {
        // The old name of the run passes the check and is not read.
        fields.run_id()?;
        let run_id = fields.text_or_empty("run_id")?.to_owned();
        let keys = |name: &str| -> Result<Vec<(String, String)>, Refusal> {
            let mut found = Vec::new();
            for (index, it) in fields.objects(name)?.iter().enumerate() {
                if !it.has("key") || it.loose_text("key")? == Some("") {
                    return Err(missing(&format!("{name}[{index}].key")));
                }
                let text = |name: &str| it.loose_text(name).map(Option::unwrap_or_default);
                found.push((text("key")?.to_owned(), text("value")?.to_owned()));
            }
            Ok(found)
        };
        let mut metrics = Vec::new();
        for (index, it) in fields.objects("metrics")?.iter().enumerate() {
            metrics.push(metric_of(it, Some(index))?);
        }
        let logged = Logged { metrics, params: keys("params")?, tags: keys("tags")? };
        Ok(Self { run_id, logged })
    }
}

/// One metric, field by field: at `index` of a list, or alone.
fn metric_of(fields: &Fields, index: Option<usize>) -> Result<Measured, Refusal> {
    for name in ["key", "value", "timestamp"] {
        if !fields.has(name) || fields.loose_text(name)? == Some("") {
            return Err(missing(
                &index.map_or(name.to_owned(), |it| format!("metrics[{it}].{name}")),
            ));
        }
    }
    // Of a list the schema checks that the fields are there, and no more.
    let is_alone = index.is_none();
    let text = |name: &str| -> Result<Option<String>, Refusal> {
        let found = if is_alone { fields.text(name)? } else { fields.loose_text(name)? };
        Ok(found.filter(|it| !it.is_empty()).map(str::to_owned))
    };
    let whole = |name: &str| -> Result<i64, Refusal> {
        let found = if is_alone { fields.whole(name)? } else { fields.loose_whole(name)? };
        Ok(found.unwrap_or(0))
    };
    let key = text("key")?.unwrap_or_default();
    let value = if is_alone { fields.decimal("value")? } else { fields.loose_decimal("value")? };
    let (value, timestamp, step) = (value.unwrap_or(0.0), whole("timestamp")?, whole("step")?);
    Ok(Measured {
        key,
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
    pub(in crate::services::mlflow) fn read(head: &Head, bytes: &[u8]) -> Result<Self, Refusal> {
        head.check()?;
        let read = read_noting::<RunMetricEntry>(&readable(bytes, head), head).transpose()?;
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
        let fields = head.fields(bytes)?;
        let run_id = fields.run_id()?.to_owned();
        Ok(Self { run_id, metric: metric_of(&fields, None)? })
    }
}
