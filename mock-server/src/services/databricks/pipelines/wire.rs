//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::Value;

use crate::services::databricks::wire::number;

#[derive(Deserialize)]
#[expect(dead_code, reason = "of no pipelines, every page is the same")]
pub(super) struct ListQuery {
    filter: Option<String>,
    order_by: Option<Value>,
    page_token: Option<String>,
    #[serde(default, deserialize_with = "number")]
    max_results: Option<i64>,
}
