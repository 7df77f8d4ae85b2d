//! From a valid pipeline to the bodies that submit it. Pure: ids and contents
//! of folders come from outside.

mod module;
mod order;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use sha2::{Digest, Sha256};

pub(crate) use self::module::PlannedModule;
use self::order::{Names, Visit};
use crate::{
    DataName, DataPathParameter, DataReference, FileDataset, InputSource, ParameterValue, Pipeline,
    PipelineParameter,
    step::{self, StepValue},
    wire,
};

/// Stands for "no folder" in an identifier hash.
pub(crate) const NO_CONTENT: &str = "00000000000000000000000000000000";
const RUN_AFTER_OUTPUT: &str = "_run_after_output";

/// The port by which a step waits for another one.
fn run_after_input(number: usize) -> Cow<'static, str> {
    match number {
        0 => "_run_after_input_0".into(),
        _ => format!("_run_after_input_{number}").into(),
    }
}

/// What must exist before a pipeline can be submitted, and how it is connected.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    /// One per step, in the order of the graph's nodes.
    pub(crate) modules: Vec<PlannedModule<'a>>,
    /// One per use of data that is there already.
    pub(crate) sources: Vec<PlannedSource>,
    edges: Vec<wire::Edge<'a>>,
    interface: wire::GraphInterface,
}

#[derive(Debug)]
pub(crate) struct PlannedSource {
    node_id: String,
    pub(crate) body: SourceBody,
}

/// What has to be made for data that is there already.
#[derive(Debug)]
pub(crate) enum SourceBody {
    DataSource(wire::DataSource),
    Dataset(FileDataset),
    /// Nothing: the graph names the parameter.
    DataPath(String),
}

impl SourceBody {
    /// Equal for what one record serves.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::DataSource(it) => format!("source {}", it.identifier_hash),
            Self::Dataset(it) => format!("dataset {:?} {}", it.datastore, it.path),
            Self::DataPath(name) => format!("path {name}"),
        }
    }
}

/// What a submission adds to the definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    pub(crate) description: String,
    pub(crate) assignments: BTreeMap<String, String>,
    pub(crate) data_paths: BTreeMap<String, wire::DataPath>,
    pub(crate) regenerate_outputs: bool,
}

impl<'a> Plan<'a> {
    /// Plans `pipeline`, which must be valid.
    ///
    /// `contents` has the content hash of each step's folder, `None` for steps
    /// without one. `next_node_id` gives the nodes their names: first those of steps,
    /// then those of data.
    pub(crate) fn new(
        pipeline: &'a Pipeline,
        default_datastore: &'a str,
        contents: &[Option<String>],
        mut next_node_id: impl FnMut() -> String,
    ) -> Self {
        let names = Names::new(pipeline);
        let visits = order::visits(pipeline, &names);
        let order: Vec<usize> = visits
            .iter()
            .filter_map(|it| match it {
                Visit::Step(step) => Some(*step),
                Visit::Source { .. } => None,
            })
            .collect();
        let mut node_ids = vec![String::new(); pipeline.steps.len()];
        for &step in &order {
            node_ids[step] = next_node_id();
        }
        let (mut sources, mut source_ids) = (Vec::new(), HashMap::new());
        for visit in &visits {
            if let Visit::Source { step, input } = *visit
                && let source = &pipeline.steps[step].inputs[input].source
                && let Some(body) = source_body(source, default_datastore)
            {
                let node_id = next_node_id();
                source_ids.insert((step, input), node_id.clone());
                sources.push(PlannedSource { node_id, body });
            }
        }

        let mut modules = Vec::with_capacity(order.len());
        let mut used = Parameters::default();
        for &index in &order {
            let step = &pipeline.steps[index];
            let parameters = step::parameters(step, pipeline);
            for parameter in &parameters {
                if let StepValue::Parameter(it) = &parameter.value {
                    used.add(it);
                }
            }
            modules.push(PlannedModule::new(
                index,
                step,
                node_ids[index].clone(),
                &parameters,
                default_datastore,
                contents.get(index).cloned().flatten(),
            ));
        }
        let edges = Edges { pipeline, names: &names, node_ids: &node_ids, source_ids: &source_ids };
        let interface = wire::GraphInterface {
            parameters: used.list.iter().map(graph_parameter).collect(),
            data_path_parameters: data_path_parameters(pipeline, &visits, default_datastore),
            data_path_parameter_list: Vec::new(),
        };
        Self { modules, sources, edges: edges.all(&order), interface }
    }

    /// The submission, once the service has named modules and data (in the order of
    /// [`modules`](Self::modules) and [`sources`](Self::sources)).
    pub(crate) fn submission<'b>(
        &'b self,
        continue_on_step_failure: bool,
        choices: &Choices,
        module_ids: &'b [String],
        source_ids: &[String],
    ) -> wire::Submission<'b> {
        wire::Submission {
            creation_info: wire::CreationInfo {
                description: choices.description.clone(),
                continue_experiment_on_node_failure: continue_on_step_failure,
                parameter_assignments: choices.assignments.clone(),
                data_path_assignments: choices.data_paths.clone(),
                data_set_definition_value_assignments: BTreeMap::new(),
                run_source: "SDK",
                run_type: "SDK",
                credential_passthrough: false,
            },
            graph: self.graph(choices.regenerate_outputs, module_ids, source_ids),
            graph_interface: &self.interface,
        }
    }

    /// Chosen paths as the service takes them. `chosen` without a datastore is in the
    /// one of the parameter's default.
    pub(crate) fn data_paths(
        &self,
        chosen: &BTreeMap<DataName, DataPathParameter>,
    ) -> BTreeMap<String, wire::DataPath> {
        let defaults = self.interface.data_path_parameters.iter();
        let paths = defaults.filter_map(|it| {
            let chosen = chosen.get(&DataName::new(it.name.as_str()))?;
            let datastore = chosen.datastore.as_ref().unwrap_or(&it.default_value.data_store_name);
            let path = wire::DataPath {
                data_store_name: datastore.clone(),
                relative_path: chosen.path.clone(),
            };
            Some((it.name.clone(), path))
        });
        paths.collect()
    }

    /// What can be chosen when the graph is run.
    pub(crate) fn interface(&self) -> &wire::GraphInterface {
        &self.interface
    }

    /// The graph, once the service has named modules and data.
    pub(crate) fn graph<'b>(
        &'b self,
        regenerate_outputs: bool,
        module_ids: &'b [String],
        source_ids: &[String],
    ) -> wire::Graph<'b> {
        let nodes = self.modules.iter().zip(module_ids);
        let module_nodes = nodes.map(|(module, module_id)| wire::ModuleNode {
            id: &module.node_id,
            module_id,
            module_parameters: &module.parameters,
            module_metadata_parameters: &module.metadata,
            module_output_settings: &module.outputs,
            module_input_settings: &module.inputs,
            regenerate_output: regenerate_outputs,
        });
        let sources = self.sources.iter().zip(source_ids);
        let dataset_nodes = sources.map(|(source, source_id)| wire::DatasetNode {
            id: source.node_id.clone(),
            content: match &source.body {
                SourceBody::DataSource(_) => {
                    wire::DatasetContent::DataSource { dataset_id: source_id.clone() }
                }
                SourceBody::Dataset(_) => wire::DatasetContent::saved_dataset(source_id),
                SourceBody::DataPath(name) => {
                    wire::DatasetContent::Parameter { data_path_parameter_name: name.clone() }
                }
            },
        });
        wire::Graph {
            module_nodes: module_nodes.collect(),
            dataset_nodes: dataset_nodes.collect(),
            edges: &self.edges,
        }
    }
}

/// The wires of a graph, node by node: each node's inputs in their order, those that
/// only keep an order last. What leaves the pipeline comes before all of them.
struct Edges<'a, 'b> {
    pipeline: &'a Pipeline,
    names: &'b Names<'a>,
    node_ids: &'b [String],
    source_ids: &'b HashMap<(usize, usize), String>,
}

impl<'a> Edges<'a, '_> {
    fn all(&self, order: &[usize]) -> Vec<wire::Edge<'a>> {
        let mut edges = Vec::new();
        for &index in order {
            for output in &self.pipeline.steps[index].outputs {
                if let Some(name) = &output.pipeline_output_name {
                    let port = self.port(index, output.output_name().as_str());
                    let destination = wire::Port::Graph { graph_port_name: name };
                    edges.push(wire::Edge {
                        source_output_port: port,
                        destination_input_port: destination,
                    });
                }
            }
        }
        for &index in order {
            self.wires_to(index, &mut edges);
        }
        edges
    }

    fn wires_to(&self, index: usize, edges: &mut Vec<wire::Edge<'a>>) {
        let step = &self.pipeline.steps[index];
        for (number, input) in step.inputs.iter().enumerate() {
            let source = if let Some(id) = self.source_ids.get(&(index, number)) {
                wire::Port::node(id, "data")
            } else if let Some(&(producer, output)) =
                self.names.producers.get(input.data_name().as_str())
            {
                let output = &self.pipeline.steps[producer].outputs[output];
                self.port(producer, output.output_name().as_str())
            } else {
                continue;
            };
            edges.push(wire::Edge {
                source_output_port: source,
                destination_input_port: self.port(index, input.name().as_str()),
            });
        }
        for (number, earlier) in step.run_after.iter().enumerate() {
            if let Some(&earlier) = self.names.steps.get(earlier.as_str()) {
                edges.push(wire::Edge {
                    source_output_port: self.port(earlier, RUN_AFTER_OUTPUT),
                    destination_input_port: self.port(index, run_after_input(number)),
                });
            }
        }
    }

    fn port(&self, step: usize, name: impl Into<Cow<'a, str>>) -> wire::Port<'a> {
        wire::Port::node(&self.node_ids[step], name)
    }
}

/// Parameters of the pipeline that steps use, each once.
#[derive(Default)]
struct Parameters {
    list: Vec<PipelineParameter>,
    seen: HashSet<String>,
}

impl Parameters {
    fn add(&mut self, parameter: &PipelineParameter) {
        if self.seen.insert(parameter.name.to_string()) {
            self.list.push(parameter.clone());
        }
    }
}

fn source_body(source: &InputSource, default_datastore: &str) -> Option<SourceBody> {
    Some(match source {
        InputSource::Data(_) => return None,
        InputSource::Reference(it) => SourceBody::DataSource(data_source(it, default_datastore)),
        InputSource::Dataset(it) => {
            let datastore = it.datastore.clone().unwrap_or_else(|| default_datastore.to_owned());
            SourceBody::Dataset(FileDataset { datastore: Some(datastore), ..it.clone() })
        }
        InputSource::DataPath(it) => SourceBody::DataPath(it.name.to_string()),
    })
}

fn data_source(reference: &DataReference, default_datastore: &str) -> wire::DataSource {
    let name = reference.name.as_str();
    let datastore = reference.datastore.as_deref().unwrap_or(default_datastore);
    wire::DataSource {
        name: name.to_owned(),
        data_store_name: datastore.to_owned(),
        path_on_data_store: reference.path.clone(),
        identifier_hash: sha256(&format!("{name}_{datastore}_{}", reference.path)),
    }
}

fn data_path_parameters(
    pipeline: &Pipeline,
    visits: &[Visit],
    default_datastore: &str,
) -> Vec<wire::DataPathParameter> {
    let mut seen = HashSet::new();
    let used = visits.iter().filter_map(|visit| match *visit {
        Visit::Source { step, input } => match &pipeline.steps[step].inputs[input].source {
            InputSource::DataPath(it) => Some(it),
            _ => None,
        },
        Visit::Step(_) => None,
    });
    used.filter(|it| seen.insert(it.name.as_str()))
        .map(|DataPathParameter { name, datastore, path, .. }| wire::DataPathParameter {
            name: name.to_string(),
            default_value: wire::DataPath {
                data_store_name: datastore.as_deref().unwrap_or(default_datastore).to_owned(),
                relative_path: path.clone(),
            },
            is_optional: true,
            data_type_id: "AnyFile",
        })
        .collect()
}

fn graph_parameter(parameter: &PipelineParameter) -> wire::GraphParameter {
    // The official SDK asks for `int` first, which a Python `bool` is too.
    let parameter_type = match parameter.default {
        ParameterValue::Integer(_) | ParameterValue::Boolean(_) => "0",
        ParameterValue::Float(_) => "1",
        ParameterValue::Text(_) => "3",
    };
    wire::GraphParameter {
        name: parameter.name.to_string(),
        default_value: parameter.default.to_string(),
        is_optional: true,
        parameter_type,
    }
}

pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests;
