//! Where the paths of a workspace are on this machine.

use std::path::{Path, PathBuf};

use crate::{
    kernel::{Kernel, files::Folder},
    services::databricks::paths::{local, normal},
};

fn below(folder: &Folder, path: &str) -> PathBuf {
    // A path that would leave its root is one that nothing lies at.
    normal(&format!("/{}", path.trim_start_matches('/')))
        .map_or_else(|_| folder.path().join("\u{fffd}"), |it| local(folder, &it))
}

/// The file behind a path as a job writes it: `dbfs:/`, `/Workspace`,
/// `/Volumes`, a storage address, or a path in the workspace.
pub(super) fn resolve(kernel: &Kernel, workspace: u64, path: &str) -> PathBuf {
    let files = &kernel.files;
    if let Some(it) = path.strip_prefix("dbfs:/Volumes/").or(path.strip_prefix("/Volumes/")) {
        return below(&files.volumes(workspace), it);
    }
    if let Some(it) = path.strip_prefix("dbfs:").or(path.strip_prefix("/dbfs/")) {
        return below(&files.dbfs(workspace), it);
    }
    if let Some(it) = path.strip_prefix("/Workspace/") {
        return below(&files.workspace(workspace), it);
    }
    if let Some(it) = path.strip_prefix("file:") {
        return Path::new(it).to_owned();
    }
    if let Some((_, it)) = path.split_once("://")
        && let Some((place, name)) = it.split_once('/')
        && let Some((container, host)) = place.split_once('@')
    {
        let account = host.split('.').next().unwrap_or_default();
        return files.container(account, container).locate(name);
    }
    below(&files.workspace(workspace), path)
}
