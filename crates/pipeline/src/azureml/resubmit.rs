//! Runs a graph again that has been run before.

use azml_core::{Error, ErrorKind};
use serde_json::{Value, json};

use super::{AzureMlPipelines, history, ops, wire};
use crate::{PipelineRunDetails, PipelineRunId, Result, SubmitOptions};

const NAME: &str = "pipelines.runs.resubmit";

pub(super) async fn resubmit(
    pipelines: &AzureMlPipelines,
    id: &PipelineRunId,
    options: &SubmitOptions,
) -> Result<PipelineRunDetails> {
    let (endpoint, workspace) = (pipelines.data_plane().await?, &pipelines.scope());
    let earlier = endpoint.call(&ops::GetRun { workspace, id }).await?;
    let Some(graph_id) = earlier.graph_id.as_deref() else {
        let reason = "the service does not tell the graph of this run";
        return Err(Error::explained(NAME, ErrorKind::Decode, reason.to_owned()).into());
    };
    let graph = endpoint.call(&ops::GetGraph { workspace, id: graph_id }).await?;
    let interface = endpoint.call(&ops::GetGraphInterface { workspace, id: graph_id }).await?;
    let body = body(&earlier, &graph, &interface, options);

    let experiment = options.experiment.as_deref().or(earlier.experiment.as_deref());
    let tracking = pipelines.tracking().await?;
    let experiment = history::experiment(&tracking, experiment.unwrap_or_default()).await?;
    let create = ops::CreateRun { workspace, experiment: experiment.name.as_str(), body: &body };
    let run = PipelineRunDetails::from(endpoint.call(&create).await?);
    endpoint.call(&ops::SubmitRun { workspace, id: &run.id }).await?;
    if !options.tags.is_empty() {
        history::tag(&tracking, experiment, &run.id, &options.tags).await?;
    }
    Ok(run)
}

/// The submission of the same graph with the same values, but for those that are
/// chosen anew.
fn body(earlier: &wire::Run, graph: &Value, interface: &Value, options: &SubmitOptions) -> Value {
    let mut values = earlier.parameter_assignments.clone();
    for (name, value) in &options.parameters {
        values.insert(name.to_string(), value.to_string());
    }
    let mut nodes = graph["ModuleNodes"].clone();
    for node in nodes.as_array_mut().into_iter().flatten() {
        node["RegenerateOutput"] = json!(options.regenerate_outputs);
    }
    json!({
        "CreationInfo": {
            "Description": earlier.description,
            "ContinueExperimentOnNodeFailure":
                earlier.continue_experiment_on_node_failure.unwrap_or(false),
            "ParameterAssignments": values,
            "DataPathAssignments": {},
            "DataSetDefinitionValueAssignments": {},
            "RunSource": "SDK",
            "RunType": "SDK",
            "CredentialPassthrough": false,
        },
        "Graph": {
            "ModuleNodes": nodes,
            "DatasetNodes": graph["DatasetNodes"],
            "Edges": graph["Edges"],
        },
        "GraphInterface": interface,
    })
}
