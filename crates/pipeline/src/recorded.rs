//! What was recorded with the official SDK, for tests.

use std::{collections::BTreeMap, fs, path::Path};

use serde::de::DeserializeOwned;

/// All fixtures of a folder, by name.
pub(crate) fn load_all<T: DeserializeOwned>(folder: &str) -> BTreeMap<String, T> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pipelines").join(folder);
    let entries = fs::read_dir(&root).unwrap().map(|it| it.unwrap().path());
    let files = entries.filter(|it| it.extension().is_some_and(|it| it == "json"));
    files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let fixture = serde_json::from_str(&text);
            let fixture = fixture.unwrap_or_else(|err| panic!("{}: {err}", path.display()));
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fixture)
        })
        .collect()
}
