//! JSON bodies exactly as the pipelines service reads them.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;

/// `POST Modules`: one step as a reusable definition.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Module<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) description: Cow<'a, str>,
    pub(crate) is_deterministic: bool,
    #[serde(rename = "ModuleExecutionType")]
    pub(crate) execution_type: &'static str,
    pub(crate) identifier_hash: String,
    pub(crate) structured_interface: StructuredInterface<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_id: Option<String>,
    pub(crate) is_interface_only: bool,
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) step_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StructuredInterface<'a> {
    pub(crate) command_line_pattern: &'static str,
    pub(crate) inputs: Vec<InputPort<'a>>,
    pub(crate) outputs: Vec<OutputPort<'a>>,
    pub(crate) parameters: Vec<ModuleParameter<'a>>,
    pub(crate) metadata_parameters: Vec<ModuleParameter<'a>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InputPort<'a> {
    pub(crate) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<Cow<'a, str>>,
    pub(crate) data_type_ids_list: &'static [&'static str],
    pub(crate) is_optional: bool,
    pub(crate) skip_processing: bool,
    pub(crate) is_resource: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_store_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_on_compute: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overwrite: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_reference_name: Option<Cow<'a, str>>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OutputPort<'a> {
    pub(crate) name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<Cow<'a, str>>,
    pub(crate) data_type_id: Cow<'a, str>,
    pub(crate) skip_processing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_store_name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_store_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_on_compute: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overwrite: Option<bool>,
    pub(crate) data_reference_name: Cow<'a, str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModuleParameter<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) parameter_type: &'static str,
    pub(crate) is_optional: bool,
    pub(crate) default_value: Cow<'a, str>,
    pub(crate) set_environment_variable: bool,
}

/// `POST DataSources`: data that is there already.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataSource {
    pub(crate) name: String,
    pub(crate) data_store_name: String,
    pub(crate) path_on_data_store: String,
    pub(crate) identifier_hash: String,
}

/// `POST PipelineRuns/Unsubmitted/CreationInfoWithGraph`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Submission<'a> {
    pub(crate) creation_info: CreationInfo,
    pub(crate) graph: Graph<'a>,
    pub(crate) graph_interface: &'a GraphInterface,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreationInfo {
    pub(crate) description: String,
    pub(crate) continue_experiment_on_node_failure: bool,
    pub(crate) parameter_assignments: BTreeMap<String, String>,
    pub(crate) data_path_assignments: BTreeMap<String, DataPath>,
    pub(crate) data_set_definition_value_assignments: BTreeMap<String, String>,
    pub(crate) run_source: &'static str,
    pub(crate) run_type: &'static str,
    pub(crate) credential_passthrough: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Graph<'a> {
    pub(crate) module_nodes: Vec<ModuleNode<'a>>,
    pub(crate) dataset_nodes: Vec<DatasetNode>,
    pub(crate) edges: &'a [Edge<'a>],
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModuleNode<'a> {
    pub(crate) id: &'a str,
    pub(crate) module_id: &'a str,
    pub(crate) module_parameters: &'a [Assignment<'a>],
    pub(crate) module_metadata_parameters: &'a [Assignment<'a>],
    pub(crate) module_output_settings: &'a [OutputSetting<'a>],
    pub(crate) module_input_settings: &'a [InputSetting<'a>],
    pub(crate) regenerate_output: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Assignment<'a> {
    /// `"0"` for a literal, `"1"` for a parameter of the graph.
    pub(crate) value_type: &'static str,
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct OutputSetting<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) data_store_name: Cow<'a, str>,
    pub(crate) data_store_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path_on_compute: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overwrite: Option<bool>,
    pub(crate) data_reference_name: Cow<'a, str>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InputSetting<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) path_on_compute: Cow<'a, str>,
    pub(crate) data_store_mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatasetNode {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) content: DatasetContent,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "PascalCase")]
pub(crate) enum DatasetContent {
    DataSource { dataset_id: String },
    Parameter { data_path_parameter_name: String },
    Dataset { data_set_definition: DatasetDefinition },
}

impl DatasetContent {
    pub(crate) fn saved_dataset(id: &str) -> Self {
        let saved_data_set_reference = SavedDatasetReference { id: id.to_owned() };
        let value = DatasetValue { saved_data_set_reference };
        let data_type_short_name = "AzureMLDataset";
        Self::Dataset { data_set_definition: DatasetDefinition { data_type_short_name, value } }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatasetDefinition {
    data_type_short_name: &'static str,
    value: DatasetValue,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct DatasetValue {
    saved_data_set_reference: SavedDatasetReference,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct SavedDatasetReference {
    id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Edge<'a> {
    pub(crate) source_output_port: Port<'a>,
    pub(crate) destination_input_port: Port<'a>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged, rename_all_fields = "PascalCase")]
pub(crate) enum Port<'a> {
    Node {
        node_id: String,
        port_name: Cow<'a, str>,
    },
    /// An output of the whole graph.
    Graph {
        graph_port_name: &'a str,
    },
}

impl<'a> Port<'a> {
    pub(crate) fn node(id: &str, name: impl Into<Cow<'a, str>>) -> Self {
        Self::Node { node_id: id.to_owned(), port_name: name.into() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GraphInterface {
    pub(crate) parameters: Vec<GraphParameter>,
    pub(crate) data_path_parameters: Vec<DataPathParameter>,
    pub(crate) data_path_parameter_list: Vec<()>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GraphParameter {
    pub(crate) name: String,
    pub(crate) default_value: String,
    pub(crate) is_optional: bool,
    #[serde(rename = "Type")]
    pub(crate) parameter_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataPathParameter {
    pub(crate) name: String,
    pub(crate) default_value: DataPath,
    pub(crate) is_optional: bool,
    pub(crate) data_type_id: &'static str,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DataPath {
    pub(crate) data_store_name: String,
    pub(crate) relative_path: String,
}

/// `POST Pipelines/Create`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Publication<'a> {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    pub(crate) graph: Graph<'a>,
    pub(crate) graph_interface: &'a GraphInterface,
    pub(crate) data_set_definition_value_assignments: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) continue_run_on_step_failure: Option<bool>,
    pub(crate) properties: BTreeMap<String, String>,
}

/// `POST PipelineRuns/PipelineSubmit/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PublishedSubmission {
    pub(crate) experiment_name: String,
    pub(crate) description: String,
    pub(crate) run_source: &'static str,
    pub(crate) run_type: &'static str,
    pub(crate) parameter_assignments: BTreeMap<String, String>,
    pub(crate) data_path_assignments: BTreeMap<String, DataPath>,
    pub(crate) data_set_definition_value_assignments: BTreeMap<String, String>,
    pub(crate) properties: BTreeMap<String, String>,
}
