//! JSON of run history, as azureml-core 1.61 was seen to send and accept it.

pub(super) mod filter;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::state::Posted;
use crate::{
    services::azure::AtWorkspace,
    store::{Experiment, ExperimentPatch, Run, RunError, RunPatch, Status},
};

type Texts = BTreeMap<String, Option<String>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunBody {
    pub(super) run_id: Option<String>,
    parent_run_id: Option<String>,
    status: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    target: Option<String>,
    run_type: Option<String>,
    run_type_v2: Option<Value>,
    hidden: Option<bool>,
    #[serde(default)]
    tags: Option<Texts>,
    #[serde(default)]
    properties: Option<Texts>,
}

#[derive(Deserialize)]
pub(super) struct BatchRunsBody {
    pub(super) runs: Vec<RunBody>,
}

#[derive(Deserialize)]
pub(super) struct EventBody {
    name: String,
    #[serde(default)]
    timestamp: Option<String>,
    #[serde(default)]
    data: EventData,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EventData {
    run_id: Option<String>,
    error_response: Option<ErrorResponse>,
}

#[derive(Deserialize)]
struct ErrorResponse {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BatchEventsBody {
    pub(super) events: Vec<EventBody>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct QueryBody {
    pub(super) filter: Option<String>,
    #[serde(alias = "orderby")]
    pub(super) order_by: Option<String>,
    pub(super) top: Option<usize>,
    pub(super) continuation_token: Option<String>,
}

/// What a query of experiments asks for.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ExperimentsBody {
    pub(super) filter: Option<String>,
    view_type: Option<String>,
    #[serde(alias = "orderby")]
    order_by: Option<String>,
    pub(super) top: Option<usize>,
    pub(super) continuation_token: Option<String>,
}

impl ExperimentsBody {
    /// Archived ones, others, or both.
    pub(super) fn shown(&self) -> Result<Option<bool>, String> {
        match self.view_type.as_deref().unwrap_or("Default") {
            "Default" | "ActiveOnly" => Ok(Some(false)),
            "ArchivedOnly" => Ok(Some(true)),
            "All" => Ok(None),
            other => Err(format!("viewType {other:?} is none of All, ActiveOnly, ArchivedOnly")),
        }
    }

    pub(super) fn is_newest_first(&self) -> bool {
        self.order_by.as_deref().is_some_and(|it| it.to_ascii_lowercase().ends_with(" desc"))
    }
}

/// What changes in an experiment.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ExperimentBody {
    name: Option<String>,
    description: Option<String>,
    archive: Option<bool>,
    tags: BTreeMap<String, Option<String>>,
}

/// Where MLflow has the description of an experiment.
const DESCRIPTION: &str = "mlflow.note.content";

impl ExperimentBody {
    pub(super) fn into_patch(self) -> ExperimentPatch {
        let tags = self.tags.into_iter().map(|(key, value)| (key, value.unwrap_or_default()));
        let description = self.description.map(|it| (DESCRIPTION.to_owned(), it));
        ExperimentPatch {
            name: self.name,
            is_deleted: self.archive,
            tags: tags.chain(description).collect(),
            untagged: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct TagsBody {
    pub(super) tags: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ChildrenQuery {
    #[serde(rename = "$filter")]
    pub(super) filter: Option<String>,
    #[serde(rename = "$orderby")]
    pub(super) order_by: Option<String>,
    #[serde(rename = "$top")]
    pub(super) top: Option<usize>,
    #[serde(rename = "$continuationToken")]
    pub(super) continuation_token: Option<String>,
}

impl RunBody {
    pub(super) fn status(&self) -> Result<Option<Status>, String> {
        self.status.as_deref().map(str::parse).transpose()
    }

    pub(super) fn into_patch(self) -> RunPatch {
        RunPatch {
            name: self.name,
            display_name: self.display_name,
            description: self.description,
            target: self.target,
            run_type: self.run_type,
            run_type_v2: self.run_type_v2,
            parent_id: self.parent_run_id,
            is_deleted: self.hidden,
            tags: self.tags.unwrap_or_default(),
            properties: self.properties.unwrap_or_default(),
            ..RunPatch::default()
        }
    }
}

impl EventBody {
    /// The run that the event names, and the event.
    pub(super) fn into_posted(self) -> (Option<String>, Posted) {
        let name = self.name.rsplit('.').next().unwrap_or_default().to_owned();
        let error = self.data.error_response.map(|it| RunError {
            code: it.error.code.unwrap_or_default(),
            message: it.error.message.unwrap_or_default(),
        });
        let at = self.timestamp.and_then(|it| OffsetDateTime::parse(&it, &Rfc3339).ok());
        (self.data.run_id, Posted { name, error, at })
    }
}

/// An instant as the services write it: microseconds and an offset.
pub(crate) fn instant(at: OffsetDateTime) -> String {
    let shape = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]+00:00"
    );
    at.to_offset(time::UtcOffset::UTC).format(&shape).unwrap_or_default()
}

pub(super) fn experiment_json(it: &Experiment) -> Value {
    let archived_at = it.is_deleted.then(|| instant(it.modified_at));
    let mut tags = it.tags.clone();
    let description = tags.remove(DESCRIPTION);
    json!({
        "experimentId": it.id, "name": it.name, "description": description,
        "createdUtc": instant(it.created_at), "tags": tags, "archivedTime": archived_at,
        "retainForLifetimeOfWorkspace": false, "artifactLocation": it.artifact_location,
    })
}

/// All states that the service counts, also those in which no run is.
pub(super) fn run_counts_json(counts: &BTreeMap<Status, u64>) -> Value {
    let count = |it| counts.get(&it).copied().unwrap_or(0);
    json!({
        "notStarted": count(Status::NotStarted), "queued": count(Status::Queued),
        "preparing": count(Status::Preparing), "provisioning": count(Status::Provisioning),
        "starting": count(Status::Starting), "running": count(Status::Running),
        "completed": count(Status::Completed), "failed": count(Status::Failed),
        "canceled": count(Status::Canceled), "notResponding": 0,
    })
}

fn error_json(run: &Run) -> Value {
    let Some(error) = &run.error else { return Value::Null };
    json!({ "error": {
        "code": error.code, "message": error.message, "messageParameters": {}, "details": [],
    } })
}

fn user_json(user: &str) -> Value {
    json!({ "userObjectId": user, "userTenantId": crate::services::arm::TENANT, "userName": user })
}

fn duration(run: &Run) -> Option<String> {
    let took = run.ended_at? - run.started_at?;
    let seconds = took.whole_seconds();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Some(format!(
        "{hours:02}:{minutes:02}:{:02}.{:07}",
        seconds % 60,
        took.subsec_nanoseconds() / 100
    ))
}

pub(super) fn run_json(run: &Run) -> Value {
    let mut value = json!({
        "runNumber": run.number,
        "rootRunId": run.root_id,
        "createdUtc": instant(run.created_at),
        "createdBy": user_json(&run.user),
        "userId": run.user,
        "error": error_json(run),
        "warnings": null,
        "revision": run.revision,
        "statusRevision": run.status_revision,
        "runUuid": run.id,
        "parentRunUuid": run.parent_id,
        "rootRunUuid": run.root_id,
        "lastModifiedUtc": instant(run.modified_at),
        "duration": duration(run),
        "currentAttemptId": 0,
        "runId": run.id,
        "parentRunId": run.parent_id,
        "experimentId": run.experiment_id,
        "status": run.status.as_str(),
        "startTimeUtc": run.started_at.map(instant),
        "endTimeUtc": run.ended_at.map(instant),
    });
    let rest = json!({
        "displayName": run.display_name,
        "name": run.name,
        "dataContainerId": run.data_container_id(),
        "description": run.description,
        "hidden": run.is_deleted,
        "runType": run.run_type,
        "runTypeV2": run.run_type_v2,
        "properties": run.properties,
        "parameters": run.params,
        "actionUris": {},
        "scriptName": null,
        "target": run.target,
        "uniqueChildRunComputeTargets": [],
        "tags": run.tags,
        "settings": {},
        "services": {},
        "inputDatasets": [],
        "outputDatasets": [],
        "runDefinition": null,
        "jobSpecification": null,
    });
    if let (Value::Object(fields), Value::Object(more)) = (&mut value, rest) {
        fields.extend(more);
    }
    value
}

/// The details of a run; `logs` are names of log files with their addresses.
pub(super) fn details_json(run: &Run, logs: &BTreeMap<String, String>) -> Value {
    json!({
        "runId": run.id, "target": run.target, "status": run.status.as_str(),
        "startTimeUtc": run.started_at.map(instant), "endTimeUtc": run.ended_at.map(instant),
        "error": error_json(run), "warnings": null, "tags": run.tags,
        "properties": run.properties, "parameters": run.params, "services": {},
        "inputDatasets": [], "outputDatasets": [], "runDefinition": null, "logFiles": logs,
        "jobCost": {}, "revision": run.revision, "runTypeV2": run.run_type_v2, "settings": {},
        "createdBy": user_json(&run.user), "runNumber": run.number, "rootRunId": run.root_id,
        "experimentId": run.experiment_id, "userId": run.user,
        "statusRevision": run.status_revision, "duration": duration(run),
        "inputs": {}, "outputs": {}, "currentAttemptId": 0,
    })
}

/// One page of `items` from the place that `token` marks.
pub(super) fn page_json(items: &[Value], token: Option<&str>, top: usize) -> Result<Value, String> {
    let start = match token.filter(|it| !it.is_empty()) {
        Some(token) => {
            token.parse::<usize>().map_err(|_| format!("{token:?} is no continuation token"))?
        }
        None => 0,
    };
    let end = items.len().min(start.saturating_add(top.max(1)));
    let next = (end < items.len()).then(|| end.to_string());
    let value = items.get(start..end).unwrap_or_default();
    Ok(json!({ "value": value, "continuationToken": next, "nextLink": null }))
}

/// Where the data plane keeps the artifacts of a run.
pub(super) fn artifact_root(run: &Run) -> String {
    format!("ExperimentRun/{}/", run.data_container_id())
}

/// A token for the run itself and when it ends.
pub(super) fn token_json(token: &str, expires_at: OffsetDateTime, _: &AtWorkspace) -> Value {
    json!({ "token": token, "expiryTimeUtc": instant(expires_at) })
}
