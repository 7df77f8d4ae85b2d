//! Every call of the client, in-process against the mock cloud.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may its helpers")]

mod clusters;
mod commands;
mod dbfs;
mod files;
mod identity;
mod instance_pools;
mod jobs;
mod permissions;
mod policies;
mod secrets;
mod workspace_objects;

use azml_databricks::Databricks;
use azml_mock::Fault;
use azml_testkit::{DATABRICKS_ORIGIN, DATABRICKS_TOKEN, TestContext};
use serde_json::{Value, json};

/// The workspace of the default world, as the service principal.
fn databricks(ctx: &TestContext) -> Databricks {
    Databricks::from_session(&ctx.session(), DATABRICKS_ORIGIN)
}

/// A call that this crate does not have, as the admin.
async fn post(ctx: &TestContext, path: &str, body: Value) {
    let request = http::Request::post(format!("{DATABRICKS_ORIGIN}{path}"))
        .header("authorization", format!("Bearer {DATABRICKS_TOKEN}"))
        .header("content-type", "application/json")
        .body(body.to_string().into());
    let response = ctx.transport().send(request.unwrap()).await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
}

/// The next read by `operation` sees the world before the last change after this.
fn stale(operation: &str) -> Fault {
    let fault = json!({ "match": { "operation": operation }, "effect": { "stale": true } });
    serde_json::from_value(fault).unwrap()
}
