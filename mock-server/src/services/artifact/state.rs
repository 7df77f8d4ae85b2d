use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Kernel, Refusal},
    services::blob::ARTIFACTS,
};

/// The paths that were registered, by account, then by `{origin}/{container}`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Artifacts {
    registered: BTreeMap<String, BTreeMap<String, BTreeMap<String, OffsetDateTime>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Registered { account: String, folder: String, paths: Vec<String>, at: OffsetDateTime },
}

/// The artifacts of one run or upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Folder<'a> {
    pub(crate) account: &'a str,
    /// What they come from: `ExperimentRun`, `LocalUpload`.
    pub(crate) origin: &'a str,
    pub(crate) container: &'a str,
}

impl Folder<'_> {
    /// The name of the blob of `path`, or of the folder of all for the empty path.
    pub(super) fn blob(self, path: &str) -> String {
        format!("{}/{}/{path}", self.origin, self.container)
    }

    fn key(self) -> String {
        format!("{}/{}", self.origin, self.container)
    }
}

impl Artifacts {
    pub(crate) fn evolve(&mut self, event: &Event) {
        let Event::Registered { account, folder, paths, at } = event;
        let folders = self.registered.entry(account.clone()).or_default();
        let known = folders.entry(folder.clone()).or_default();
        for path in paths {
            known.entry(path.clone()).or_insert(*at);
        }
    }

    fn registered(&self, folder: Folder<'_>) -> impl Iterator<Item = (&String, OffsetDateTime)> {
        let known = self.registered.get(folder.account).and_then(|it| it.get(&folder.key()));
        known.into_iter().flatten().map(|(path, at)| (path, *at))
    }
}

/// Makes paths known before their bytes come.
pub(super) fn decide_registration(
    folder: Folder<'_>,
    paths: Vec<String>,
    ctx: &Ctx<'_>,
) -> Decision<OffsetDateTime> {
    if let Some(path) = paths.iter().find(|it| it.is_empty() || it.starts_with('/')) {
        let text =
            format!("{path:?} is no path for an artifact: it must be relative and not empty");
        return Err(Refusal::invalid(text));
    }
    let (account, key) = (folder.account.to_owned(), folder.key());
    let event = Event::Registered { account, folder: key, paths, at: ctx.now };
    Ok((vec![kernel::Event::Artifact(event)], ctx.now))
}

/// All artifacts of a folder whose paths begin with `prefix`, and since when
/// they are there.
pub(super) fn find(
    kernel: &Kernel,
    folder: Folder<'_>,
    prefix: &str,
) -> Result<BTreeMap<String, OffsetDateTime>, Refusal> {
    let root = folder.blob("");
    let files = kernel.files.container(folder.account, ARTIFACTS).walk_below(&folder.blob(prefix));
    let files = files.map_err(|err| Refusal::not_found(format!("no artifacts: {err}")))?;
    let mut found = BTreeMap::new();
    for (name, data) in files {
        if let Some(path) = name.strip_prefix(&root) {
            let changed = data.modified().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from);
            found.insert(path.to_owned(), changed);
        }
    }
    kernel.read(|world, _| {
        let registered = world.artifacts.registered(folder);
        for (path, at) in registered.filter(|(path, _)| path.starts_with(prefix)) {
            found.insert(path.clone(), at);
        }
        Ok(found)
    })
}

/// The paths of all artifacts of a folder that begin with `prefix`, in order.
pub(crate) fn paths(
    kernel: &Kernel,
    folder: Folder<'_>,
    prefix: &str,
) -> Result<Vec<String>, Refusal> {
    Ok(find(kernel, folder, prefix)?.into_keys().collect())
}
