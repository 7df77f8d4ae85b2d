use std::{
    collections::{BTreeMap, HashMap},
    fs,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World, ids},
    services::{
        arm::Arm,
        blob::{ARTIFACTS, default_container},
    },
};

/// What the files cannot tell: headers, metadata, hashes, blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Blobs {
    /// By account, then by name.
    containers: BTreeMap<String, BTreeMap<String, Container>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Container {
    pub(super) etag: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) modified_at: OffsetDateTime,
    pub(super) blobs: BTreeMap<String, Blob>,
    /// Blocks that wait for their list: by the blob's name, then by the block's id.
    uncommitted: BTreeMap<String, BTreeMap<String, Waiting>>,
}

/// A blob as it was written through this API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Blob {
    pub(super) etag: String,
    pub(super) headers: Headers,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) created_at: OffsetDateTime,
    pub(super) modified_at: OffsetDateTime,
    /// Of which file all this is true.
    pub(super) stamp: Stamp,
    /// The blocks that it is made of, in order. Empty if it was put whole.
    pub(super) blocks: Vec<Block>,
}

/// What a client stores with a blob and gets back in headers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Headers {
    pub(super) content_type: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) cache_control: Option<String>,
    /// In base64.
    pub(super) content_md5: Option<String>,
}

/// Tells whether a file is still the one that was written: length and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) len: u64,
    /// When the file was changed, in nanoseconds since 1970.
    changed: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) id: String,
    pub(super) len: u64,
}

/// A block that no list has named yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(super) len: u64,
    /// Its file, in the folder of blocks.
    pub(super) file: String,
}

/// Where a blob is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct At {
    pub(super) account: String,
    pub(super) container: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    ContainerCreated {
        account: String,
        name: String,
        etag: String,
        metadata: BTreeMap<String, String>,
        at: OffsetDateTime,
    },
    Put {
        at: At,
        blob: Box<Blob>,
    },
    BlockPut {
        at: At,
        id: String,
        block: Waiting,
    },
    MetadataSet {
        at: At,
        blob: Box<Blob>,
    },
    Deleted {
        at: At,
    },
    /// A rule has decided what a task wrote.
    Written {
        account: String,
        container: String,
        name: String,
        text: String,
    },
}

impl Stamp {
    pub(super) fn of(file: &fs::Metadata) -> Self {
        let changed = file.modified().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from);
        let changed = i64::try_from(changed.unix_timestamp_nanos()).unwrap_or_default();
        Self { len: file.len(), changed }
    }

    fn changed_at(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(self.changed.into())
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl Container {
    /// What is known of the blob `name`, whose file has `stamp`. A file that
    /// somebody else wrote is a blob with nothing stored beside it.
    pub(super) fn blob(&self, name: &str, stamp: Stamp) -> Blob {
        let known = self.blobs.get(name).filter(|it| it.stamp == stamp);
        known.cloned().unwrap_or_else(|| Blob::found(stamp))
    }

    /// The files of the blocks that go with the next change of the blob `name`.
    fn forgotten(&self, name: &str) -> Vec<String> {
        self.waiting(name).map(|(_, it)| it.file.clone()).collect()
    }

    pub(super) fn waiting(&self, name: &str) -> impl Iterator<Item = (&String, &Waiting)> {
        self.uncommitted.get(name).into_iter().flatten()
    }
}

impl Blob {
    pub(super) fn found(stamp: Stamp) -> Self {
        let changed_at = stamp.changed_at();
        Self {
            etag: etag(stamp.changed.cast_unsigned(), stamp.len),
            headers: Headers::default(),
            metadata: BTreeMap::new(),
            created_at: changed_at,
            modified_at: changed_at,
            stamp,
            blocks: Vec::new(),
        }
    }
}

fn etag(seed: u64, id: u64) -> String {
    format!("\"0x{}\"", ids::hex16(seed, id).to_ascii_uppercase())
}

impl Blobs {
    /// The containers that workspaces bring along.
    pub(crate) fn seeded(arm: &Arm, at: OffsetDateTime) -> Self {
        let mut blobs = Self::default();
        for workspace in arm.workspaces() {
            for name in [ARTIFACTS.to_owned(), default_container(&workspace.workspace_id)] {
                let created = Event::ContainerCreated {
                    account: workspace.account.clone(),
                    name,
                    etag: etag(0, 0),
                    metadata: BTreeMap::new(),
                    at,
                };
                blobs.evolve(&created);
            }
        }
        blobs
    }

    pub(crate) fn has_container(&self, account: &str, name: &str) -> bool {
        self.container(account, name).is_ok()
    }

    pub(super) fn container(&self, account: &str, name: &str) -> Result<&Container, Refusal> {
        let found = self.containers.get(account).and_then(|it| it.get(name));
        let missing = || {
            let text = "The specified container does not exist.";
            Refusal::not_found(text).with_code("ContainerNotFound")
        };
        found.ok_or_else(missing)
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::ContainerCreated { account, name, etag, metadata, at } => {
                let container = Container {
                    etag: etag.clone(),
                    metadata: metadata.clone(),
                    modified_at: *at,
                    blobs: BTreeMap::new(),
                    uncommitted: BTreeMap::new(),
                };
                let account = self.containers.entry(account.clone()).or_default();
                account.insert(name.clone(), container);
            }
            Event::Put { at, blob } => {
                if let Some(it) = self.container_mut(at) {
                    it.blobs.insert(at.name.clone(), (**blob).clone());
                    it.uncommitted.remove(&at.name);
                }
            }
            Event::MetadataSet { at, blob } => {
                if let Some(it) = self.container_mut(at) {
                    it.blobs.insert(at.name.clone(), (**blob).clone());
                }
            }
            Event::BlockPut { at, id, block } => {
                if let Some(it) = self.container_mut(at) {
                    let blocks = it.uncommitted.entry(at.name.clone()).or_default();
                    blocks.insert(id.clone(), block.clone());
                }
            }
            Event::Deleted { at } => {
                if let Some(it) = self.container_mut(at) {
                    it.blobs.remove(&at.name);
                    it.uncommitted.remove(&at.name);
                }
            }
            // The effect writes the file, and the file tells everything.
            Event::Written { .. } => (),
        }
    }

    fn container_mut(&mut self, at: &At) -> Option<&mut Container> {
        self.containers.get_mut(&at.account)?.get_mut(&at.container)
    }
}

/// Makes the containers that a new workspace brings along, if they are not there.
pub(crate) fn decide_containers(
    world: &World,
    account: &str,
    workspace_id: &str,
    ctx: &mut Ctx<'_>,
) -> Vec<kernel::Event> {
    let names = [ARTIFACTS.to_owned(), default_container(workspace_id)];
    let missing = names.into_iter().filter(|it| world.blobs.container(account, it).is_err());
    let created = missing.map(|name| Event::ContainerCreated {
        account: account.to_owned(),
        name,
        etag: etag(world.seed, ctx.draw_id()),
        metadata: BTreeMap::new(),
        at: ctx.now,
    });
    created.map(kernel::Event::Blob).collect()
}

/// Makes a container.
pub(crate) fn decide_container(
    blobs: &Blobs,
    account: &str,
    name: &str,
    metadata: BTreeMap<String, String>,
    seed: u64,
    ctx: &mut Ctx<'_>,
) -> Decision<String> {
    let legal = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    let bounded = (3..=63).contains(&name.len()) && !name.starts_with('-') && !name.ends_with('-');
    if !bounded || !name.chars().all(legal) || name.contains("--") {
        let text = "The specified resource name contains invalid characters.";
        return Err(Refusal::invalid(text).with_code("InvalidResourceName"));
    }
    if blobs.container(account, name).is_ok() {
        let text = "The specified container already exists.";
        return Err(Refusal::new(Kind::AlreadyExists, text).with_code("ContainerAlreadyExists"));
    }
    let etag = etag(seed, ctx.draw_id());
    let created = Event::ContainerCreated {
        account: account.to_owned(),
        name: name.to_owned(),
        etag: etag.clone(),
        metadata,
        at: ctx.now,
    };
    Ok((vec![kernel::Event::Blob(created)], etag))
}

/// What is stored with a blob that is being written.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    pub(super) headers: Headers,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) blocks: Vec<Block>,
}

/// Records a blob whose file is in its place. Names the files of the blocks
/// that are forgotten with it.
pub(super) fn decide_put(
    blobs: &Blobs,
    at: &At,
    stamp: Stamp,
    stored: Stored,
    seed: u64,
    ctx: &mut Ctx<'_>,
) -> Decision<(Blob, Vec<String>)> {
    let container = blobs.container(&at.account, &at.container)?;
    let blob = Blob {
        etag: etag(seed, ctx.draw_id()),
        headers: stored.headers,
        metadata: stored.metadata,
        created_at: container.blobs.get(&at.name).map_or(ctx.now, |it| it.created_at),
        modified_at: ctx.now,
        stamp,
        blocks: stored.blocks,
    };
    let put = Event::Put { at: at.clone(), blob: Box::new(blob.clone()) };
    Ok((vec![kernel::Event::Blob(put)], (blob, container.forgotten(&at.name))))
}

/// Records a block whose file is in its place. All ids of a blob are of one length.
pub(super) fn decide_block(
    blobs: &Blobs,
    at: &At,
    id: &str,
    block: Waiting,
) -> Decision<Option<String>> {
    let container = blobs.container(&at.account, &at.container)?;
    if container.waiting(&at.name).any(|(it, _)| it.len() != id.len()) {
        let text = "The specified blob or block content is invalid.";
        return Err(Refusal::invalid(text).with_code("InvalidBlobOrBlock"));
    }
    let mut waiting = container.waiting(&at.name);
    let replaced = waiting.find(|(it, _)| *it == id).map(|(_, it)| it.file.clone());
    let put = Event::BlockPut { at: at.clone(), id: id.to_owned(), block };
    Ok((vec![kernel::Event::Blob(put)], replaced))
}

/// Replaces the metadata of a blob.
pub(super) fn decide_metadata(
    blobs: &Blobs,
    at: &At,
    stamp: Stamp,
    metadata: BTreeMap<String, String>,
    seed: u64,
    ctx: &mut Ctx<'_>,
) -> Decision<Blob> {
    let old = blobs.container(&at.account, &at.container)?.blob(&at.name, stamp);
    let blob = Blob { metadata, etag: etag(seed, ctx.draw_id()), modified_at: ctx.now, ..old };
    let set = Event::MetadataSet { at: at.clone(), blob: Box::new(blob.clone()) };
    Ok((vec![kernel::Event::Blob(set)], blob))
}

/// Forgets a blob whose file is gone, and names the files of the blocks that
/// are forgotten with it.
pub(super) fn decide_deletion(blobs: &Blobs, at: &At) -> Decision<Vec<String>> {
    let forgotten = blobs.container(&at.account, &at.container)?.forgotten(&at.name);
    Ok((vec![kernel::Event::Blob(Event::Deleted { at: at.clone() })], forgotten))
}

/// Where the bytes of one part of a new blob are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// In a file of the folder of blocks.
    Waiting(String),
    /// In the blob as it is, from this byte on.
    Present(u64),
}

/// Which list names a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListedIn {
    Latest,
    Uncommitted,
    Committed,
}

/// Finds the blocks that a list names.
pub(super) fn assemble(
    container: &Container,
    at: &At,
    present: Option<&Blob>,
    list: &[(ListedIn, String)],
) -> Result<Vec<(Block, Source)>, Refusal> {
    let waiting: HashMap<&String, &Waiting> = container.waiting(&at.name).collect();
    let mut committed = HashMap::new();
    let mut offset = 0;
    for block in present.into_iter().flat_map(|it| &it.blocks) {
        committed.entry(&block.id).or_insert((block.len, offset));
        offset += block.len;
    }
    let find = |(from, id): &(ListedIn, String)| {
        let new = waiting.get(id).filter(|_| *from != ListedIn::Committed);
        let old = committed.get(id).filter(|_| *from != ListedIn::Uncommitted);
        let (len, source) = match (new, old) {
            (Some(it), _) => (it.len, Source::Waiting(it.file.clone())),
            (None, Some((len, offset))) => (*len, Source::Present(*offset)),
            (None, None) => {
                let text = "The specified block list is invalid.";
                return Err(Refusal::invalid(text).with_code("InvalidBlockList"));
            }
        };
        Ok((Block { id: id.clone(), len }, source))
    };
    list.iter().map(find).collect()
}
