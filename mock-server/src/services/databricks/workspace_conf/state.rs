use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    kernel::{self, Decision, World},
    services::databricks::{self, workspace_of},
};

/// Switches that are on in a new workspace.
const ON: &[&str] = &[
    "enableTokensConfig",
    "enableDbfsFileBrowser",
    "enableResultsDownloading",
    "enableExportNotebook",
    "enableUploadDataUis",
    "enableWebTerminal",
    "enableProjectTypeInWorkspace",
    "enableGp3",
];
/// Switches that are off.
const OFF: &[&str] = &[
    "enableIpAccessLists",
    "enableDeprecatedClusterNamedInitScripts",
    "enableDeprecatedGlobalInitScripts",
    "enforceUserIsolation",
    "enableProjectsAllowList",
    "storeInteractiveNotebookResultsInCustomerAccount",
];

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Conf(BTreeMap<String, String>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Set(BTreeMap<String, String>),
}

pub(super) fn decide_set(
    world: &World,
    workspace: u64,
    values: BTreeMap<String, String>,
    caller: &str,
) -> Decision<()> {
    workspace_of(world, workspace)?.principals.check_admin(caller)?;
    let set = databricks::Event::Conf(Event::Set(values));
    Ok((vec![kernel::Event::Databricks(workspace, set)], ()))
}

impl Conf {
    pub(crate) fn evolve(&mut self, event: &Event) {
        let Event::Set(values) = event;
        self.0.extend(values.clone());
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        match self.0.get(key) {
            Some(it) => Some(it),
            None if ON.contains(&key) => Some("true"),
            None if OFF.contains(&key) => Some("false"),
            None => None,
        }
    }
}
