use std::{collections::BTreeMap, time::Duration};

use crate::{
    kernel::{Kernel, Refusal, Site},
    services::blob,
};

/// The container of run artifacts.
const CONTAINER: &str = "azureml";

/// The folders of an artifact container whose files count as logs.
const FOLDERS: &[&str] = &["azureml-logs/", "logs/", "user_logs/", "system_logs/"];

/// How long the addresses are good for.
const VALID_FOR: Duration = Duration::from_secs(24 * 3600);

/// The log files below the artifact prefix `root`: names with their addresses.
pub(in super::super) fn files(
    kernel: &Kernel,
    site: &Site,
    account: &str,
    root: &str,
) -> Result<BTreeMap<String, String>, Refusal> {
    let folder = kernel.files.container(account, CONTAINER);
    let unreadable = |err: std::io::Error| Refusal::not_found(format!("no logs: {err}"));
    let mut found = BTreeMap::new();
    for (name, _) in folder.walk_below(root).map_err(unreadable)? {
        let Some(short) = name.strip_prefix(root) else { continue };
        if FOLDERS.iter().any(|it| short.starts_with(it)) {
            let signature = blob::sas(account, CONTAINER, &name, "r", VALID_FOR);
            found.insert(short.to_owned(), site.blob(account, CONTAINER, &name, &signature));
        }
    }
    Ok(found)
}
