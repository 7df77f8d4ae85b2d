//! `cargo xtask tidy`: what neither rustfmt nor clippy checks.

mod files;
mod fixtures;
mod operations;
mod services;
mod source;

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

use self::source::Source;
use crate::project::Project;

pub(crate) fn run(project: &Project) -> anyhow::Result<()> {
    let tree = Tree::read(&project.root)?;
    let mut findings = Findings::default();
    files::check(&tree, &machine_paths(&project.root), &mut findings);
    fixtures::check(&tree, &mut findings);
    services::check(&tree, &mut findings);
    operations::check(&tree, &mut findings);
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for error in &findings.errors {
        println!("{error}");
    }
    if !findings.errors.is_empty() {
        bail!("{} findings of tidy", findings.errors.len());
    }
    println!("{} files are tidy", tree.files.len());
    Ok(())
}

/// All text files of the checkout, by their path below its root.
#[derive(Default)]
struct Tree {
    files: Vec<TextFile>,
}

struct TextFile {
    /// With `/` between the parts, whatever the system.
    path: String,
    text: String,
}

impl Tree {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        let entries = fs::read_dir(folder)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            // In a linked work tree `.git` is a file.
            if matches!(name.as_str(), ".git" | "target" | "__pycache__" | ".venv") {
                continue;
            }
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() && name != "Cargo.lock" {
                // What is not text has no lines to check.
                if let Ok(text) = fs::read_to_string(entry.path()) {
                    self.files.push(TextFile { path, text });
                }
            }
        }
        Ok(())
    }

    fn rust(&self) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(|file| file.is("rs"))
    }

    fn below(&self, folder: &str) -> impl Iterator<Item = &TextFile> {
        self.files.iter().filter(move |file| file.path.starts_with(folder))
    }
}

impl TextFile {
    fn source(&self) -> Source<'_> {
        Source::new(&self.text)
    }

    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|it| it == extension)
    }

    /// The folders and the file, from the root down.
    fn parts(&self) -> Vec<&str> {
        self.path.split('/').collect()
    }
}

/// What is wrong, and what soon will be.
#[derive(Default)]
struct Findings {
    errors: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    fn error(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.errors.push(format!("{place}: {what}"));
    }

    fn warning(&mut self, place: impl fmt::Display, what: impl fmt::Display) {
        self.warnings.push(format!("{place}: {what}"));
    }
}

/// How paths of one machine begin: home folders, and where this checkout is.
fn machine_paths(root: &Path) -> Vec<String> {
    let mut beginnings: Vec<PathBuf> =
        ["/home", "/root", "/work"].into_iter().map(PathBuf::from).collect();
    beginnings.push(root.to_owned());
    beginnings.extend(root.parent().filter(|it| it.components().count() > 2).map(Path::to_owned));
    beginnings.extend(env::var_os("HOME").map(PathBuf::from).filter(|it| it.parent().is_some()));
    beginnings.iter().map(|it| format!("{}/", it.display())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree as it is on disk after these files were written.
    pub(super) fn tree(files: &[(&str, &str)]) -> Tree {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Tree::read(folder.path()).unwrap()
    }

    #[test]
    fn built_and_binary_files_are_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["target/a.rs", ".git/b.rs", "c.bin", "d/e.rs"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, [0xff, 0xfe]).unwrap();
        }
        fs::write(folder.path().join("d/e.rs"), "fn e() {}").unwrap();
        fs::write(folder.path().join("d/.git"), "gitdir: elsewhere").unwrap();
        let tree = Tree::read(folder.path()).unwrap();
        assert_eq!(tree.files.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["d/e.rs"]);
    }
}
