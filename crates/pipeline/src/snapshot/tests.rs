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

/// What the official SDK made of a folder.
#[derive(Debug, serde::Deserialize)]
struct Recorded {
    files: BTreeMap<String, Option<Content>>,
    expected: Expected,
    #[serde(default)]
    changes: BTreeMap<String, Option<Content>>,
    expected_after_changes: Option<Expected>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Link { link: String },
}

#[derive(Debug, serde::Deserialize)]
struct Expected {
    content_hash: String,
    tree: Option<ExpectedTree>,
    uploaded: Vec<String>,
}

#[derive(Debug, serde::Deserialize)]
struct ExpectedTree {
    hash: String,
    files: BTreeMap<String, String>,
}

impl Expected {
    /// Compares all but `uploaded`.
    fn compare(&self, snapshot: &Snapshot) -> Result<(), String> {
        if snapshot.content_hash != self.content_hash {
            return Err(format!("content hash, with {:?}", names(snapshot)));
        }
        let Some(tree) = &self.tree else { return Ok(()) };
        let files: BTreeMap<_, _> =
            snapshot.files.iter().map(|it| (it.name.clone(), it.hash.clone())).collect();
        if files != tree.files {
            return Err(format!("files: {:?}", names(snapshot)));
        }
        if snapshot.tree.hash != tree.hash {
            return Err("hash of the tree".to_owned());
        }
        Ok(())
    }
}

#[cfg(unix)]
fn write(folder: &Path, files: &BTreeMap<String, Option<Content>>, removes: bool) {
    for (name, content) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match content {
            Some(Content::Text(text)) => fs::write(path, text).unwrap(),
            Some(Content::Link { link }) => std::os::unix::fs::symlink(link, path).unwrap(),
            None if removes => fs::remove_file(path).unwrap(),
            None => fs::create_dir_all(path).unwrap(),
        }
    }
}

#[cfg(unix)]
#[test]
fn folders_give_the_files_and_hashes_of_the_official_sdk() {
    let fixtures: BTreeMap<String, Recorded> = crate::recorded::load_all("snapshots");
    assert!(30 < fixtures.len());
    let mut wrong = Vec::new();
    for (name, recorded) in &fixtures {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &recorded.files, false);
        let before = Snapshot::read(folder.path()).unwrap();
        if let Err(err) = recorded.expected.compare(&before) {
            wrong.push(format!("{name}: {err}"));
        }
        let changed: Vec<_> = before.changed(None).map(|it| &it.name).collect();
        if recorded.expected.tree.is_some() {
            assert_eq!(changed, recorded.expected.uploaded.iter().collect::<Vec<_>>(), "{name}");
        }
        let Some(expected) = &recorded.expected_after_changes else { continue };
        write(folder.path(), &recorded.changes, true);
        let after = Snapshot::read(folder.path()).unwrap();
        if let Err(err) = expected.compare(&after) {
            wrong.push(format!("{name}, changed: {err}"));
        }
        let known = before.hashes();
        let changed: Vec<_> = after.changed(Some(&known)).map(|it| &it.name).collect();
        assert_eq!(changed, expected.uploaded.iter().collect::<Vec<_>>(), "{name}, changed");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), fixtures.len(), wrong.join("\n"));
}
