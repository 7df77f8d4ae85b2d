use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::{WorldId, ids};

/// Where names that are no paths are kept, outside Spark's view.
const BY_HASH: &str = ".by-hash";

/// The bytes of one world: blobs, DBFS, volumes and workspace files.
///
/// The folder is the truth for existence, size and bytes, because Spark shares
/// it. The log holds what a folder cannot: headers, metadata, hashes.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    /// Makes the names of unfinished files unique.
    next: AtomicU64,
    /// Held from the check of a write's conditions until it is recorded, so that
    /// file and record of one write are one step for all others.
    pub(crate) writing: Mutex<()>,
}

/// A store of names below one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder(PathBuf);

impl Files {
    pub(crate) fn new(root: &Path, world: &WorldId) -> Self {
        Self {
            root: root.join(world.folder()),
            next: AtomicU64::default(),
            writing: Mutex::default(),
        }
    }

    /// The folder of everything below.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A blob container.
    pub(crate) fn container(&self, account: &str, container: &str) -> Folder {
        Folder(self.root.join("blobs").join(account).join(container))
    }

    /// What `dbfs:/` shows in a Databricks workspace.
    pub(crate) fn dbfs(&self, workspace: u64) -> Folder {
        Folder(self.root.join("databricks").join(workspace.to_string()).join("dbfs"))
    }

    /// What `/Workspace` shows in a Databricks workspace.
    pub(crate) fn workspace(&self, workspace: u64) -> Folder {
        Folder(self.root.join("databricks").join(workspace.to_string()).join("workspace"))
    }

    /// What `/Volumes` shows in a Databricks workspace.
    pub(crate) fn volumes(&self, workspace: u64) -> Folder {
        Folder(self.root.join("databricks").join(workspace.to_string()).join("volumes"))
    }

    /// What an MLflow server keeps for its clients. `place` says whose it is.
    pub(crate) fn mlflow(&self, place: &str) -> Folder {
        Folder(self.root.join("mlflow").join(place))
    }

    /// Where runs keep their logs and scratch folders.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// Where the blocks of blobs wait for the list that joins them.
    pub(crate) fn blocks(&self) -> PathBuf {
        self.root.join("blocks")
    }

    /// A name in this world's folder that nobody else uses, for a file in the
    /// making. It is renamed into its place when it is whole.
    pub(crate) fn unfinished(&self) -> io::Result<PathBuf> {
        let folder = self.root.join("unfinished");
        fs::create_dir_all(&folder)?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(folder.join(format!("{}-{id}", std::process::id())))
    }

    /// Writes `bytes` under `path` in one step: nobody sees half a file.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let unfinished = self.unfinished()?;
        fs::File::create(&unfinished)?.write_all(bytes)?;
        place(&unfinished, path)
    }

    /// Copies the file `source` to `path` in one step, however large it is.
    pub(crate) fn copy(&self, source: &Path, path: &Path) -> io::Result<()> {
        let mut source = fs::File::open(source)?;
        let unfinished = self.unfinished()?;
        io::copy(&mut source, &mut fs::File::create(&unfinished)?)?;
        place(&unfinished, path)
    }

    /// Forgets every file of this world.
    pub(crate) fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.root) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
            _ => Ok(()),
        }
    }
}

/// Moves a finished file to its place, making the folders above it.
pub(crate) fn place(unfinished: &Path, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::rename(unfinished, path)
}

impl Folder {
    /// A folder of this machine that does not belong to a world.
    pub(crate) fn local(path: PathBuf) -> Self {
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the thing called `name` is, or would be: below this folder in its
    /// own name if that is a path, else by the hash of the name. `a` and `a/b`
    /// are both legal blobs; whichever comes second is kept by hash.
    pub(crate) fn locate(&self, name: &str) -> PathBuf {
        let by_hash = || self.0.join(BY_HASH).join(ids::hex(&Sha256::digest(name.as_bytes())));
        if !is_path(name) {
            return by_hash();
        }
        let path = self.0.join(name);
        let hashed = by_hash();
        if hashed.exists() || path.is_dir() || has_file_above(&self.0, name) {
            return hashed;
        }
        path
    }

    /// The files whose names relative to this folder begin with `prefix`, in the
    /// order of the names, without a look into folders that cannot hold one.
    /// Checksum files that Hadoop leaves beside its data are passed over.
    pub(crate) fn walk_below(&self, prefix: &str) -> io::Result<Vec<(String, fs::Metadata)>> {
        let parent = prefix.rfind('/').map_or("", |at| &prefix[..=at]);
        if !parent.is_empty() && !is_path(parent.trim_end_matches('/')) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        walk_into(&self.0.join(parent), parent, &mut found)?;
        found.retain(|(name, _)| name.starts_with(prefix));
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }
}

/// Whether `name` may be used as a relative path as it stands.
fn is_path(name: &str) -> bool {
    let legal = |it: &str| !matches!(it, "" | "." | ".." | BY_HASH) && it.len() <= 255;
    !name.contains(['\0', '\\']) && name.split('/').all(legal)
}

fn has_file_above(root: &Path, name: &str) -> bool {
    let above = name.rmatch_indices('/').map(|(at, _)| &name[..at]);
    above.into_iter().any(|it| root.join(it).is_file())
}

fn walk_into(
    folder: &Path,
    prefix: &str,
    found: &mut Vec<(String, fs::Metadata)>,
) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(err)
            if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Ok(());
        }
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_checksum =
            name.strip_prefix('.').is_some_and(|it| it.strip_suffix(".crc").is_some());
        if name == BY_HASH || is_checksum {
            continue;
        }
        let name = format!("{prefix}{name}");
        match entry.metadata() {
            Ok(it) if it.is_dir() => walk_into(&entry.path(), &format!("{name}/"), found)?,
            Ok(it) => found.push((name, it)),
            // It was removed while we looked.
            Err(err) if err.kind() == io::ErrorKind::NotFound => (),
            Err(err) => return Err(err),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path(), &WorldId::default());
        (folder, files)
    }

    #[test]
    fn a_name_and_a_name_below_it_are_both_kept() {
        let (_guard, files) = files();
        let container = files.container("acct", "c");
        for (name, text) in [("a", "one"), ("a/b", "two"), ("../up", "three")] {
            files.write(&container.locate(name), text.as_bytes()).unwrap();
        }
        for (name, text) in [("a", "one"), ("a/b", "two"), ("../up", "three")] {
            assert_eq!(fs::read_to_string(container.locate(name)).unwrap(), text);
            assert!(container.locate(name).starts_with(container.path()));
        }
    }

    #[test]
    fn a_copy_is_whole_and_a_missing_file_leaves_nothing() {
        let (_guard, files) = files();
        let (source, target) = (files.dbfs(1).locate("a"), files.dbfs(2).locate("b/c"));
        assert!(files.copy(&source, &target).is_err());
        assert!(!files.root().join("unfinished").exists());
        files.write(&source, b"one").unwrap();
        files.copy(&source, &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"one");
        assert_eq!(fs::read(&source).unwrap(), b"one");
    }

    #[test]
    fn what_spark_leaves_beside_its_data_is_no_blob() {
        let (_guard, files) = files();
        let container = files.container("acct", "c");
        for name in ["d/part-0", "d/.part-0.crc", "d/_SUCCESS"] {
            files.write(&container.locate(name), b"").unwrap();
        }
        let names: Vec<String> =
            container.walk_below("").unwrap().into_iter().map(|(it, _)| it).collect();
        assert_eq!(names, ["d/_SUCCESS", "d/part-0"]);
    }
}
