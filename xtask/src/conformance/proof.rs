//! Who has shown what: the operations of the mock cloud that parts have used
//! which passed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::Context;

use crate::project::Project;

const TABLE: &str = "tests/conformance/proved.tsv";

/// Suites and parts by the operation that they have used.
pub(crate) type Proofs = BTreeMap<String, BTreeSet<String>>;

/// Makes the folder anew.
pub(super) fn begin(folder: &Path) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Puts what the suites have shown into the table. Suites that did not run stay as they are.
pub(super) fn keep(project: &Project, folder: &Path) -> anyhow::Result<()> {
    let mut proofs = read(project)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let suite = entry.file_name().to_string_lossy().into_owned();
        let own = format!("{suite} ");
        for parts in proofs.values_mut() {
            parts.retain(|it| !it.starts_with(&own));
        }
        for (operation, part) in rows(&fs::read_to_string(entry.path())?) {
            proofs.entry(operation).or_default().insert(format!("{own}{part}"));
        }
    }
    proofs.retain(|_, parts| !parts.is_empty());
    let mut text = String::new();
    for (operation, parts) in &proofs {
        for part in parts {
            writeln!(text, "{operation}\t{part}")?;
        }
    }
    fs::remove_dir_all(folder)?;
    fs::write(project.path(TABLE), text).with_context(|| format!("cannot write {TABLE}"))
}

/// The table. Nothing is shown while there is none.
pub(crate) fn read(project: &Project) -> anyhow::Result<Proofs> {
    let path = project.path(TABLE);
    if !path.exists() {
        return Ok(Proofs::new());
    }
    let mut proofs = Proofs::new();
    for (operation, part) in rows(&fs::read_to_string(&path)?) {
        proofs.entry(operation).or_default().insert(part);
    }
    Ok(proofs)
}

fn rows(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.lines().filter_map(|line| line.split_once('\t'));
    pairs.map(|(operation, part)| (operation.to_owned(), part.to_owned()))
}
