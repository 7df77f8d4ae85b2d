//! Finds out why a step was reused or not, from what the service tells.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{AzureMlPipelines, ops, wire};
use crate::{
    PipelineBackend, PipelineRunDetails, PipelineRunId, Result, ReuseExplanation, StepRun,
    StepStatus,
};

/// One run with its graph and the runs of its steps.
struct Look {
    values: BTreeMap<String, String>,
    graph: Graph,
    steps: Vec<StepRun>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Graph {
    module_nodes: Vec<Node>,
    dataset_nodes: Vec<DatasetNode>,
    edges: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    id: String,
    module_id: String,
    #[serde(default)]
    module_parameters: Vec<Assignment>,
    #[serde(default)]
    module_metadata_parameters: Vec<Assignment>,
    #[serde(default)]
    regenerate_output: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Assignment {
    value_type: String,
    name: String,
    #[serde(default)]
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DatasetNode {
    id: String,
    #[serde(flatten)]
    content: BTreeMap<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Edge {
    source_output_port: Port,
    destination_input_port: Port,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Port {
    node_id: String,
    port_name: String,
}

pub(super) async fn explain(
    pipelines: &AzureMlPipelines,
    run: &PipelineRunId,
    step: &StepRun,
    earlier: Option<&PipelineRunId>,
) -> Result<ReuseExplanation> {
    if let Some(from) = &step.reused_from {
        return Ok(ReuseExplanation::Reused { from: from.clone() });
    }
    let now = look(pipelines, run).await?;
    let Some(node) = now.graph.node(&step.node_id) else {
        return Ok(ReuseExplanation::ServiceDecided);
    };
    if node.regenerate_output {
        return Ok(ReuseExplanation::Regenerated);
    }
    let (endpoint, workspace) = (pipelines.data_plane().await?, &pipelines.scope());
    let module = endpoint.call(&ops::GetModule { workspace, id: &node.module_id }).await?;
    if module.is_deterministic == Some(false) {
        return Ok(ReuseExplanation::NotAllowed);
    }
    let Some(earlier) = earlier else { return Ok(ReuseExplanation::NothingEarlier) };
    let before = look(pipelines, earlier).await?;
    Ok(compare(step, node, &now, &before))
}

async fn look(pipelines: &AzureMlPipelines, id: &PipelineRunId) -> Result<Look> {
    let (endpoint, workspace) = (pipelines.data_plane().await?, &pipelines.scope());
    let run: wire::Run = endpoint.call(&ops::GetRun { workspace, id }).await?;
    let graph = match run.graph_id.as_deref() {
        None => Graph::default(),
        Some(id) => {
            let graph = endpoint.call(&ops::GetGraph { workspace, id }).await?;
            serde_json::from_value(graph).unwrap_or_default()
        }
    };
    let values = run.parameter_assignments.clone();
    let steps = pipelines.steps(&PipelineRunDetails::from(run)).await?;
    Ok(Look { values, graph, steps })
}

/// The first difference that counts, from the step itself to what it reads.
fn compare(step: &StepRun, node: &Node, now: &Look, before: &Look) -> ReuseExplanation {
    let same = before.steps.iter().find(|it| it.name == step.name);
    let Some((same, old)) = same.and_then(|it| Some((it, before.graph.node(&it.node_id)?))) else {
        return ReuseExplanation::NothingEarlier;
    };
    if node.module_id != old.module_id {
        return ReuseExplanation::Changed { parameters: node.differing(old) };
    }
    let parameters = other_values(node, &now.values, &before.values);
    if !parameters.is_empty() {
        return ReuseExplanation::OtherValues { parameters };
    }
    if same.status != StepStatus::Finished {
        return ReuseExplanation::EarlierDidNotFinish;
    }
    let inputs = other_inputs(node, old, &now.graph, &before.graph);
    if !inputs.is_empty() {
        return ReuseExplanation::OtherInputs { inputs };
    }
    let nodes = now.written_anew(node);
    if !nodes.is_empty() {
        return ReuseExplanation::InputsWrittenAnew { nodes };
    }
    ReuseExplanation::ServiceDecided
}

impl Graph {
    fn node(&self, id: &str) -> Option<&Node> {
        self.module_nodes.iter().find(|it| it.id == id)
    }

    /// Data that is there already, by the port that reads it.
    fn data_of<'a>(
        &'a self,
        node: &str,
    ) -> BTreeMap<&'a str, &'a BTreeMap<String, serde_json::Value>> {
        let into_node = self.edges.iter().filter(|it| it.destination_input_port.node_id == node);
        into_node
            .filter_map(|edge| {
                let source = &edge.source_output_port.node_id;
                let data = self.dataset_nodes.iter().find(|it| it.id == *source)?;
                Some((edge.destination_input_port.port_name.as_str(), &data.content))
            })
            .collect()
    }
}

impl Node {
    fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.module_parameters.iter().chain(&self.module_metadata_parameters)
    }

    /// Names of the parameters that differ or that one of the two does not have.
    fn differing(&self, other: &Self) -> Vec<String> {
        let names = self.assignments().chain(other.assignments()).map(|it| it.name.as_str());
        let value = |node: &'_ Self, name: &str| {
            node.assignments()
                .find(|it| it.name == name)
                .map(|it| (it.value_type.clone(), it.value.clone()))
        };
        let names: BTreeSet<_> = names.collect();
        let differ = names.into_iter().filter(|it| value(self, it) != value(other, it));
        differ.map(str::to_owned).collect()
    }
}

impl Look {
    /// Nodes of steps that wrote what `node` reads, and were not reused themselves.
    fn written_anew(&self, node: &Node) -> Vec<String> {
        let into_node =
            self.graph.edges.iter().filter(|it| it.destination_input_port.node_id == node.id);
        let sources: BTreeSet<_> =
            into_node.map(|it| it.source_output_port.node_id.as_str()).collect();
        let ran = self.steps.iter().filter(|it| sources.contains(it.node_id.as_str()));
        ran.filter(|it| it.reused_from.is_none()).map(|it| it.node_id.clone()).collect()
    }
}

/// Parameters of the pipeline that `node` uses and that have other values now.
fn other_values(
    node: &Node,
    now: &BTreeMap<String, String>,
    before: &BTreeMap<String, String>,
) -> Vec<String> {
    let used = node
        .assignments()
        .filter(|it| it.value_type == "1" || it.value_type == "GraphParameterName");
    let names: BTreeSet<_> = used.filter_map(|it| it.value.as_deref()).collect();
    let differ = names.into_iter().filter(|it| now.get(*it) != before.get(*it));
    differ.map(str::to_owned).collect()
}

fn other_inputs(node: &Node, old: &Node, now: &Graph, before: &Graph) -> Vec<String> {
    let (now, before) = (now.data_of(&node.id), before.data_of(&old.id));
    let names: BTreeSet<_> = now.keys().chain(before.keys()).copied().collect();
    let differ = names.into_iter().filter(|it| now.get(it) != before.get(it));
    differ.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
