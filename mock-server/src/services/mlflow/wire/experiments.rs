use serde_json::{Value, json};

use super::{millis, pairs_json, put_list};
use crate::store::Experiment;

pub(in crate::services::mlflow) fn experiment_json(it: &Experiment, location: &str) -> Value {
    let mut shown = json!({
        "experiment_id": it.id, "name": it.name, "artifact_location": location,
        "lifecycle_stage": if it.is_deleted { "deleted" } else { "active" },
        "creation_time": millis(it.created_at), "last_update_time": millis(it.modified_at),
    });
    put_list(&mut shown, "tags", pairs_json(it.tags.iter().map(|(key, it)| (key, it.as_str()))));
    shown
}
