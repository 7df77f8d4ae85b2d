use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kernel::{self, Decision, Refusal};

/// Where the files of snapshots are in the container of artifacts.
pub(super) const FOLDER: &str = "snapshots";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {
    /// By the id of the snapshot: the names of blobs by the names of files.
    snapshots: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    SnapshotCreated { id: String, files: BTreeMap<String, String> },
}

impl Content {
    /// The files of a snapshot: the names of blobs in the container `azureml`
    /// by the names of files.
    pub(crate) fn files(&self, snapshot_id: &str) -> Option<&BTreeMap<String, String>> {
        self.snapshots.get(snapshot_id)
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        let Event::SnapshotCreated { id, files } = event;
        self.snapshots.insert(id.clone(), files.clone());
    }
}

/// What a client says about a new snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NewSnapshot {
    pub(super) id: String,
    pub(super) parent_id: Option<String>,
    /// The names of all files. Empty when the client says nothing about it.
    pub(super) names: Vec<String>,
    /// The blobs of the files that are new.
    pub(super) sent: BTreeMap<String, String>,
}

/// Makes a snapshot. What was not sent is as in the parent.
pub(super) fn decide_snapshot(content: &Content, new: NewSnapshot) -> Decision<()> {
    if new.id.is_empty() {
        return Err(Refusal::invalid("a snapshot needs an id"));
    }
    let parent = new.parent_id.as_deref().and_then(|it| content.files(it));
    let names: Vec<String> =
        if new.names.is_empty() { new.sent.keys().cloned().collect() } else { new.names };
    let mut files = BTreeMap::new();
    for name in names {
        let blob = new.sent.get(&name).or_else(|| parent?.get(&name));
        let Some(blob) = blob else {
            let text = format!("the file {name:?} was not sent and is not in the parent snapshot");
            return Err(Refusal::invalid(text));
        };
        files.insert(name, blob.clone());
    }
    let event = Event::SnapshotCreated { id: new.id, files };
    Ok((vec![kernel::Event::Content(event)], ()))
}
