//! JSON exactly as the service writes it. Nothing here leaves this module tree.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cell, Column, Command, CommandContext, CommandId, CommandResult};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateRequest<'a> {
    pub(super) cluster_id: &'a str,
    pub(super) language: &'a str,
}

/// Which context, and perhaps which command in it.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the service")]
#[serde(rename_all = "camelCase")]
pub(super) struct Place<'a> {
    pub(super) cluster_id: &'a str,
    pub(super) context_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) command_id: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(super) fn new(it: &'a CommandContext, command_id: Option<&'a CommandId>) -> Self {
        Self {
            cluster_id: it.cluster_id.as_str(),
            context_id: it.context_id.as_str(),
            command_id: command_id.map(CommandId::as_str),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecuteRequest<'a> {
    #[serde(flatten)]
    pub(super) place: Place<'a>,
    pub(super) language: &'a str,
    pub(super) command: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Made {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct StatusResponse {
    pub(super) status: String,
}

#[derive(Deserialize)]
pub(super) struct CommandResponse {
    id: String,
    status: String,
    #[serde(default)]
    results: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    #[serde(default)]
    result_type: String,
    #[serde(default)]
    data: Value,
    #[serde(default)]
    schema: Vec<WireColumn>,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    file_name: String,
    #[serde(default)]
    file_names: Vec<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    cause: Option<String>,
}

#[derive(Deserialize)]
struct WireColumn {
    #[serde(default)]
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
}

impl From<CommandResponse> for Command {
    fn from(it: CommandResponse) -> Self {
        Self {
            command_id: it.id.into(),
            status: it.status.into(),
            result: it.results.filter(|it| !it.is_null()).map(|it| result(&it)),
        }
    }
}

fn result(value: &Value) -> CommandResult {
    // The schema of R is a text, for example: what does not fit is given as it came.
    let Ok(it) = Results::deserialize(value) else {
        let kind = value.get("resultType").and_then(Value::as_str).unwrap_or_default();
        return CommandResult::Unknown { kind: kind.to_owned(), json: value.to_string() };
    };
    match it.result_type.as_str() {
        "text" => CommandResult::Text(match it.data {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        }),
        "table" => {
            let Value::Array(rows) = it.data else {
                return CommandResult::Unknown { kind: it.result_type, json: value.to_string() };
            };
            let columns = it.schema.into_iter().map(|it| Column { name: it.name, kind: it.kind });
            CommandResult::Table {
                columns: columns.collect(),
                rows: rows.into_iter().map(cells).collect(),
                is_truncated: it.truncated,
            }
        }
        "image" => CommandResult::Image(it.file_name),
        "images" => CommandResult::Images(it.file_names),
        "error" => CommandResult::Error { summary: it.summary, cause: it.cause },
        _ => CommandResult::Unknown { kind: it.result_type, json: value.to_string() },
    }
}

fn cells(row: Value) -> Vec<Cell> {
    match row {
        Value::Array(cells) => cells.into_iter().map(cell).collect(),
        single => vec![cell(single)],
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(it) => Cell::Bool(it),
        Value::Number(it) => match (it.as_i64(), it.as_f64()) {
            (Some(whole), _) => Cell::Integer(whole),
            (None, Some(number)) => Cell::Number(number),
            (None, None) => Cell::Json(it.to_string()),
        },
        Value::String(it) => Cell::Text(it),
        other => Cell::Json(other.to_string()),
    }
}
