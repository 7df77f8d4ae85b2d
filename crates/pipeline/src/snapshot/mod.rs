//! The folder of a local script: which files go along, and their hashes.

mod ignore;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    macros::format_description,
};

use azml_core::{Error, ErrorKind};

use self::ignore::IgnoreRules;
use crate::{PipelineError, Problem, ProblemKind, Result, StepName, plan};

const NAME: &str = "pipelines.snapshots.read";
/// The service refuses a larger file.
const MAX_FILE_BYTES: u64 = 300 * 1024 * 1024;
/// How much of a file is in memory at a time.
const PIECE_BYTES: usize = 64 * 1024;
const TIMESTAMP: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");

/// A folder as it was when it was read.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The files, sorted by path.
    pub(crate) files: Vec<SnapshotFile>,
    /// Hash over names and contents, or zeros for an empty folder.
    pub(crate) content_hash: String,
    /// The same files as the tree that the service stores.
    pub(crate) tree: TreeNode,
}

#[derive(Clone, Debug)]
pub(crate) struct SnapshotFile {
    /// Path below the folder, with `/` between parts.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Hash of content and name.
    pub(crate) hash: String,
}

/// One file or folder, with a hash that covers everything below it.
#[derive(Debug, Serialize)]
pub(crate) struct TreeNode {
    name: String,
    timestamp: String,
    children: BTreeMap<String, TreeNode>,
    #[serde(rename = "type")]
    node_type: &'static str,
    pub(crate) hash: String,
    #[serde(skip)]
    digest: Vec<u8>,
}

impl Snapshot {
    /// Reads `folder`. Blocks; large folders take a while. Files are read once, in
    /// pieces.
    ///
    /// # Errors
    ///
    /// Fails on what cannot be read, on files above 300 MiB and on links that
    /// lead in circles; the text names the path.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let rules = IgnoreRules::of_folder(folder)?;
        let mut walk = Walk { rules, files: Vec::new(), open: Vec::new() };
        let root = walk.folder(folder, "", "")?;
        let Hashed { files, digests, content_hash } = Hashed::new(walk.files)?;
        let tree = root.into_tree(&digests);
        Ok(Self { files, content_hash, tree })
    }

    /// Reads the folder of a step, without blocking the others.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] with what [`read`](Self::read) says.
    pub(crate) async fn of_step(step: &StepName, folder: &Path) -> Result<Self> {
        let path = folder.to_owned();
        let read = tokio::task::spawn_blocking(move || Self::read(&path)).await;
        let outcome = read.map_err(|err| Error::local(NAME, ErrorKind::Canceled, err))?;
        outcome.map_err(|err| unreadable(step, &err))
    }

    /// Hash of each file, by its path below the folder.
    pub(crate) fn hashes(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|it| (it.name.clone(), it.hash.clone())).collect()
    }

    /// The files that an earlier snapshot with these hashes does not have, or not so.
    pub(crate) fn changed<'a>(
        &'a self,
        known: Option<&'a BTreeMap<String, String>>,
    ) -> impl Iterator<Item = &'a SnapshotFile> {
        let is_known = move |file: &SnapshotFile| {
            known.is_some_and(|it| it.get(&file.name) == Some(&file.hash))
        };
        self.files.iter().filter(move |file| !is_known(file))
    }
}

/// What is wrong with the folder of a step.
pub(crate) fn unreadable(step: &StepName, err: &io::Error) -> PipelineError {
    let problem = Problem::new(
        "source_directory",
        ProblemKind::NoSuchFile,
        err.to_string(),
        "make the folder readable, or exclude the file in .amlignore",
    );
    PipelineError::Invalid(vec![problem.of_step(step)])
}

/// What a walk has found at a place.
struct Found {
    name: String,
    timestamp: String,
    kind: FoundKind,
}

enum FoundKind {
    /// A file, by its number in the walk.
    File(usize),
    Folder(Vec<Found>),
}

/// A file that a walk has found.
struct FoundFile {
    /// Path below the folder, with `/` between parts.
    name: String,
    path: PathBuf,
    size: u64,
}

struct Walk {
    rules: IgnoreRules,
    files: Vec<FoundFile>,
    /// Real paths of the folders above, against circles.
    open: Vec<PathBuf>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, name: &str, below: &str) -> io::Result<Found> {
        let real = fs::canonicalize(folder).map_err(|err| at(folder, &err))?;
        if self.open.contains(&real) {
            return Err(at(folder, &io::Error::other("the link leads back to a folder above it")));
        }
        self.open.push(real);
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(|err| at(folder, &err))? {
            let entry = entry.map_err(|err| at(folder, &err))?;
            let name = entry
                .file_name()
                .into_string()
                .map_err(|_| at(&entry.path(), &io::Error::other("the name is not valid UTF-8")))?;
            names.push(name);
        }
        names.sort_unstable();
        let mut children = Vec::with_capacity(names.len());
        for child in names {
            let relative =
                if below.is_empty() { child.clone() } else { format!("{below}/{child}") };
            if self.rules.excludes(&relative) {
                continue;
            }
            let path = folder.join(&child);
            let metadata = fs::metadata(&path).map_err(|err| at(&path, &err))?;
            children.push(if metadata.is_dir() {
                self.folder(&path, &child, &relative)?
            } else {
                self.file(path, child, relative, &metadata)?
            });
        }
        self.open.pop();
        let metadata = fs::metadata(folder).map_err(|err| at(folder, &err))?;
        let timestamp = timestamp(&metadata);
        Ok(Found { name: name.to_owned(), timestamp, kind: FoundKind::Folder(children) })
    }

    fn file(
        &mut self,
        path: PathBuf,
        name: String,
        relative: String,
        metadata: &fs::Metadata,
    ) -> io::Result<Found> {
        let size = metadata.len();
        if MAX_FILE_BYTES < size {
            let text = "the file is above 300 MiB: move it out of source_directory or exclude it \
                        in .amlignore";
            return Err(at(&path, &io::Error::other(text)));
        }
        let number = self.files.len();
        self.files.push(FoundFile { name: relative, path, size });
        Ok(Found { name, timestamp: timestamp(metadata), kind: FoundKind::File(number) })
    }
}

/// All files, read and hashed.
struct Hashed {
    /// Sorted by path.
    files: Vec<SnapshotFile>,
    /// In the order of the walk.
    digests: Vec<Vec<u8>>,
    content_hash: String,
}

impl Hashed {
    /// Reads each file once. The hash of all goes over them sorted by whole path, which
    /// is not the order of a walk: `a.b` is before `a/b`.
    fn new(found: Vec<FoundFile>) -> io::Result<Self> {
        let mut digests = vec![Vec::new(); found.len()];
        let mut order: Vec<_> = found.into_iter().enumerate().collect();
        order.sort_unstable_by(|a, b| a.1.name.cmp(&b.1.name));
        let mut content = Sha256::new();
        let mut files = Vec::with_capacity(order.len());
        let mut piece = vec![0; PIECE_BYTES];
        for (number, file) in order {
            content.update(file.name.as_bytes());
            let mut own = Sha512::new();
            read_in_pieces(&file.path, &mut piece, |piece| {
                content.update(piece);
                own.update(piece);
            })
            .map_err(|err| at(&file.path, &err))?;
            let name = file.name.rsplit('/').next().unwrap_or(&file.name);
            own.update(name.as_bytes());
            own.update(b"File");
            let digest = own.finalize().to_vec();
            let hash = plan::hex(&digest);
            digests[number] = digest;
            files.push(SnapshotFile { name: file.name, path: file.path, size: file.size, hash });
        }
        let content_hash = if files.is_empty() {
            plan::NO_CONTENT.to_owned()
        } else {
            plan::hex(&content.finalize())
        };
        Ok(Self { files, digests, content_hash })
    }
}

fn read_in_pieces(path: &Path, piece: &mut [u8], mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = fs::File::open(path)?;
    loop {
        match file.read(piece) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&piece[..length]),
            Err(err) if err.kind() == io::ErrorKind::Interrupted => (),
            Err(err) => return Err(err),
        }
    }
}

impl Found {
    /// The node, with the hash of everything below it.
    fn into_tree(self, digests: &[Vec<u8>]) -> TreeNode {
        let Self { name, timestamp, kind } = self;
        let (node_type, digest, children) = match kind {
            FoundKind::File(number) => ("File", digests[number].clone(), BTreeMap::new()),
            FoundKind::Folder(found) => {
                let (mut hasher, mut children) = (Sha512::new(), BTreeMap::new());
                for child in found {
                    let child = child.into_tree(digests);
                    hasher.update(&child.digest);
                    children.insert(child.name.clone(), child);
                }
                ("Directory", hasher.finalize().to_vec(), children)
            }
        };
        let hash = plan::hex(&digest);
        TreeNode { name, timestamp, children, node_type, hash, digest }
    }
}

fn at(path: &Path, err: &io::Error) -> io::Error {
    io::Error::new(err.kind(), format!("{}: {err}", path.display()))
}

/// When the file changed last, without an offset, as the service wants it.
fn timestamp(metadata: &fs::Metadata) -> String {
    let at = metadata.modified().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from);
    PrimitiveDateTime::new(at.date(), at.time()).format(TIMESTAMP).unwrap_or_default()
}

#[cfg(test)]
mod tests;
