//! Requests of the pipelines service, as azureml-pipeline 1.62 was seen to send them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::state::{Assigned, Binding, DataPath, Edge, Graph, NewPublished, NewRun, Node};
use crate::kernel::Refusal;

/// Takes `null` for an empty value: clients write either.
fn or_default<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in super::super) struct CreationBody {
    pub(in super::super) creation_info: SubmissionBody,
    graph: GraphBody,
    #[serde(default, deserialize_with = "or_default")]
    graph_interface: InterfaceBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in super::super) struct PublicationBody {
    #[serde(default)]
    name: Option<String>,
    description: Option<String>,
    version: Option<String>,
    graph: GraphBody,
    #[serde(default, deserialize_with = "or_default")]
    graph_interface: InterfaceBody,
    #[serde(default, deserialize_with = "or_default")]
    continue_run_on_step_failure: bool,
    #[serde(default, deserialize_with = "or_default")]
    parameter_assignments: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "or_default")]
    properties: BTreeMap<String, Value>,
}

/// What is said of a run: with a graph, or of a published pipeline.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(in super::super) struct SubmissionBody {
    pub(in super::super) experiment_name: Option<String>,
    description: Option<String>,
    run_source: Option<String>,
    run_type: Option<String>,
    #[serde(deserialize_with = "or_default")]
    continue_experiment_on_node_failure: bool,
    #[serde(deserialize_with = "or_default")]
    continue_run_on_step_failure: bool,
    #[serde(deserialize_with = "or_default")]
    parameter_assignments: BTreeMap<String, Value>,
    #[serde(deserialize_with = "or_default")]
    data_path_assignments: BTreeMap<String, DataPathBody>,
    #[serde(rename = "tags", alias = "Tags", deserialize_with = "or_default")]
    tags: BTreeMap<String, Value>,
    #[serde(deserialize_with = "or_default")]
    properties: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct DataPathBody {
    data_store_name: Option<String>,
    relative_path: Option<String>,
}

impl From<DataPathBody> for DataPath {
    fn from(it: DataPathBody) -> Self {
        Self {
            datastore: it.data_store_name.unwrap_or_default(),
            path: it.relative_path.unwrap_or_default(),
        }
    }
}

fn texts(values: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    values.into_iter().map(|(key, value)| (key, text(&value))).collect()
}

impl SubmissionBody {
    pub(in super::super) fn into_new(
        self,
        experiment: String,
        parent_run_id: Option<String>,
    ) -> NewRun {
        NewRun {
            experiment,
            description: self.description,
            assigned: texts(self.parameter_assignments),
            data_paths: self
                .data_path_assignments
                .into_iter()
                .map(|(key, it)| (key, it.into()))
                .collect(),
            continues_on_failure: self.continue_experiment_on_node_failure
                || self.continue_run_on_step_failure,
            pipeline_id: None,
            parent_run_id,
            source: self.run_source,
            kind: self.run_type,
            tags: texts(self.tags),
            properties: texts(self.properties),
        }
    }
}

impl PublicationBody {
    /// What is published; `sent` is the body that it was read from.
    pub(in super::super) fn into_new(self, sent: &Value) -> Result<(NewPublished, Graph), Refusal> {
        let mut graph = into_graph(self.graph, self.graph_interface, sent);
        for (name, value) in texts(self.parameter_assignments) {
            let known = graph.defaults.get_mut(&name);
            let missing = || Refusal::invalid(format!("'{name}' is no parameter of the pipeline"));
            *known.ok_or_else(missing)? = value;
        }
        let new = NewPublished {
            name: self.name.unwrap_or_default(),
            description: self.description,
            version: self.version,
            continues_on_failure: self.continue_run_on_step_failure,
            properties: texts(self.properties),
        };
        Ok((new, graph))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GraphBody {
    #[serde(default, deserialize_with = "or_default")]
    module_nodes: Vec<NodeBody>,
    #[serde(default, deserialize_with = "or_default")]
    dataset_nodes: Vec<DatasetNodeBody>,
    #[serde(default, deserialize_with = "or_default")]
    edges: Vec<EdgeBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NodeBody {
    id: String,
    module_id: String,
    #[serde(default, deserialize_with = "or_default")]
    module_parameters: Vec<ParameterBody>,
    #[serde(default, deserialize_with = "or_default")]
    module_metadata_parameters: Vec<ParameterBody>,
    #[serde(default, deserialize_with = "or_default")]
    module_output_settings: Vec<OutputBody>,
    #[serde(default, deserialize_with = "or_default")]
    regenerate_output: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ParameterBody {
    name: String,
    #[serde(default)]
    value_type: Value,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputBody {
    name: String,
    data_store_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DatasetNodeBody {
    id: String,
    dataset_id: Option<String>,
    data_path_parameter_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    data_set_definition: DefinitionBody,
}

/// A dataset that is no data source.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DefinitionBody {
    #[serde(deserialize_with = "or_default")]
    value: DefinitionValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DefinitionValue {
    saved_data_set_reference: Option<SavedBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SavedBody {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EdgeBody {
    source_output_port: PortBody,
    destination_input_port: DestinationBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortBody {
    node_id: String,
    port_name: String,
}

/// An input of a step, or an output of the whole pipeline.
#[derive(Deserialize)]
#[serde(untagged)]
enum DestinationBody {
    Step(PortBody),
    Pipeline {
        #[serde(rename = "GraphPortName")]
        name: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InterfaceBody {
    #[serde(deserialize_with = "or_default")]
    parameters: Vec<InterfaceParameter>,
    #[serde(deserialize_with = "or_default")]
    data_path_parameters: Vec<InterfaceDataPath>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InterfaceDataPath {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    default_value: DataPathBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InterfaceParameter {
    name: String,
    #[serde(default)]
    default_value: Value,
}

/// A value as the text that it is on the wire anyway.
pub(in super::super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl ParameterBody {
    fn into_assigned(self) -> Assigned {
        let value = if self.value.is_null() { String::new() } else { text(&self.value) };
        let is_parameter = matches!(text(&self.value_type).as_str(), "1" | "GraphParameterName");
        let binding =
            if is_parameter { Binding::Parameter(value) } else { Binding::Literal(value) };
        Assigned { name: self.name, binding }
    }
}

impl PortBody {
    fn into_pair(self) -> (String, String) {
        (self.node_id, self.port_name)
    }
}

impl CreationBody {
    /// What is said of the run, and its graph; `sent` is the body that both
    /// were read from.
    pub(in super::super) fn into_parts(self, sent: &Value) -> (SubmissionBody, Graph) {
        (self.creation_info, into_graph(self.graph, self.graph_interface, sent))
    }
}

fn into_graph(graph: GraphBody, interface: InterfaceBody, sent: &Value) -> Graph {
    let assigned =
        |them: Vec<ParameterBody>| them.into_iter().map(ParameterBody::into_assigned).collect();
    let node = |it: NodeBody| Node {
        id: it.id,
        module_id: it.module_id,
        parameters: assigned(it.module_parameters),
        metadata: assigned(it.module_metadata_parameters),
        outputs: it
            .module_output_settings
            .into_iter()
            .map(|it| (it.name, it.data_store_name))
            .collect(),
        regenerates: it.regenerate_output,
    };
    let (mut edges, mut outputs) = (Vec::new(), BTreeMap::new());
    for it in graph.edges {
        let from = it.source_output_port.into_pair();
        match it.destination_input_port {
            DestinationBody::Step(port) => edges.push(Edge { from, to: port.into_pair() }),
            DestinationBody::Pipeline { name } => drop(outputs.insert(name, from)),
        }
    }
    let (mut datasets, mut data_path_nodes) = (BTreeMap::new(), BTreeMap::new());
    let mut saved_datasets = BTreeMap::new();
    for it in graph.dataset_nodes {
        match (it.data_path_parameter_name, it.data_set_definition.value.saved_data_set_reference) {
            (Some(name), _) => data_path_nodes.insert(it.id, name),
            (None, Some(saved)) => saved_datasets.insert(it.id, saved.id),
            (None, None) => datasets.insert(it.id, it.dataset_id.unwrap_or_default()),
        };
    }
    let defaults = interface.parameters.into_iter();
    let data_paths = interface.data_path_parameters.into_iter();
    Graph {
        nodes: graph.module_nodes.into_iter().map(node).collect::<Vec<_>>().into(),
        datasets,
        saved_datasets,
        data_path_nodes,
        edges: edges.into(),
        outputs,
        defaults: defaults.map(|it| (it.name, text(&it.default_value))).collect(),
        data_paths: data_paths.map(|it| (it.name, it.default_value.into())).collect(),
        body: sent["Graph"].clone(),
        interface: sent["GraphInterface"].clone(),
    }
}
