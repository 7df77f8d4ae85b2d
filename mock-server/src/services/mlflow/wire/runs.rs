use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};

use super::{Fields, millis};
use crate::{
    kernel::Refusal,
    services::mlflow::state::search::{View, run_name},
    store::{Dataset, DatasetInput, Point, Run, Status},
};

/// JSON that is written as it is read from the store.
pub(in crate::services::mlflow) struct Answer(Vec<u8>);

impl Answer {
    /// The answer for whoever shows only a part of it.
    pub(in crate::services::mlflow) fn read_back(&self) -> Value {
        serde_json::from_slice(&self.0).unwrap_or_default()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

pub(in crate::services::mlflow) fn status_word(status: Status) -> &'static str {
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

/// A status by its name or its number.
pub(in crate::services::mlflow) fn status_of(fields: &Fields) -> Result<Option<Status>, Refusal> {
    let all =
        [Status::Running, Status::NotStarted, Status::Completed, Status::Failed, Status::Canceled];
    let word = |text: &str| all.into_iter().find(|it| status_word(*it) == text);
    let number = |number: i64| all.get(usize::try_from(number).ok()?.checked_sub(1)?).copied();
    fields.choice("status", word, number)
}

/// Which of the deleted and the others are wanted, by name or number.
pub(in crate::services::mlflow) fn view_of(fields: &Fields, name: &str) -> Result<View, Refusal> {
    let word = |text: &str| match text {
        "ACTIVE_ONLY" | "1" => Some(View::Active),
        "DELETED_ONLY" | "2" => Some(View::Deleted),
        "ALL" | "3" => Some(View::All),
        _ => None,
    };
    let number = |number: i64| word(&number.to_string());
    Ok(fields.choice(name, word, number)?.unwrap_or_default())
}

/// The datasets that a run is fed with.
pub(in crate::services::mlflow) fn datasets_of(
    fields: &Fields,
) -> Result<Vec<DatasetInput>, Refusal> {
    let input = |it: &Fields| {
        let dataset = it.object("dataset")?;
        let text =
            |name: &str| dataset.loose_text(name).map(|it| it.unwrap_or_default().to_owned());
        let optional = |name: &str| Ok::<_, Refusal>(dataset.loose_text(name)?.map(str::to_owned));
        let dataset = Dataset {
            name: text("name")?,
            digest: text("digest")?,
            source_type: text("source_type")?,
            source: text("source")?,
            schema: optional("schema")?,
            profile: optional("profile")?,
        };
        Ok(DatasetInput { dataset, tags: it.pairs("tags")? })
    };
    fields.objects("datasets")?.iter().map(input).collect()
}

pub(in crate::services::mlflow) fn point_json(key: &str, point: Point) -> Value {
    json!(MetricView { key, point })
}

/// A point under the name of its metric.
struct MetricView<'a> {
    key: &'a str,
    point: Point,
}

impl Serialize for MetricView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.point.value;
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("key", self.key)?;
        if value.is_nan() {
            map.serialize_entry("value", "NaN")?;
        } else {
            // Run history keeps infinities, JSON has none.
            let value = if value.is_infinite() { f64::MAX.copysign(value) } else { value };
            map.serialize_entry("value", &value)?;
        }
        map.serialize_entry("timestamp", &self.point.at.div_euclid(1000))?;
        map.serialize_entry("step", &self.point.step.unwrap_or(0))?;
        map.end()
    }
}

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

/// A list that is written item by item.
struct List<F>(F);

impl<F, I> Serialize for List<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// A run as MLflow shows it.
pub(in crate::services::mlflow) struct RunView<'a> {
    pub(in crate::services::mlflow) run: &'a Run,
    pub(in crate::services::mlflow) artifact_uri: String,
}

struct Info<'a>(&'a RunView<'a>);
struct Data<'a>(&'a Run);
struct Inputs<'a>(&'a Run);

impl Serialize for RunView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("info", &Info(self))?;
        map.serialize_entry("data", &Data(self.run))?;
        map.serialize_entry("inputs", &Inputs(self.run))?;
        if !self.run.model_outputs.is_empty() {
            let outputs = self.run.model_outputs.iter();
            let outputs: Vec<Value> =
                outputs.map(|it| json!({ "model_id": it.model_id, "step": it.step })).collect();
            map.serialize_entry("outputs", &json!({ "model_outputs": outputs }))?;
        }
        map.end()
    }
}

impl Serialize for Info<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let run = self.0.run;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("run_uuid", &run.id)?;
        map.serialize_entry("run_id", &run.id)?;
        map.serialize_entry("run_name", run_name(run))?;
        map.serialize_entry("experiment_id", &run.experiment_id)?;
        map.serialize_entry("user_id", &run.user)?;
        map.serialize_entry("status", status_word(run.status))?;
        map.serialize_entry("start_time", &millis(run.started_at.unwrap_or(run.created_at)))?;
        // The end of 0 is none.
        if let Some(ended_at) = run.ended_at.map(millis).filter(|it| *it != 0) {
            map.serialize_entry("end_time", &ended_at)?;
        }
        map.serialize_entry("artifact_uri", &self.0.artifact_uri)?;
        let stage = if run.is_deleted { "deleted" } else { "active" };
        map.serialize_entry("lifecycle_stage", stage)?;
        map.end()
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let run = self.0;
        let views = || {
            run.metrics
                .iter()
                .filter_map(|(key, it)| it.latest().map(|point| MetricView { key, point }))
        };
        let mut map = serializer.serialize_map(None)?;
        if views().next().is_some() {
            map.serialize_entry("metrics", &List(views))?;
        }
        if !run.params.is_empty() {
            let params = || run.params.iter().map(|(key, value)| Pair { key, value });
            map.serialize_entry("params", &List(params))?;
        }
        if !run.tags.is_empty() {
            let tags = || {
                run.tags
                    .iter()
                    .map(|(key, value)| Pair { key, value: value.as_deref().unwrap_or_default() })
            };
            map.serialize_entry("tags", &List(tags))?;
        }
        map.end()
    }
}

impl Serialize for Inputs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.0.datasets.is_empty() {
            let datasets: Vec<Value> = self.0.datasets.iter().map(dataset_json).collect();
            map.serialize_entry("dataset_inputs", &datasets)?;
        }
        if !self.0.model_inputs.is_empty() {
            let models = self.0.model_inputs.iter().map(|it| json!({ "model_id": it }));
            map.serialize_entry("model_inputs", &models.collect::<Vec<Value>>())?;
        }
        map.end()
    }
}

fn dataset_json(it: &DatasetInput) -> Value {
    let dataset = &it.dataset;
    let mut shown = json!({
        "name": dataset.name, "digest": dataset.digest, "source_type": dataset.source_type,
        "source": dataset.source,
    });
    super::put_text(&mut shown, "schema", dataset.schema.as_deref());
    super::put_text(&mut shown, "profile", dataset.profile.as_deref());
    let mut input = json!({ "dataset": shown });
    let tags = it.tags.iter().map(|(key, value)| json!({ "key": key, "value": value }));
    super::put_list(&mut input, "tags", tags.collect());
    input
}

pub(in crate::services::mlflow) fn info_json(view: &RunView<'_>) -> Value {
    json!({ "run_info": Info(view) })
}

fn written(value: &impl Serialize) -> Answer {
    Answer(serde_json::to_vec(value).unwrap_or_default())
}

pub(in crate::services::mlflow) fn run_answer(view: &RunView<'_>) -> Answer {
    #[derive(Serialize)]
    struct Shown<'a> {
        run: &'a RunView<'a>,
    }
    written(&Shown { run: view })
}

pub(in crate::services::mlflow) fn runs_answer(
    views: &[RunView<'_>],
    next_page_token: Option<String>,
) -> Answer {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        runs: &'a [RunView<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        next_page_token: Option<String>,
    }
    written(&Shown { runs: views, next_page_token })
}
