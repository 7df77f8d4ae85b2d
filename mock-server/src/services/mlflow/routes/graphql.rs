//! `/graphql`: each root field is one of the REST calls, of which the document
//! says what it wants to see.

use std::sync::Arc;

use axum::Json;
use serde_json::{Map, Value, json};

use super::{artifacts, experiments, metrics, root::Root, runs, versions};
use crate::{
    kernel::{Here, Kernel, Raw, Refusal, Refused},
    services::mlflow::{
        state::{
            self,
            search::{Page, search_versions},
        },
        wire::{
            Asked as Request, Envelope, Fields, Head, experiment_json,
            graphql::{Asked, asked, selected},
            listed_version_json,
        },
    },
};

type Refuse = Refused<Envelope>;

pub(super) async fn execute(
    Here(kernel): Here,
    root: Root,
    head: Head,
    Raw(bytes, _): Raw<Envelope>,
) -> Result<Json<Value>, Refuse> {
    head.check()?;
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let query = body.get("query").and_then(Value::as_str).ok_or_else(|| {
        let text = "Missing value for required parameter 'query': a GraphQL document as text.";
        Refusal::invalid(text)
    })?;
    let document = graphql_parser::parse_query::<String>(query)
        .map_err(|err| Refusal::invalid(format!("the query is no GraphQL document: {err}")))?
        .into_static();
    let variables = body.get("variables").and_then(Value::as_object).cloned().unwrap_or_default();
    let operation = body.get("operationName").and_then(Value::as_str);
    let asked = match asked(&document, operation, variables) {
        Ok(asked) => asked,
        Err(errors) => return Ok(Json(json!({ "data": null, "errors": errors }))),
    };
    let (mut data, mut errors) = (Map::new(), Vec::new());
    for (shown_as, name) in asked.roots() {
        let shown = match resolved(&kernel, &root, &asked, shown_as, name).await {
            Ok(answer) => selected(&asked, shown_as, &answer, &|field, run| {
                related(&kernel, &root, field, run)
            }),
            Err(text) => {
                errors.push(text);
                Value::Null
            }
        };
        data.insert(shown_as.to_owned(), shown);
    }
    let errors = if errors.is_empty() { Value::Null } else { errors.into() };
    Ok(Json(json!({ "data": data, "errors": errors })))
}

/// What REST answers to a root field.
async fn resolved(
    kernel: &Arc<Kernel>,
    root: &Root,
    asked: &Asked<'_>,
    shown_as: &str,
    name: &str,
) -> Result<Value, String> {
    match name {
        "test" | "testMutation" => {
            return Ok(json!({ "output": asked.text(shown_as, "inputString") }));
        }
        "__typename" => return Ok(Value::Null),
        _ => (),
    }
    let lacks = || format!("{name} is missing 1 required argument: 'input'");
    let input = asked.input(shown_as).ok_or_else(lacks)?;
    answered(kernel, root, name, input).await.map_err(|err| err.0.message)
}

async fn answered(
    kernel: &Arc<Kernel>,
    root: &Root,
    name: &str,
    input: Fields,
) -> Result<Value, Refuse> {
    let (here, root, request) = (Here(kernel.clone()), root.clone(), Request(input));
    let Json(answer) = match name {
        "mlflowGetExperiment" => experiments::get(here, root, request).await?,
        "mlflowSearchDatasets" => experiments::search_datasets(here, root, request).await?,
        "mlflowGetMetricHistoryBulkInterval" => {
            metrics::get_history_bulk_interval(here, root, request).await?
        }
        "mlflowListArtifacts" => artifacts::list(here, root, request).await?,
        "mlflowSearchModelVersions" => versions::search(here, root, request).await?,
        "mlflowGetRun" => Json(runs::get(here, root, request).await?.read_back()),
        "mlflowSearchRuns" => Json(runs::search(here, root, request).await?.read_back()),
        _ => return Err(Refusal::invalid(format!("Cannot query field '{name}'")).into()),
    };
    Ok(answer)
}

/// What a run belongs to, and what was made of it.
fn related(kernel: &Kernel, root: &Root, field: &str, run: &Value) -> Value {
    let text = |name: &str| run["info"][name].as_str().unwrap_or_default().to_owned();
    kernel.inspect(|world| {
        let store = world.stores.at(&root.place);
        if field == "experiment" {
            let found = state::experiment(store, &root.place, &text("experiment_id"));
            return found.map(|it| experiment_json(it, &root.location(it))).unwrap_or_default();
        }
        let filter = format!("run_id = '{}'", text("run_id"));
        let found = search_versions(store, &filter, &[], Page { offset: 0, size: usize::MAX });
        let versions = found.map(|(it, _)| it).unwrap_or_default();
        versions.into_iter().map(listed_version_json).collect()
    })
}
