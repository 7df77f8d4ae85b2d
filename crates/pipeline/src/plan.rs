//! From a valid pipeline to the bodies that submit it. Pure: ids and contents
//! of folders come from outside.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};

use crate::{
    DataReference, DatabricksStep, ParameterValue, Pipeline, PipelineParameter, StepInput,
    step::{self, StepParameter, StepValue},
    wire,
};

/// Stands for "no folder" in an identifier hash.
pub(crate) const NO_CONTENT: &str = "00000000000000000000000000000000";
const EXECUTION: &str = "databrickscloud";
const MOUNT: &str = "mount";
const RUN_AFTER_OUTPUT: &str = "_run_after_output";

/// What must exist before a pipeline can be submitted, and how it is connected.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One per step, in the pipeline's order.
    pub(crate) modules: Vec<PlannedModule>,
    /// One per use of a data reference.
    pub(crate) sources: Vec<PlannedSource>,
    edges: Vec<wire::Edge>,
    interface: wire::GraphInterface,
}

#[derive(Debug)]
pub(crate) struct PlannedModule {
    node_id: String,
    pub(crate) body: wire::Module,
    parameters: Vec<wire::Assignment>,
    metadata: Vec<wire::Assignment>,
    outputs: Vec<wire::OutputSetting>,
}

#[derive(Debug)]
pub(crate) struct PlannedSource {
    node_id: String,
    pub(crate) body: wire::DataSource,
}

/// What a submission adds to the definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choices {
    pub(crate) description: String,
    pub(crate) assignments: BTreeMap<String, String>,
    pub(crate) regenerate_outputs: bool,
}

impl Plan {
    /// Plans `pipeline`, which must be valid.
    ///
    /// `contents` has the content hash of each step's folder, `None` for steps
    /// without one. `next_node_id` gives the nodes their names.
    pub(crate) fn new(
        pipeline: &Pipeline,
        default_datastore: &str,
        contents: &[Option<String>],
        mut next_node_id: impl FnMut() -> String,
    ) -> Self {
        let node_ids: Vec<_> = pipeline.steps.iter().map(|_| next_node_id()).collect();
        let mut producers = HashMap::new();
        let mut by_name = HashMap::new();
        for (step, node_id) in pipeline.steps.iter().zip(&node_ids) {
            by_name.insert(step.name.as_str(), node_id);
            for output in &step.outputs {
                producers.insert(output.name.as_str(), node_id);
            }
        }
        let (mut sources, mut edges, mut used) = (Vec::new(), Vec::new(), Vec::new());
        let mut modules = Vec::with_capacity(pipeline.steps.len());
        for (index, step) in pipeline.steps.iter().enumerate() {
            let node_id = &node_ids[index];
            for input in &step.inputs {
                let name = input.name().as_str();
                match input {
                    StepInput::Data(data) => {
                        if let Some(&producer) = producers.get(data.name.as_str()) {
                            edges.push(edge(producer, name, node_id, name));
                        }
                    }
                    StepInput::Reference(reference) => {
                        let source_id = next_node_id();
                        edges.push(edge(&source_id, "data", node_id, name));
                        let body = data_source(reference, default_datastore);
                        sources.push(PlannedSource { node_id: source_id, body });
                    }
                }
            }
            for (number, earlier) in step.run_after.iter().enumerate() {
                if let Some(&earlier) = by_name.get(earlier.as_str()) {
                    let port = format!("_run_after_input_{number}");
                    edges.push(edge(earlier, RUN_AFTER_OUTPUT, node_id, &port));
                }
            }
            let parameters = step::parameters(step, pipeline);
            for parameter in &parameters {
                if let StepValue::Parameter(it) = &parameter.value
                    && !used.contains(it)
                {
                    used.push(it.clone());
                }
            }
            let content = contents.get(index).cloned().flatten();
            modules.push(PlannedModule::new(
                step,
                node_id.clone(),
                &parameters,
                default_datastore,
                content,
            ));
        }
        let parameters = used.iter().map(graph_parameter).collect();
        let interface = wire::GraphInterface { parameters, ..wire::GraphInterface::default() };
        Self { modules, sources, edges, interface }
    }

    /// The submission, once the service has named modules and data sources (in
    /// the order of [`modules`](Self::modules) and [`sources`](Self::sources)).
    pub(crate) fn submission(
        &self,
        continue_on_step_failure: bool,
        choices: &Choices,
        module_ids: &[String],
        source_ids: &[String],
    ) -> wire::Submission {
        let module_nodes = self
            .modules
            .iter()
            .zip(module_ids)
            .map(|(module, module_id)| wire::ModuleNode {
                id: module.node_id.clone(),
                module_id: module_id.clone(),
                module_parameters: module.parameters.clone(),
                module_metadata_parameters: module.metadata.clone(),
                module_output_settings: module.outputs.clone(),
                module_input_settings: Vec::new(),
                regenerate_output: choices.regenerate_outputs,
            })
            .collect();
        let dataset_nodes = self
            .sources
            .iter()
            .zip(source_ids)
            .map(|(source, dataset_id)| wire::DatasetNode {
                id: source.node_id.clone(),
                dataset_id: dataset_id.clone(),
            })
            .collect();
        wire::Submission {
            creation_info: wire::CreationInfo {
                description: choices.description.clone(),
                continue_experiment_on_node_failure: continue_on_step_failure,
                parameter_assignments: choices.assignments.clone(),
                data_path_assignments: BTreeMap::new(),
                data_set_definition_value_assignments: BTreeMap::new(),
                run_source: "SDK",
                run_type: "SDK",
                credential_passthrough: false,
            },
            graph: wire::Graph { module_nodes, dataset_nodes, edges: self.edges.clone() },
            graph_interface: self.interface.clone(),
        }
    }
}

impl PlannedModule {
    fn new(
        step: &DatabricksStep,
        node_id: String,
        parameters: &[StepParameter],
        default_datastore: &str,
        content: Option<String>,
    ) -> Self {
        let interface = structured_interface(step, parameters, default_datastore);
        let definition = definition_hash(step, &interface, parameters);
        let is_interface_only = content.is_none();
        let content = content.unwrap_or_else(|| NO_CONTENT.to_owned());
        let outputs = interface
            .outputs
            .iter()
            .filter_map(|port| {
                Some(wire::OutputSetting {
                    name: port.name.clone(),
                    data_store_name: port.data_store_name.clone()?,
                    data_store_mode: MOUNT,
                    data_reference_name: port.data_reference_name.clone(),
                })
            })
            .collect();
        let (metadata, code): (Vec<_>, Vec<_>) = parameters.iter().partition(|it| it.metadata);
        let body = wire::Module {
            name: step.name.to_string(),
            description: step.name.to_string(),
            is_deterministic: step.allow_reuse,
            execution_type: EXECUTION,
            identifier_hash: format!("{definition}_{content}"),
            structured_interface: interface,
            storage_id: None,
            is_interface_only,
            properties: BTreeMap::new(),
            step_type: "DatabricksStep",
        };
        Self {
            node_id,
            body,
            parameters: code.into_iter().map(assignment).collect(),
            metadata: metadata.into_iter().map(assignment).collect(),
            outputs,
        }
    }
}

fn structured_interface(
    step: &DatabricksStep,
    parameters: &[StepParameter],
    default_datastore: &str,
) -> wire::StructuredInterface {
    let data = step.inputs.iter().map(|input| {
        let name = input.name().to_string();
        wire::InputPort {
            label: Some(name.clone()),
            data_type_ids_list: vec!["AnyFile", "AnyDirectory"],
            is_optional: false,
            skip_processing: false,
            is_resource: false,
            data_store_mode: Some(MOUNT),
            overwrite: matches!(input, StepInput::Reference(_)).then_some(false),
            data_reference_name: Some(name.clone()),
            name,
        }
    });
    let order = (0..step.run_after.len()).map(|number| wire::InputPort {
        name: format!("_run_after_input_{number}"),
        label: None,
        data_type_ids_list: vec!["AnyFile"],
        is_optional: true,
        skip_processing: true,
        is_resource: false,
        data_store_mode: None,
        overwrite: None,
        data_reference_name: None,
    });
    let outputs = step.outputs.iter().map(|output| {
        let name = output.name.to_string();
        let datastore = output.datastore.as_deref().unwrap_or(default_datastore);
        wire::OutputPort {
            label: Some(name.clone()),
            data_type_id: if output.is_directory { "AnyDirectory" } else { "AnyFile" },
            skip_processing: false,
            data_store_name: Some(datastore.to_owned()),
            data_store_mode: Some(MOUNT),
            data_reference_name: name.clone(),
            name,
        }
    });
    let run_after_output = wire::OutputPort {
        name: RUN_AFTER_OUTPUT.to_owned(),
        label: None,
        data_type_id: "AnyFile",
        skip_processing: true,
        data_store_name: None,
        data_store_mode: None,
        data_reference_name: RUN_AFTER_OUTPUT.to_owned(),
    };
    let (metadata, code): (Vec<_>, Vec<_>) = parameters.iter().partition(|it| it.metadata);
    wire::StructuredInterface {
        command_line_pattern: "",
        inputs: data.chain(order).collect(),
        outputs: outputs.chain([run_after_output]).collect(),
        parameters: code.into_iter().map(module_parameter).collect(),
        metadata_parameters: metadata.into_iter().map(module_parameter).collect(),
    }
}

/// Hash of everything that defines the module but the files of its folder.
fn definition_hash(
    step: &DatabricksStep,
    interface: &wire::StructuredInterface,
    parameters: &[StepParameter],
) -> String {
    let mut names = vec![
        format!("name_{}", step.name),
        format!("deterministic_{}", ParameterValue::from(step.allow_reuse)),
        format!("execution_{EXECUTION}"),
    ];
    names.extend(step.version.iter().map(|it| format!("version_{it}")));
    for port in &interface.inputs {
        let mode = port.data_store_mode.map(|it| format!(",ds_mode_{it}")).unwrap_or_default();
        let types = port.data_type_ids_list.join(",");
        names.push(format!("input_{}{mode},datatypes_{types}", port.name));
    }
    for port in &interface.outputs {
        let store = port.data_store_name.as_ref().map(|it| format!(",ds_name_{it}"));
        let mode = port.data_store_mode.map(|it| format!(",ds_mode_{it}"));
        let (store, mode) = (store.unwrap_or_default(), mode.unwrap_or_default());
        names.push(format!("output_{}{store}{mode},datatype_{}", port.name, port.data_type_id));
    }
    for StepParameter { name, value, .. } in parameters {
        names.push(match value {
            StepValue::Literal(text) => format!("param_{name},val_{text}"),
            StepValue::Parameter(PipelineParameter { name: other, default }) => {
                format!("param_{name},val_PipelineParameter_Name:{other}_Default:{default}")
            }
        });
    }
    names.sort_unstable();
    sha256(&names.join("_"))
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

fn module_parameter(parameter: &StepParameter) -> wire::ModuleParameter {
    let default_value = match &parameter.value {
        StepValue::Literal(text) => text.clone(),
        StepValue::Parameter(it) => it.default.to_string(),
    };
    wire::ModuleParameter {
        name: parameter.name.clone(),
        parameter_type: "String",
        is_optional: false,
        default_value,
        set_environment_variable: false,
    }
}

fn assignment(parameter: &StepParameter) -> wire::Assignment {
    let (value_type, value) = match &parameter.value {
        StepValue::Literal(text) => ("0", text.clone()),
        StepValue::Parameter(it) => ("1", it.name.to_string()),
    };
    wire::Assignment { value_type, name: parameter.name.clone(), value }
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

fn edge(source: &str, output: &str, destination: &str, input: &str) -> wire::Edge {
    let port = |node: &str, name: &str| wire::Port {
        node_id: node.to_owned(),
        port_name: name.to_owned(),
    };
    wire::Edge {
        source_output_port: port(source, output),
        destination_input_port: port(destination, input),
    }
}

fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Lower-case hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
