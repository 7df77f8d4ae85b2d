//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Entry, Library, Status};

#[derive(Deserialize)]
pub(super) struct ChangeBody {
    pub(super) cluster_id: Option<String>,
    #[serde(default)]
    pub(super) libraries: Vec<Library>,
}

#[derive(Deserialize)]
pub(super) struct StatusQuery {
    pub(super) cluster_id: Option<String>,
}

pub(super) fn describe(cluster_id: &str, entries: &[Entry]) -> Value {
    let mut answer = json!({ "cluster_id": cluster_id });
    if !entries.is_empty() {
        answer["library_statuses"] = entries.iter().map(describe_entry).collect();
    }
    answer
}

fn describe_entry(it: &Entry) -> Value {
    let (status, message) = match &it.status {
        Status::Pending { .. } => ("PENDING", None),
        Status::Installing { .. } => ("INSTALLING", None),
        Status::Installed { .. } => ("INSTALLED", None),
        Status::Failed { message, .. } => ("FAILED", Some(message)),
        Status::UninstallOnRestart { .. } => ("UNINSTALL_ON_RESTART", None),
    };
    let mut answer = json!({
        "library": it.library, "status": status, "is_library_for_all_clusters": false,
    });
    if let Some(message) = message {
        answer["messages"] = json!([message]);
    }
    answer
}
