use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DataPath,
    named::{Named, NamedList},
};
use crate::kernel::Refusal;

/// What a pipeline is: steps, data, and what flows where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Graph {
    pub(crate) nodes: NamedList<Node>,
    /// Data source ids by the ids of their nodes.
    pub(crate) datasets: BTreeMap<String, String>,
    /// Ids of saved datasets by the ids of their nodes.
    #[serde(default)]
    pub(crate) saved_datasets: BTreeMap<String, String>,
    /// Nodes of data that a parameter names: its name by the id of the node.
    pub(crate) data_path_nodes: BTreeMap<String, String>,
    pub(crate) edges: Edges,
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

/// What flows where, by where it flows to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Edge>")]
pub(crate) struct Edges(Vec<Edge>);

impl From<Vec<Edge>> for Edges {
    fn from(mut all: Vec<Edge>) -> Self {
        // Those of one node stay in the order in which they were sent.
        all.sort_by(|one, other| one.to.0.cmp(&other.to.0));
        Self(all)
    }
}

impl Edges {
    /// Those that end at a node.
    pub(super) fn ending_at(&self, id: &str) -> &[Edge] {
        let begin = self.0.partition_point(|it| it.to.0.as_str() < id);
        let length = self.0[begin..].partition_point(|it| it.to.0 == id);
        &self.0[begin..begin + length]
    }
}

impl Named for Node {
    fn key(&self) -> &str {
        &self.id
    }
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
        self.nodes.named(id)
    }

    fn is_data(&self, id: &str) -> bool {
        self.datasets.contains_key(id)
            || self.saved_datasets.contains_key(id)
            || self.data_path_nodes.contains_key(id)
    }

    /// Data that flow into a node: not what merely says that it has to wait.
    pub(super) fn inputs(&self, node_id: &str) -> impl Iterator<Item = &Edge> {
        self.edges.ending_at(node_id).iter().filter(|it| !it.is_mere_order())
    }

    /// Ids of the module nodes from which an edge leads to `node_id`.
    pub(super) fn before(&self, node_id: &str) -> Vec<String> {
        let sources = self.edges.ending_at(node_id).iter().map(|it| &it.from.0);
        let sources: BTreeSet<&String> =
            sources.filter(|it| self.nodes.place(it).is_some()).collect();
        sources.into_iter().cloned().collect()
    }

    /// Refuses a graph that can never end: an edge from nowhere, or a cycle.
    pub(in super::super) fn check(&self) -> Result<(), Refusal> {
        if self.nodes.has_namesakes() {
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
            if self.node(node).is_none() {
                return Err(Refusal::invalid(format!(
                    "output '{name}' of the pipeline comes from {node}, which is no module node"
                )));
            }
        }
        for edge in &self.edges.0 {
            let from = edge.from.0.as_str();
            if self.node(from).is_none() && !self.is_data(from) {
                let text = format!("an edge begins at {from}, which is no node");
                return Err(Refusal::invalid(text));
            }
            if self.node(&edge.to.0).is_none() {
                let text = format!("an edge ends at {}, which is no module node", edge.to.0);
                return Err(Refusal::invalid(text));
            }
        }
        self.check_order()
    }

    /// Takes away what waits for nothing until nothing is left.
    fn check_order(&self) -> Result<(), Refusal> {
        let between: Vec<(usize, usize)> = self
            .edges
            .0
            .iter()
            .filter_map(|it| Some((self.nodes.place(&it.from.0)?, self.nodes.place(&it.to.0)?)))
            .collect();
        let mut waits = vec![0_usize; self.nodes.len()];
        let mut followers = vec![Vec::new(); self.nodes.len()];
        for (from, to) in between {
            waits[to] += 1;
            followers[from].push(to);
        }
        let mut free: Vec<usize> = (0..waits.len()).filter(|it| waits[*it] == 0).collect();
        let mut taken = 0;
        while let Some(node) = free.pop() {
            taken += 1;
            for follower in &followers[node] {
                waits[*follower] -= 1;
                if waits[*follower] == 0 {
                    free.push(*follower);
                }
            }
        }
        if taken < self.nodes.len() {
            return Err(Refusal::invalid("the graph has a cycle"));
        }
        Ok(())
    }
}
