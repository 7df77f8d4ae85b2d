use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::DataPath;
use crate::kernel::Refusal;

/// What a pipeline is: steps, data, and what flows where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    /// Data source ids by the ids of their nodes.
    pub(crate) datasets: BTreeMap<String, String>,
    /// Nodes of data that a parameter names: its name by the id of the node.
    pub(crate) data_path_nodes: BTreeMap<String, String>,
    pub(crate) edges: Vec<Edge>,
    /// What the pipeline as a whole gives, by name: the port of a step.
    pub(crate) outputs: BTreeMap<String, (String, String)>,
    /// Defaults of the pipeline parameters.
    pub(crate) defaults: BTreeMap<String, String>,
    /// Defaults of the parameters that name data.
    pub(crate) data_paths: BTreeMap<String, DataPath>,
    /// The body and the interface as they were sent, for those who ask for the graph.
    pub(crate) body: Value,
    pub(crate) interface: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) module_id: String,
    pub(crate) parameters: Vec<Assigned>,
    pub(crate) metadata: Vec<Assigned>,
    /// Names of the outputs with the datastores that take them.
    pub(crate) outputs: Vec<(String, Option<String>)>,
    /// Whether it is executed even if an earlier step has done the same.
    pub(crate) regenerates: bool,
}

/// A parameter of a module and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Assigned {
    pub(crate) name: String,
    pub(crate) binding: Binding,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Binding {
    Literal(String),
    /// The pipeline parameter of this name.
    Parameter(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) from: (String, String),
    pub(crate) to: (String, String),
}

impl Node {
    /// The literal or assigned value of a parameter of either kind.
    pub(super) fn value<'a>(
        &'a self,
        name: &str,
        assigned: &'a BTreeMap<String, String>,
    ) -> Option<&'a str> {
        let all = self.parameters.iter().chain(&self.metadata);
        let found = all.into_iter().find(|it| it.name == name)?;
        match &found.binding {
            Binding::Literal(text) => Some(text),
            Binding::Parameter(name) => assigned.get(name).map(String::as_str),
        }
    }
}

impl Edge {
    /// Whether nothing flows here: one step is to wait for another.
    pub(super) fn is_mere_order(&self) -> bool {
        self.to.1.starts_with("_run_after_")
    }
}

impl Graph {
    pub(in super::super) fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.iter().find(|it| it.id == id)
    }

    fn is_data(&self, id: &str) -> bool {
        self.datasets.contains_key(id) || self.data_path_nodes.contains_key(id)
    }

    /// Ids of the module nodes from which an edge leads to `node_id`.
    pub(super) fn before(&self, node_id: &str) -> Vec<String> {
        let sources = self.edges.iter().filter(|it| it.to.0 == node_id).map(|it| &it.from.0);
        let sources: BTreeSet<&String> =
            sources.filter(|it| self.nodes.iter().any(|node| node.id == **it)).collect();
        sources.into_iter().cloned().collect()
    }

    /// Refuses a graph that can never end: an edge from nowhere, or a cycle.
    pub(in super::super) fn check(&self) -> Result<(), Refusal> {
        let known: BTreeSet<&str> = self.nodes.iter().map(|it| it.id.as_str()).collect();
        if known.len() < self.nodes.len() {
            return Err(Refusal::invalid("two module nodes have the same Id"));
        }
        for (node, name) in &self.data_path_nodes {
            if !self.data_paths.contains_key(name) {
                return Err(Refusal::invalid(format!(
                    "node {node} takes '{name}', which is no data path parameter of the pipeline"
                )));
            }
        }
        for (name, (node, _)) in &self.outputs {
            if !known.contains(node.as_str()) {
                return Err(Refusal::invalid(format!(
                    "output '{name}' of the pipeline comes from {node}, which is no module node"
                )));
            }
        }
        for edge in &self.edges {
            let from = edge.from.0.as_str();
            if !known.contains(from) && !self.is_data(from) {
                return Err(Refusal::invalid(format!(
                    "an edge begins at {from}, which is no node"
                )));
            }
            if !known.contains(edge.to.0.as_str()) {
                let text = format!("an edge ends at {}, which is no module node", edge.to.0);
                return Err(Refusal::invalid(text));
            }
        }
        let mut done = BTreeSet::new();
        while done.len() < self.nodes.len() {
            let ready: Vec<&str> = self
                .nodes
                .iter()
                .map(|it| it.id.as_str())
                .filter(|it| !done.contains(it))
                .filter(|it| self.before(it).iter().all(|it| done.contains(it.as_str())))
                .collect();
            if ready.is_empty() {
                return Err(Refusal::invalid("the graph has a cycle"));
            }
            done.extend(ready);
        }
        Ok(())
    }
}
