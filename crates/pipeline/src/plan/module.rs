//! One step as the service stores it: a reusable definition, found by its hash.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::{self, Write as _},
    iter,
};

use sha2::{Digest, Sha256};

use super::{NO_CONTENT, RUN_AFTER_OUTPUT, hex, run_after_input};
use crate::{
    DatabricksStep, InputSource, OutputMode, ParameterValue, PipelineData, PipelineParameter,
    StepInput,
    step::{StepParameter, StepValue},
    wire,
};

const EXECUTION: &str = "databrickscloud";

#[derive(Debug)]
pub(crate) struct PlannedModule<'a> {
    /// Place of the step in the pipeline.
    pub(crate) step: usize,
    pub(super) node_id: String,
    pub(crate) body: wire::Module<'a>,
    pub(super) parameters: Vec<wire::Assignment<'a>>,
    pub(super) metadata: Vec<wire::Assignment<'a>>,
    pub(super) outputs: Vec<wire::OutputSetting<'a>>,
    pub(super) inputs: Vec<wire::InputSetting<'a>>,
}

impl<'a> PlannedModule<'a> {
    pub(super) fn new(
        index: usize,
        step: &'a DatabricksStep,
        node_id: String,
        parameters: &[StepParameter<'a>],
        default_datastore: &'a str,
        content: Option<String>,
    ) -> Self {
        let interface = structured_interface(step, parameters, default_datastore);
        let definition = definition_hash(step, &interface, parameters);
        let is_interface_only = content.is_none();
        let content = content.unwrap_or_else(|| NO_CONTENT.to_owned());
        let outputs = interface.outputs.iter().filter_map(output_setting).collect();
        let inputs = step.inputs.iter().filter_map(input_setting).collect();
        let (metadata, code): (Vec<_>, Vec<_>) = parameters.iter().partition(|it| it.metadata);
        let body = wire::Module {
            name: step.name.as_str().into(),
            description: step.name.as_str().into(),
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
            step: index,
            node_id,
            body,
            parameters: code.into_iter().map(assignment).collect(),
            metadata: metadata.into_iter().map(assignment).collect(),
            outputs,
            inputs,
        }
    }
}

fn structured_interface<'a>(
    step: &'a DatabricksStep,
    parameters: &[StepParameter<'a>],
    default_datastore: &'a str,
) -> wire::StructuredInterface<'a> {
    let data = step.inputs.iter().map(data_input);
    let order = (0..step.run_after.len()).map(|number| wire::InputPort {
        name: run_after_input(number),
        label: None,
        data_type_ids_list: &["AnyFile"],
        is_optional: true,
        skip_processing: true,
        is_resource: false,
        data_store_mode: None,
        path_on_compute: None,
        overwrite: None,
        data_reference_name: None,
    });
    let outputs = step.outputs.iter().map(|output| data_output(output, default_datastore));
    let run_after_output = wire::OutputPort {
        name: RUN_AFTER_OUTPUT.into(),
        label: None,
        data_type_id: "AnyFile".into(),
        skip_processing: true,
        data_store_name: None,
        data_store_mode: None,
        path_on_compute: None,
        overwrite: None,
        data_reference_name: RUN_AFTER_OUTPUT.into(),
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

fn data_input(input: &StepInput) -> wire::InputPort<'_> {
    let name = input.name().as_str();
    let types: &[&str] = match input.source {
        InputSource::Dataset(_) => &["AzureMLDataset"],
        _ => &["AnyFile", "AnyDirectory"],
    };
    // What is there already says so even when nobody has asked.
    let overwrite = match input.source {
        InputSource::Data(_) => input.overwrite,
        _ => Some(input.overwrite.unwrap_or(false)),
    };
    wire::InputPort {
        label: Some(name.into()),
        name: name.into(),
        data_type_ids_list: types,
        is_optional: false,
        skip_processing: false,
        is_resource: false,
        data_store_mode: Some(input.mode_word()),
        path_on_compute: input.path_on_compute.as_deref().map(Cow::from),
        overwrite,
        data_reference_name: Some(input.data_name().as_str().into()),
    }
}

fn data_output<'a>(output: &'a PipelineData, default_datastore: &'a str) -> wire::OutputPort<'a> {
    let datastore = output.datastore.as_deref().unwrap_or(default_datastore);
    wire::OutputPort {
        name: output.output_name().as_str().into(),
        label: Some(output.name.as_str().into()),
        data_type_id: output.data_type().into(),
        skip_processing: false,
        data_store_name: Some(datastore.into()),
        data_store_mode: Some(output.mode.word()),
        path_on_compute: output.path_on_compute.as_deref().map(Cow::from),
        overwrite: output.overwrite,
        data_reference_name: output.output_name().as_str().into(),
    }
}

fn output_setting<'a>(port: &wire::OutputPort<'a>) -> Option<wire::OutputSetting<'a>> {
    Some(wire::OutputSetting {
        name: port.name.clone(),
        data_store_name: port.data_store_name.clone()?,
        data_store_mode: port.data_store_mode.unwrap_or(OutputMode::Mount.word()),
        path_on_compute: port.path_on_compute.clone(),
        overwrite: port.overwrite,
        data_reference_name: port.data_reference_name.clone(),
    })
}

/// Only an input with a place of its own has settings.
fn input_setting(input: &StepInput) -> Option<wire::InputSetting<'_>> {
    let path_on_compute = input.path_on_compute.as_deref()?.into();
    Some(wire::InputSetting {
        name: input.name().as_str().into(),
        path_on_compute,
        data_store_mode: input.mode_word(),
    })
}

/// Hash of everything that defines the module but the files of its folder: its parts,
/// sorted and joined.
fn definition_hash(
    step: &DatabricksStep,
    interface: &wire::StructuredInterface<'_>,
    parameters: &[StepParameter<'_>],
) -> String {
    // All parts lie in one text, and only their places are sorted.
    let mut text = String::with_capacity(2048);
    let mut ends = Vec::with_capacity(parameters.len() + 16);
    let mut part = |write: &dyn Fn(&mut String) -> fmt::Result| {
        // Writing to a text does not fail.
        let _ = write(&mut text);
        ends.push(text.len());
    };
    part(&|it| write!(it, "name_{}", step.name));
    part(&|it| write!(it, "deterministic_{}", ParameterValue::from(step.allow_reuse)));
    part(&|it| write!(it, "execution_{EXECUTION}"));
    if let Some(version) = &step.version {
        part(&|it| write!(it, "version_{version}"));
    }
    for port in &interface.inputs {
        part(&|it| {
            write!(it, "input_{}", port.name)?;
            option(it, "ds_mode", port.data_store_mode)?;
            option(it, "ds_path", port.path_on_compute.as_deref())?;
            write!(it, ",datatypes_{}", port.data_type_ids_list.join(","))
        });
    }
    for port in &interface.outputs {
        part(&|it| {
            write!(it, "output_{}", port.name)?;
            option(it, "ds_name", port.data_store_name.as_deref())?;
            option(it, "ds_mode", port.data_store_mode)?;
            option(it, "ds_path", port.path_on_compute.as_deref())?;
            write!(it, ",datatype_{}", port.data_type_id)
        });
    }
    for StepParameter { name, value, .. } in parameters {
        part(&|it| match value {
            StepValue::Literal(text) => write!(it, "param_{name},val_{text}"),
            StepValue::Parameter(parameter) => {
                let PipelineParameter { name: other, default } = &**parameter;
                write!(it, "param_{name},val_PipelineParameter_Name:{other}_Default:{default}")
            }
        });
    }
    let starts = iter::once(0).chain(ends.iter().copied());
    let mut parts: Vec<&str> = starts.zip(&ends).map(|(from, &to)| &text[from..to]).collect();
    parts.sort_unstable();
    let mut hasher = Sha256::new();
    for (number, part) in parts.into_iter().enumerate() {
        if number != 0 {
            hasher.update(b"_");
        }
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize())
}

fn option(text: &mut String, name: &str, value: Option<&str>) -> fmt::Result {
    match value {
        Some(value) => write!(text, ",{name}_{value}"),
        None => Ok(()),
    }
}

fn module_parameter<'a>(parameter: &StepParameter<'a>) -> wire::ModuleParameter<'a> {
    let default_value = match &parameter.value {
        StepValue::Literal(text) => text.clone(),
        StepValue::Parameter(it) => it.default.to_string().into(),
    };
    wire::ModuleParameter {
        name: parameter.name.clone(),
        parameter_type: "String",
        is_optional: false,
        default_value,
        set_environment_variable: false,
    }
}

fn assignment<'a>(parameter: &StepParameter<'a>) -> wire::Assignment<'a> {
    let (value_type, value) = match &parameter.value {
        StepValue::Literal(text) => ("0", text.clone()),
        StepValue::Parameter(it) => ("1", it.name.to_string().into()),
    };
    wire::Assignment { value_type, name: parameter.name.clone(), value }
}
