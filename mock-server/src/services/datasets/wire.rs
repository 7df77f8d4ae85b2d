use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::state::{Dataset, PathBelow};
use crate::kernel::Refusal;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatasetBody {
    dataset_type: Option<String>,
    #[serde(default)]
    properties: Option<BTreeMap<String, String>>,
    dataflow_json: Option<String>,
}

/// What `dataflowJson` holds: YAML within JSON within JSON.
#[derive(Deserialize)]
struct Dataflow {
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "RsDataflow")]
    steps: Option<String>,
}

impl DatasetBody {
    pub(super) fn into_new(self) -> Result<Dataset, Refusal> {
        let text = self.dataflow_json.ok_or_else(|| invalid("dataflowJson is missing"))?;
        let flow: Dataflow = serde_json::from_str(&text)
            .map_err(|err| invalid(format!("dataflowJson is no JSON: {err}")))?;
        let steps = flow.meta.steps;
        let steps = steps.ok_or_else(|| invalid("dataflowJson.meta.RsDataflow is missing"))?;
        let paths: Vec<PathBelow> = sources(&steps).collect::<Result<_, _>>()?;
        if paths.is_empty() {
            return Err(invalid("dataflowJson.meta.RsDataflow names no path"));
        }
        Ok(Dataset {
            kind: self.dataset_type.unwrap_or_else(|| "file".to_owned()),
            properties: self.properties.unwrap_or_default(),
            paths,
            saved_at: None,
        })
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid(message).with_code("UserError")
}

/// The entries of `paths`, each of which is one key with an address on a line.
fn sources(steps: &str) -> impl Iterator<Item = Result<PathBelow, Refusal>> {
    let listed = steps.lines().filter_map(|it| it.trim_start().strip_prefix("- "));
    let entries = listed.filter_map(|it| it.split_once(": "));
    let entries = entries.filter(|(key, _)| matches!(key.trim(), "pattern" | "file" | "folder"));
    entries.map(|(_, value)| below(&scalar(value.trim())))
}

/// A plain or quoted text. What YAML escapes between double quotes is what JSON does.
fn scalar(text: &str) -> String {
    if let Ok(Value::String(text)) = serde_json::from_str(text) {
        return text;
    }
    match text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
        Some(quoted) => quoted.replace("''", "'"),
        None => text.to_owned(),
    }
}

/// Reads `azureml://subscriptions/S/resourcegroups/G/workspaces/W/datastores/D/paths/P`.
/// What stands before `datastores` may be left out.
fn below(uri: &str) -> Result<PathBelow, Refusal> {
    let read = || {
        let mut rest = uri.strip_prefix("azureml://")?;
        loop {
            let (name, value) = rest.split_once('/')?;
            if name.eq_ignore_ascii_case("datastores") {
                let (datastore, below) = value.split_once('/')?;
                let (word, path) = below.split_once('/').unwrap_or((below, ""));
                let is_path = !datastore.is_empty() && word.eq_ignore_ascii_case("paths");
                return is_path.then(|| (datastore.to_owned(), path.to_owned()));
            }
            rest = value.split_once('/')?.1;
        }
    };
    let unknown =
        || invalid(format!("dataflowJson names '{uri}', which is no path below a datastore"));
    let (datastore, path) = read().ok_or_else(unknown)?;
    Ok(PathBelow { datastore, path })
}
