//! The APIs of Databricks of which the mock has nothing: what is asked of them
//! is refused by name, so that it differs from a path that Databricks lacks.
//!
//! Written from the published API reference. Where clients take a missing path
//! for "do it the old way" (`/api/2.0/fs/create-download-url`), it stays missing.

/// The first segments of their paths, below `/api`.
#[rustfmt::skip]
static AREAS: &[(&str, &[&str])] = &[
    ("2.0", &[
        "access-control", "accounts", "agents", "ai-functions", "ai-search", "alerts", "app-spaces", "apps",
        "apps-settings", "automl", "clean-rooms", "credentials-manager", "custom-llms", "data-sharing",
        "database", "domains", "entity-tag-assignments", "external-function", "feature-engineering",
        "feature-store", "genie", "identity", "instance-profiles", "ip-access-lists", "lakeview",
        "lineage-tracking", "marketplace-exchange", "marketplace-provider", "notification-destinations",
        "online-tables", "permissionmigration", "postgres", "quality-monitors", "serving-endpoints", "settings",
        "sql", "vector-search",
        "mlflow/comments", "mlflow/databricks", "mlflow/registry-webhooks", "mlflow/transition-requests",
        "policies/jobs", "preview/sql",
        "unity-catalog/temporary-path-credentials", "unity-catalog/temporary-table-credentials",
        "unity-catalog/temporary-volume-credentials",
    ]),
    ("2.1", &[
        "accounts", "data-sharing", "knowledge-assistants", "marketplace-consumer", "quality-monitoring",
        "settings", "settings-metadata", "supervisor-agents", "tag-policies",
        "unity-catalog/artifact-allowlists", "unity-catalog/bindings", "unity-catalog/connections",
        "unity-catalog/constraints", "unity-catalog/credentials", "unity-catalog/entity-tag-assignments",
        "unity-catalog/external-locations", "unity-catalog/functions", "unity-catalog/models",
        "unity-catalog/policies", "unity-catalog/providers", "unity-catalog/public", "unity-catalog/recipients",
        "unity-catalog/resource-quotas", "unity-catalog/shares", "unity-catalog/storage-credentials",
        "unity-catalog/temporary-service-credentials", "unity-catalog/validate-credentials",
        "unity-catalog/validate-storage-credentials", "unity-catalog/workspace-bindings",
    ]),
    ("3.0", &["rfa"]),
    ("data-classification", &["v1"]),
    ("data-quality", &["v1"]),
    ("disaster-recovery", &["v1"]),
    ("environments", &["v1"]),
    ("networking", &["v1"]),
    ("warehouses", &["v1"]),
];

/// Whether Databricks has an API here.
pub(crate) fn has(path: &str) -> bool {
    let below = path.strip_prefix("/api/").and_then(|it| it.split_once('/'));
    let Some((version, rest)) = below else { return false };
    let area = |it: &&str| {
        let rest = rest.strip_prefix(*it);
        rest.is_some_and(|it| it.is_empty() || it.starts_with(['/', ':']))
    };
    AREAS.iter().any(|(it, areas)| *it == version && areas.iter().any(area))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        MockCloud,
        services::databricks::tests::{get, post},
    };

    #[tokio::test]
    async fn an_api_that_is_not_emulated_is_named_and_one_that_does_not_exist_is_not_found() {
        let cloud = MockCloud::new();
        for path in
            ["/api/2.0/sql/history/queries", "/api/2.0/apps", "/api/2.1/unity-catalog/models"]
        {
            let (status, refusal) = get(&cloud, path).await;
            let text = format!("azml-mock does not emulate GET {path}");
            let wanted = json!({ "error_code": "NOT_IMPLEMENTED", "message": text });
            assert_eq!((status, refusal), (501, wanted));
        }
        for path in
            ["/api/2.0/sqlite", "/api/2.0/nope", "/api/1.2/apps", "/api/2.0/fs/create-download-url"]
        {
            let (status, refusal) = post(&cloud, path, json!({})).await;
            assert_eq!((status, &refusal["error_code"]), (404, &json!("ENDPOINT_NOT_FOUND")));
        }
    }
}
