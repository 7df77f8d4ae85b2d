use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::kernel::{self, Ctx, Decision, Refusal};

/// Where the files of snapshots are in the container of artifacts.
pub(super) const FOLDER: &str = "snapshots";

/// How much the files of a snapshot may have together, and so each of them.
pub(super) const LIMIT: u64 = 300 << 20;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// By the id of the workspace, then by their own.
    snapshots: BTreeMap<String, BTreeMap<String, Snapshot>>,
    /// The newest snapshot by the id of the workspace.
    latest: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The names of blobs in the container `azureml` by the names of files.
    pub(super) files: BTreeMap<String, String>,
    pub(super) sizes: BTreeMap<String, u64>,
    /// Folders, files and their hashes, as the client worked them out.
    pub(super) tree: Value,
    pub(super) parent_id: Option<String>,
    pub(super) tags: Value,
    pub(super) properties: Value,
    pub(super) created_at: OffsetDateTime,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    SnapshotCreated { workspace: String, id: String, snapshot: Box<Snapshot> },
}

impl Content {
    /// The files of a snapshot: the names of blobs in the container `azureml`
    /// by the names of files.
    pub(crate) fn files(
        &self,
        workspace: &str,
        snapshot_id: &str,
    ) -> Option<&BTreeMap<String, String>> {
        self.find(workspace, snapshot_id).map(|it| &it.files)
    }

    fn find(&self, workspace: &str, id: &str) -> Option<&Snapshot> {
        self.snapshots.get(workspace)?.get(id)
    }

    pub(super) fn snapshot(&self, workspace: &str, id: &str) -> Result<&Snapshot, Refusal> {
        let missing =
            || Refusal::not_found(format!("Snapshot {id} was not found")).with_code("UserError");
        self.find(workspace, id).ok_or_else(missing)
    }

    /// The newest snapshot of a workspace with its id.
    pub(super) fn latest(&self, workspace: &str) -> Option<(&str, &Snapshot)> {
        let id = self.latest.get(workspace)?;
        self.find(workspace, id).map(|it| (id.as_str(), it))
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        let Event::SnapshotCreated { workspace, id, snapshot } = event;
        let of_it = self.snapshots.entry(workspace.clone()).or_default();
        of_it.insert(id.clone(), (**snapshot).clone());
        self.latest.insert(workspace.clone(), id.clone());
    }
}

/// What a client says about a new snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct NewSnapshot {
    pub(super) id: String,
    pub(super) parent_id: Option<String>,
    /// The names of all files. Empty when the client says nothing about it.
    pub(super) names: Vec<String>,
    pub(super) tree: Value,
    /// The blobs of the files that are new.
    pub(super) sent: BTreeMap<String, String>,
    pub(super) tags: Value,
    pub(super) properties: Value,
}

/// Makes a snapshot. What was not sent is as in the parent. `sizes` are those
/// of the blobs of new files that are there.
pub(super) fn decide_snapshot(
    content: &Content,
    workspace: &str,
    new: NewSnapshot,
    sizes: &BTreeMap<String, u64>,
    ctx: &Ctx<'_>,
) -> Decision<()> {
    if new.id.is_empty() {
        return Err(Refusal::invalid("a snapshot needs an id"));
    }
    let parent = new.parent_id.as_deref().and_then(|it| content.find(workspace, it));
    let names: Vec<String> =
        if new.names.is_empty() { new.sent.keys().cloned().collect() } else { new.names };
    let (mut files, mut all_sizes) = (BTreeMap::new(), BTreeMap::new());
    for name in names {
        let (blob, size) = if let Some(blob) = new.sent.get(&name) {
            let size = sizes.get(blob).copied().ok_or_else(|| {
                Refusal::invalid(format!("the file {name:?} was not uploaded to its address"))
            })?;
            (blob, size)
        } else {
            let known = parent.and_then(|it| Some((it.files.get(&name)?, it.sizes.get(&name)?)));
            let (blob, size) = known.ok_or_else(|| {
                Refusal::invalid(format!(
                    "the file {name:?} was not sent and is not in the parent snapshot"
                ))
            })?;
            (blob, *size)
        };
        if LIMIT < size {
            return Err(too_large(&format!("the file {name:?} has {size} bytes")));
        }
        files.insert(name.clone(), blob.clone());
        all_sizes.insert(name, size);
    }
    let total: u64 = all_sizes.values().sum();
    if LIMIT < total {
        return Err(too_large(&format!("its files have {total} bytes together")));
    }
    if let Some(known) = content.find(workspace, &new.id) {
        // A client that lost the answer asks again.
        return if known.files == files {
            Ok((Vec::new(), ()))
        } else {
            Err(Refusal::conflict(format!("Snapshot {} exists with other files", new.id)))
        };
    }
    let snapshot = Box::new(Snapshot {
        files,
        sizes: all_sizes,
        tree: new.tree,
        parent_id: new.parent_id,
        tags: new.tags,
        properties: new.properties,
        created_at: ctx.now,
    });
    let event = Event::SnapshotCreated { workspace: workspace.to_owned(), id: new.id, snapshot };
    Ok((vec![kernel::Event::Content(event)], ()))
}

fn too_large(what: &str) -> Refusal {
    let limit = LIMIT >> 20;
    Refusal::invalid(format!(
        "The snapshot exceeds the limit of {limit} MiB: {what}; leave large files out with .amlignore"
    ))
    .with_code("UserError")
}
