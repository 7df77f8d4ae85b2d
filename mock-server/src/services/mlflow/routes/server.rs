use axum::{Json, response::Html};
use serde_json::{Value, json};

/// Whose answers this mock gives.
const VERSION: &str = "3.17.2";

pub(super) async fn health() -> &'static str {
    "OK"
}

pub(super) async fn version() -> Html<&'static str> {
    Html(VERSION)
}

/// What clients ask before they use what not every server has.
pub(super) async fn info() -> Json<Value> {
    Json(json!({
        "store_type": "SqlStore", "workspaces_enabled": false, "trace_archival_enabled": false,
        "multipart_uploads_enabled": true, "multipart_downloads_enabled": false,
        "presigned_upload_run_id_supported": false, "presigned_upload_model_id_supported": false,
        "features_enabled": { "gateway": false },
    }))
}
