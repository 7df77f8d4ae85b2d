//! Finds the files that are to be sent, and refuses all bad ones at once.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use azml_core::{Error, FileSource, Result};
use tokio::fs;

use super::Upload;
use crate::ArtifactPath;

/// How many problems are named.
const MOST_NAMED: usize = 20;

/// Opens files of this machine, each with the path that it gets.
pub(crate) async fn files(
    operation: &'static str,
    pairs: Vec<(String, PathBuf)>,
) -> Result<Vec<Upload>> {
    let (mut uploads, mut problems, mut taken) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (path, file) in pairs {
        let Ok(path) = ArtifactPath::parse(&path) else {
            problems.push(format!("{path:?} is no relative path such as outputs/model.json"));
            continue;
        };
        if !taken.insert(path.clone()) {
            problems.push(format!("{path} is given twice"));
            continue;
        }
        match FileSource::open(&file).await {
            Ok(source) => uploads.push(Upload::new(path, Arc::new(source))),
            Err(err) => problems.push(err.to_string()),
        }
    }
    refuse(operation, problems)?;
    Ok(uploads)
}

/// The files in and below `folder`, each with its path below `prefix`.
pub(crate) async fn files_below(
    operation: &'static str,
    prefix: &str,
    folder: &Path,
) -> Result<Vec<(String, PathBuf)>> {
    let prefix = prefix.trim_end_matches('/');
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut folders = vec![(prefix.to_owned(), folder.to_owned())];
    let is_folder = fs::metadata(folder).await.map(|it| it.is_dir());
    match is_folder {
        Ok(true) => (),
        Ok(false) => problems.push(format!("{} is not a folder", folder.display())),
        Err(err) => problems.push(format!("{}: {err}", folder.display())),
    }
    refuse(operation, problems)?;
    let mut problems = Vec::new();
    while let Some((prefix, folder)) = folders.pop() {
        let cannot =
            |err: std::io::Error| Error::invalid(operation, format!("{}: {err}", folder.display()));
        let mut entries = fs::read_dir(&folder).await.map_err(cannot)?;
        while let Some(entry) = entries.next_entry().await.map_err(cannot)? {
            let file = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|it| !it.contains('\\')) else {
                problems
                    .push(format!("{}: the name is no text that a path can hold", file.display()));
                continue;
            };
            let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type().await.map_err(cannot)?;
            // A link to a file is the file; a link to a folder may lead in circles.
            if kind.is_dir() {
                folders.push((path, file));
            } else if kind.is_file() || fs::metadata(&file).await.is_ok_and(|it| it.is_file()) {
                found.push((path, file));
            } else {
                problems.push(format!("{}: is neither a file nor a folder", file.display()));
            }
        }
    }
    refuse(operation, problems)?;
    found.sort();
    Ok(found)
}

/// The files of a model at `path`: a file, or a folder that keeps its name.
/// Also tells the name.
#[cfg(feature = "azureml")]
pub(crate) async fn model_files(
    operation: &'static str,
    path: &Path,
) -> Result<(String, Vec<Upload>)> {
    let invalid = |reason: &str| Error::invalid(operation, format!("{}: {reason}", path.display()));
    // `folder/.` and `..` have no name of their own.
    let whole = fs::canonicalize(path).await.map_err(|err| invalid(&err.to_string()))?;
    let name = whole.file_name().and_then(|it| it.to_str());
    let name = name.ok_or_else(|| invalid("has no name"))?.to_owned();
    let pairs = if fs::metadata(&whole).await.is_ok_and(|it| it.is_dir()) {
        files_below(operation, &name, path).await?
    } else {
        vec![(name.clone(), path.to_owned())]
    };
    if pairs.is_empty() {
        return Err(invalid("has no files"));
    }
    Ok((name, files(operation, pairs).await?))
}

fn refuse(operation: &'static str, problems: Vec<String>) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let more = problems.len().saturating_sub(MOST_NAMED);
    let mut text = problems.into_iter().take(MOST_NAMED).collect::<Vec<_>>().join("; ");
    if more > 0 {
        text = format!("{text}; and {more} more");
    }
    Err(Error::invalid(operation, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_that_is_wrong_is_named_at_once() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "a").unwrap();
        let good = folder.path().join("a");
        let pairs = [
            ("../up", good.clone()),
            ("/root", good.clone()),
            ("x", good.clone()),
            ("x", good),
            ("y", PathBuf::from("nowhere.bin")),
            ("z", folder.path().to_owned()),
        ];
        let pairs = pairs.map(|(path, file)| (path.to_owned(), file)).into();
        let err = files("artifact.upload", pairs).await.unwrap_err().to_string();
        let err = err.replace(folder.path().to_str().unwrap(), "FOLDER");
        insta::assert_snapshot!(err, @r#"artifact.upload failed: "../up" is no relative path such as outputs/model.json; "/root" is no relative path such as outputs/model.json; x is given twice; nowhere.bin: No such file or directory (os error 2); FOLDER is not a file"#);
    }

    #[tokio::test]
    async fn a_folder_is_walked_and_a_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("sub/empty")).unwrap();
        for name in ["b", "sub/ü #%.txt", "B"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let found = files_below("artifact.upload", "out/", folder.path()).await.unwrap();
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["out/B", "out/b", "out/sub/ü #%.txt"]);
        let file = folder.path().join("b");
        assert!(files_below("artifact.upload", "out", &file).await.is_err());
        let (name, model) = model_files("models.register", &file).await.unwrap();
        assert_eq!((name.as_str(), model.len()), ("b", 1));
        let empty = folder.path().join("sub/empty");
        assert!(model_files("models.register", &empty).await.is_err());
    }
}
