//! JSON of the pipelines service, as azureml-pipeline 1.62 was seen to accept it.

pub(super) mod body;

use serde_json::{Value, json};

use super::state::{PipelineRun, Published, Step, Workspace, location_of};
use crate::{
    kernel::{Refusal, Site, World},
    services::{datastore::Location, history::instant},
};

/// What the official SDK wants to find. It makes the missing ones itself.
pub(super) const DATA_TYPES: &[&str] = &[
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

/// The data types that each workspace has, and the `others`.
pub(super) fn data_types_json<'a>(others: impl Iterator<Item = &'a Value>) -> Value {
    let one = |name: &&str| {
        json!({
            "Id": name, "Name": name, "Description": name,
            "CreatedDate": MADE_AT, "LastModifiedDate": MADE_AT,
            "IsDirectory": *name == "AnyDirectory", "ParentDataTypeIds": [],
        })
    };
    DATA_TYPES.iter().map(one).chain(others.cloned()).collect()
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
pub(super) fn with_location(
    mut source: Value,
    world: &World,
    workspace: &Workspace,
) -> Result<Value, Refusal> {
    let text = |name: &str| source[name].as_str().unwrap_or_default();
    let location = location_json(world, workspace, text("DataStoreName"), text("PathOnDataStore"))?;
    if let Some(fields) = source.as_object_mut() {
        fields.insert("DataLocation".to_owned(), location);
        for name in ["DataTypeId", "Description"] {
            fields.entry(name).or_insert(Value::Null);
        }
    }
    Ok(source)
}

fn location_json(
    world: &World,
    workspace: &Workspace,
    datastore: &str,
    path: &str,
) -> Result<Value, Refusal> {
    let reference = match location_of(world, workspace, datastore)? {
        Location::Container { account, container } => json!({
            "Type": "AzureBlob",
            "AzureBlobReference": {
                "Container": container, "Account": account, "RelativePath": path,
                "AmlDataStoreName": datastore,
            },
        }),
        Location::Dbfs => json!({
            "Type": "DBFS",
            "DBFSReference": { "RelativePath": path, "AmlDataStoreName": datastore },
        }),
    };
    Ok(json!({
        "StorageType": "None", "StorageId": null, "Uri": null, "DataReference": reference,
    }))
}

fn or_null(text: &str) -> Option<&str> {
    Some(text).filter(|it| !it.is_empty())
}

pub(super) fn run_json(run: &PipelineRun) -> Value {
    let created = instant(run.created_at);
    json!({
        "Id": run.id, "Etag": "\"0\"", "CreatedDate": created, "LastModifiedDate": created,
        "EntityStatus": "0", "Description": or_null(&run.description),
        "Status": {
            "StatusCode": run.status.as_str(), "StatusDetail": null, "CreationTime": created,
            "EndTime": run.ended_at.map(instant),
        },
        "GraphId": run.graph_id, "IsSubmitted": run.submitted_at.is_some(),
        "HasErrors": false, "HasWarnings": false, "UploadState": "Completed",
        "ParameterAssignments": run.parameters, "DataSetDefinitionValueAssignments": {},
        "RunHistoryExperimentName": run.experiment, "PipelineId": run.pipeline_id,
        "RunSource": run.source, "RunType": run.kind, "TotalRunSteps": run.steps.len(),
        "ScheduleId": null, "tags": run.tags, "Properties": run.properties,
    })
}

/// A published pipeline with the address that submits it.
pub(super) fn published_json(it: &Published, world: &World, site: &Site) -> Value {
    let graph = world.pipelines.graph(&it.workspace.workspace_id, &it.graph_id).ok();
    let url = format!(
        "{}/pipelines/v1.0{}/PipelineRuns/PipelineSubmit/{}",
        site.data_plane(&it.workspace.region),
        it.workspace.resource_id(),
        it.id
    );
    json!({
        "Id": it.id, "Etag": "\"0\"", "CreatedDate": instant(it.created_at),
        "LastModifiedDate": instant(it.modified_at), "EntityStatus": it.status.as_str(),
        "Name": it.name, "Description": it.description, "Version": it.version,
        "GraphId": it.graph_id, "TotalRunSteps": graph.map_or(0, |it| it.nodes.len()),
        "ParameterAssignments": graph.map(|it| &it.defaults),
        "DataSetDefinitionValueAssignments": {},
        "ContinueRunOnStepFailure": it.continues_on_failure, "EnableNotification": null,
        "Properties": it.properties, "Url": url,
    })
}

/// How far a step is, and whose work it shows.
pub(super) fn task_status_json(run: &PipelineRun, step: &Step) -> Value {
    let reuse = step.reused.as_ref().map(|it| {
        json!({
            "ExperimentId": it.pipeline_run_id, "NodeId": it.node_id, "RunId": it.run_id,
            "RequestId": null, "NodeStartTime": null, "NodeEndTime": null,
        })
    });
    json!({
        "ReuseInfo": reuse, "StatusCode": step.status.as_str(), "StatusDetail": null,
        "CreationTime": run.submitted_at.map(instant), "ScheduleTime": null,
        "StartTime": step.started_at.map(instant), "EndTime": step.ended_at.map(instant),
        "RequestId": null, "RunId": step.run_id, "RealTimeLogPath": null, "HasWarnings": false,
    })
}

/// Where the outputs of a step are.
pub(super) fn outputs_json(
    step: &Step,
    names: &[(String, Option<String>)],
    world: &World,
    workspace: &Workspace,
) -> Result<Value, Refusal> {
    let all = names.iter().map(|(name, store)| (name.as_str(), store.as_deref()));
    let all = all.chain([("_run_after_output", None)]);
    let outputs = all.map(|(name, store)| {
        let datastore = store.unwrap_or("workspaceblobstore");
        let location = location_json(world, workspace, datastore, &step.output_path(name))?;
        let output = json!({
            "DataTypeId": "AnyFile", "LogicalSizeInBytes": 0, "PhysicalSizeInBytes": 0,
            "Hash": null, "DataLocation": location,
        });
        Ok((name.to_owned(), output))
    });
    outputs.collect::<Result<serde_json::Map<String, Value>, Refusal>>().map(Value::from)
}
