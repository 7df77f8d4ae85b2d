//! The folder of a local script: which files go along, and their hashes.

mod ignore;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    macros::format_description,
};

use self::ignore::IgnoreRules;
use crate::plan;

/// The service refuses a larger file.
const MAX_FILE_BYTES: u64 = 300 * 1024 * 1024;
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
    /// Reads `folder`. Blocks; large folders take a while.
    ///
    /// # Errors
    ///
    /// Fails on what cannot be read, on files above 300 MiB and on links that
    /// lead in circles; the text names the path.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let rules = IgnoreRules::of_folder(folder)?;
        let mut walk = Walk { rules, files: Vec::new(), open: Vec::new() };
        let tree = walk.folder(folder, "", "")?;
        let mut files = walk.files;
        files.sort_unstable_by(|a, b| a.0.name.cmp(&b.0.name));
        let mut hasher = Sha256::new();
        for (file, content) in &files {
            hasher.update(file.name.as_bytes());
            hasher.update(content);
        }
        let content_hash = if files.is_empty() {
            plan::NO_CONTENT.to_owned()
        } else {
            plan::hex(&hasher.finalize())
        };
        let files = files.into_iter().map(|it| it.0).collect();
        Ok(Self { files, content_hash, tree })
    }
}

struct Walk {
    rules: IgnoreRules,
    files: Vec<(SnapshotFile, Vec<u8>)>,
    /// Real paths of the folders above, against circles.
    open: Vec<PathBuf>,
}

impl Walk {
    fn folder(&mut self, folder: &Path, name: &str, below: &str) -> io::Result<TreeNode> {
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
        let (mut children, mut hasher) = (BTreeMap::new(), Sha512::new());
        for child in names {
            let relative =
                if below.is_empty() { child.clone() } else { format!("{below}/{child}") };
            if self.rules.excludes(&relative) {
                continue;
            }
            let path = folder.join(&child);
            let metadata = fs::metadata(&path).map_err(|err| at(&path, &err))?;
            let node = if metadata.is_dir() {
                self.folder(&path, &child, &relative)?
            } else {
                self.file(path, &child, relative, &metadata)?
            };
            hasher.update(&node.digest);
            children.insert(child, node);
        }
        self.open.pop();
        let metadata = fs::metadata(folder).map_err(|err| at(folder, &err))?;
        let digest = hasher.finalize().to_vec();
        Ok(TreeNode {
            name: name.to_owned(),
            timestamp: timestamp(&metadata),
            children,
            node_type: "Directory",
            hash: plan::hex(&digest),
            digest,
        })
    }

    fn file(
        &mut self,
        path: PathBuf,
        name: &str,
        relative: String,
        metadata: &fs::Metadata,
    ) -> io::Result<TreeNode> {
        let size = metadata.len();
        if MAX_FILE_BYTES < size {
            let text = "the file is above 300 MiB: move it out of source_directory or exclude it \
                        in .amlignore";
            return Err(at(&path, &io::Error::other(text)));
        }
        let content = fs::read(&path).map_err(|err| at(&path, &err))?;
        let mut hasher = Sha512::new();
        hasher.update(&content);
        hasher.update(name.as_bytes());
        hasher.update(b"File");
        let digest = hasher.finalize().to_vec();
        let hash = plan::hex(&digest);
        let file = SnapshotFile { name: relative, path, size, hash: hash.clone() };
        self.files.push((file, content));
        Ok(TreeNode {
            name: name.to_owned(),
            timestamp: timestamp(metadata),
            children: BTreeMap::new(),
            node_type: "File",
            hash,
            digest,
        })
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
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        folder
    }

    fn names(snapshot: &Snapshot) -> Vec<&str> {
        snapshot.files.iter().map(|it| it.name.as_str()).collect()
    }

    #[test]
    fn hashes_are_those_that_the_official_sdk_sent_for_the_same_file() {
        let folder = folder(&[("train.py", "import sys; print(sys.argv)\n")]);
        let snapshot = Snapshot::read(folder.path()).unwrap();
        assert_eq!(
            snapshot.content_hash,
            "54a97c928309df75a2ab24b6fb72742fb33c125793f92693b412022130566fb3"
        );
        assert_eq!(
            snapshot.tree.children["train.py"].hash,
            "1395568812075b3ef48008f65c03936ad78c8711ee3a4d26658edefd3aaf14d3\
             efae3eacbf6110fb9382030e9a53f9ef2c2043e396134a2fce6f869ae7f5134c"
        );
        assert_eq!(
            snapshot.tree.hash,
            "45be264b0a8fdb68436b1e03b9d313c6d67653a9ca595124f245b686ca205572\
             5fce850258a876e4e934633ef9718fe3abfdf348071eb5ce8dbc4fdeccb290b2"
        );
    }

    #[test]
    fn an_empty_folder_has_the_hash_of_none() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = Snapshot::read(folder.path()).unwrap();
        assert_eq!(snapshot.content_hash, "0".repeat(32));
    }

    #[test]
    fn a_folder_excluded_by_its_content_can_get_a_file_back_but_not_one_excluded_itself() {
        let folder = folder(&[
            (".amlignore", "d/\n!d/keep.txt\ne\n!e/keep.txt\n"),
            ("d/keep.txt", ""),
            ("d/lost.txt", ""),
            ("e/keep.txt", ""),
            ("main.py", ""),
        ]);
        let snapshot = Snapshot::read(folder.path()).unwrap();
        assert_eq!(names(&snapshot), [".amlignore", "d/keep.txt", "main.py"]);
    }

    #[test]
    fn an_amlignore_hides_the_gitignore_even_when_empty() {
        let files = [(".gitignore", "*.log\n"), ("a.log", ""), ("b/.gitignore", "*"), ("b/c", "")];
        let plain = folder(&files);
        let snapshot = Snapshot::read(plain.path()).unwrap();
        assert_eq!(names(&snapshot), [".gitignore", "b/.gitignore", "b/c"]);

        fs::write(plain.path().join(".amlignore"), "").unwrap();
        let snapshot = Snapshot::read(plain.path()).unwrap();
        let expected = [".amlignore", ".gitignore", "a.log", "b/.gitignore", "b/c"];
        assert_eq!(names(&snapshot), expected);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_circles_found() {
        let folder = folder(&[("a/b.txt", "b")]);
        std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("c")).unwrap();
        let snapshot = Snapshot::read(folder.path()).unwrap();
        assert_eq!(names(&snapshot), ["a/b.txt", "c/b.txt"]);

        std::os::unix::fs::symlink(folder.path(), folder.path().join("a/up")).unwrap();
        assert!(Snapshot::read(folder.path()).is_err());
    }
}
