//! JSON of the pipelines service, as azureml-pipeline 1.62 was seen to send and accept it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Assigned, Binding, Graph, Node, PipelineRun, Step};
use crate::services::{databricks::jobs::RunView, history::instant};

/// What the official SDK wants to find. It makes the missing ones itself.
const DATA_TYPES: &[&str] = &[
    "AnyFile",
    "AnyDirectory",
    "AzureBlobReference",
    "AzureDataLakeReference",
    "AzureFilesReference",
    "AzureSqlDatabaseReference",
    "AzurePostgresDatabaseReference",
    "AzureDataLakeGen2Reference",
    "AzureMLDataset",
    "AzureMySqlDatabaseReference",
    "DBFSReference",
];

/// When every workspace got its data types.
const MADE_AT: &str = "2024-01-01T00:00:00.000000+00:00";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreationBody {
    pub(super) creation_info: CreationInfo,
    graph: GraphBody,
    #[serde(default)]
    graph_interface: InterfaceBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreationInfo {
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) continue_experiment_on_node_failure: bool,
    #[serde(default)]
    pub(super) parameter_assignments: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GraphBody {
    #[serde(default)]
    module_nodes: Vec<NodeBody>,
    #[serde(default)]
    dataset_nodes: Vec<DatasetNodeBody>,
    #[serde(default)]
    edges: Vec<EdgeBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NodeBody {
    id: String,
    module_id: String,
    #[serde(default)]
    module_parameters: Vec<ParameterBody>,
    #[serde(default)]
    module_metadata_parameters: Vec<ParameterBody>,
    #[serde(default)]
    module_output_settings: Vec<OutputBody>,
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
    dataset_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EdgeBody {
    source_output_port: PortBody,
    destination_input_port: PortBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortBody {
    node_id: String,
    port_name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InterfaceBody {
    parameters: Vec<InterfaceParameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InterfaceParameter {
    name: String,
    #[serde(default)]
    default_value: Value,
}

/// A value as the text that it is on the wire anyway.
pub(super) fn text(value: &Value) -> String {
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
    /// The graph; `sent` is the body that it was read from.
    pub(super) fn into_graph(self, sent: &Value) -> Graph {
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
        };
        let edge = |it: EdgeBody| super::state::Edge {
            from: it.source_output_port.into_pair(),
            to: it.destination_input_port.into_pair(),
        };
        let datasets = self.graph.dataset_nodes.into_iter().map(|it| (it.id, it.dataset_id));
        let defaults = self.graph_interface.parameters.into_iter();
        Graph {
            nodes: self.graph.module_nodes.into_iter().map(node).collect(),
            datasets: datasets.collect(),
            edges: self.graph.edges.into_iter().map(edge).collect(),
            defaults: defaults.map(|it| (it.name, text(&it.default_value))).collect(),
            body: sent["Graph"].clone(),
            interface: sent["GraphInterface"].clone(),
        }
    }
}

pub(super) fn data_types_json() -> Value {
    let one = |name: &&str| {
        json!({
            "Id": name, "Name": name, "Description": name,
            "CreatedDate": MADE_AT, "LastModifiedDate": MADE_AT,
            "IsDirectory": *name == "AnyDirectory", "ParentDataTypeIds": [],
        })
    };
    DATA_TYPES.iter().map(one).collect()
}

/// A module with its interface, as a look-up shows it.
pub(super) fn module_json(module: &Value) -> Value {
    let structured = &module["StructuredInterface"];
    let list = |name: &str| structured[name].as_array().cloned().unwrap_or_default();
    let parameter = |it: Value| {
        json!({
            "Name": it["Name"], "Documentation": null, "DefaultValue": it["DefaultValue"],
            "IsOptional": it["IsOptional"], "MinMaxRules": [], "EnumRules": [], "Type": "2",
        })
    };
    let parameters = |name: &str| -> Vec<Value> { list(name).into_iter().map(parameter).collect() };
    let inputs = list("Inputs").into_iter().map(|it| {
        json!({ "Name": it["Name"], "Documentation": null, "DataTypesIds": it["DataTypeIdsList"], "IsOptional": it["IsOptional"] })
    });
    let outputs = list("Outputs").into_iter().map(|it| {
        json!({ "Name": it["Name"], "Documentation": null, "DataTypeId": it["DataTypeId"], "PassThroughInputName": null })
    });
    json!({
        "Data": module,
        "Interface": {
            "Parameters": parameters("Parameters"),
            "MetadataParameters": parameters("MetadataParameters"),
            "DataPathParameters": [],
            "Ports": {
                "Inputs": inputs.collect::<Vec<_>>(), "Outputs": outputs.collect::<Vec<_>>(),
            },
        },
    })
}

/// Where a data source's bytes are, as the service adds it to the body.
pub(super) fn with_location(mut source: Value, account: &str, container: &str) -> Value {
    let location = location_json(
        account,
        container,
        source["PathOnDataStore"].as_str().unwrap_or_default(),
        source["DataStoreName"].as_str().unwrap_or_default(),
    );
    if let Some(fields) = source.as_object_mut() {
        fields.insert("DataLocation".to_owned(), location);
        for name in ["DataTypeId", "Description"] {
            fields.entry(name).or_insert(Value::Null);
        }
    }
    source
}

fn location_json(account: &str, container: &str, path: &str, datastore: &str) -> Value {
    json!({
        "StorageType": "None", "StorageId": null, "Uri": null,
        "DataReference": {
            "Type": "AzureBlob",
            "AzureBlobReference": {
                "Container": container, "Account": account, "RelativePath": path,
                "AmlDataStoreName": datastore,
            },
        },
    })
}

pub(super) fn run_json(run: &PipelineRun) -> Value {
    let created = instant(run.created_at);
    json!({
        "Id": run.id, "Etag": "\"0\"", "CreatedDate": created, "LastModifiedDate": created,
        "EntityStatus": "0", "Description": run.description,
        "Status": {
            "StatusCode": run.status.as_str(), "StatusDetail": null, "CreationTime": created,
            "EndTime": run.ended_at.map(instant),
        },
        "GraphId": run.graph_id, "IsSubmitted": run.submitted_at.is_some(),
        "HasErrors": false, "HasWarnings": false, "UploadState": "Completed",
        "ParameterAssignments": run.parameters, "DataSetDefinitionValueAssignments": {},
        "RunHistoryExperimentName": run.experiment, "PipelineId": null, "RunSource": "SDK",
        "RunType": "SDK", "TotalRunSteps": run.steps.len(), "ScheduleId": null, "tags": {},
        "Properties": {},
    })
}

/// Where the outputs of a step are.
pub(super) fn outputs_json(
    step: &Step,
    names: &[(String, Option<String>)],
    account: &str,
    container: &str,
) -> Value {
    let all = names.iter().map(|(name, store)| (name.as_str(), store.as_deref()));
    let all = all.chain([("_run_after_output", None)]);
    let outputs: serde_json::Map<String, Value> = all
        .map(|(name, store)| {
            let path = super::state::output_path(step, name);
            let datastore = store.unwrap_or("workspaceblobstore");
            let output = json!({
                "DataTypeId": "AnyFile", "LogicalSizeInBytes": 0, "PhysicalSizeInBytes": 0,
                "Hash": null, "DataLocation": location_json(account, container, &path, datastore),
            });
            (name.to_owned(), output)
        })
        .collect();
    outputs.into()
}

/// What the service itself logs of a step.
pub(super) fn job_log(step: &Step, view: Option<&RunView<'_>>) -> String {
    let mut lines = vec![format!("Step '{}' is {}", step.name, step.status.as_str())];
    if let (Some((workspace, job_run)), Some(view)) = (step.job_run, view) {
        lines
            .push(format!("Databricks workspace {workspace}, job run {job_run}: {}", view.message));
        let times = [("started", view.started_at), ("ended", view.ended_at)];
        lines.extend(
            times.into_iter().filter_map(|(word, at)| Some(format!("{word} at {}", instant(at?)))),
        );
    }
    lines.join("\n") + "\n"
}
