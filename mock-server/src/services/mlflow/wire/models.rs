use serde_json::{Value, json};

use super::{millis, pairs_json, point_json, put_list};
use crate::store::{LoggedModel, ModelMetric, ModelStatus};

fn status_name(status: ModelStatus) -> &'static str {
    match status {
        ModelStatus::Unspecified => "LOGGED_MODEL_STATUS_UNSPECIFIED",
        ModelStatus::Pending => "LOGGED_MODEL_PENDING",
        ModelStatus::Ready => "LOGGED_MODEL_READY",
        ModelStatus::UploadFailed => "LOGGED_MODEL_UPLOAD_FAILED",
    }
}

/// A status as filters know it.
pub(in crate::services::mlflow) fn model_status_word(status: ModelStatus) -> &'static str {
    match status {
        ModelStatus::Unspecified => "UNSPECIFIED",
        ModelStatus::Pending => "PENDING",
        ModelStatus::Ready => "READY",
        ModelStatus::UploadFailed => "FAILED",
    }
}

/// A status by its name or its number.
pub(in crate::services::mlflow) fn model_status_of(text: &str) -> Option<ModelStatus> {
    let all = [
        ModelStatus::Unspecified,
        ModelStatus::Pending,
        ModelStatus::Ready,
        ModelStatus::UploadFailed,
    ];
    let named = all.into_iter().find(|it| status_name(*it) == text);
    named.or_else(|| all.get(text.parse::<usize>().ok()?).copied())
}

fn metric_json(model_id: &str, it: &ModelMetric) -> Value {
    let mut shown = point_json(&it.key, it.point);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("model_id".to_owned(), model_id.into());
        fields.insert("run_id".to_owned(), it.run_id.as_str().into());
    }
    super::put_text(&mut shown, "dataset_name", it.dataset_name.as_deref());
    super::put_text(&mut shown, "dataset_digest", it.dataset_digest.as_deref());
    shown
}

pub(in crate::services::mlflow) fn logged_model_json(
    it: &LoggedModel,
    artifact_uri: &str,
) -> Value {
    let mut info = json!({
        "model_id": it.id, "experiment_id": it.experiment_id, "name": it.name,
        "creation_timestamp_ms": millis(it.created_at),
        "last_updated_timestamp_ms": millis(it.modified_at), "artifact_uri": artifact_uri,
        "status": status_name(it.status), "model_type": it.model_type,
        "source_run_id": it.source_run_id,
    });
    let texts = |(key, it)| (key, String::as_str(it));
    put_list(&mut info, "tags", pairs_json(it.tags.iter().map(texts)));
    let mut data = json!({});
    put_list(&mut data, "params", pairs_json(it.params.iter().map(texts)));
    let metrics = it.metrics.iter().map(|metric| metric_json(&it.id, metric));
    put_list(&mut data, "metrics", metrics.collect());
    json!({ "info": info, "data": data })
}
