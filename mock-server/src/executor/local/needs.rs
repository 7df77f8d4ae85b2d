//! Whether a task needs the JVM of its cluster, judged by its code before it starts.
//!
//! A task that is misjudged still works: its Python starts a JVM of its own when
//! it meets Spark.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use super::{places::resolve, spec};
use crate::{
    executor::{Code, Work},
    kernel::Kernel,
};

/// How much of an archive is read.
const LIMIT: u64 = 16 << 20;

pub(super) fn needs_spark(kernel: &Kernel, work: &Work) -> bool {
    match &work.code {
        // They have a JVM of their own, so that its output is theirs.
        Code::Jar { .. } | Code::SparkSubmit => false,
        Code::SqlFile { .. } => true,
        Code::Notebook { language, .. } if language.eq_ignore_ascii_case("sql") => true,
        Code::Wheel { wheels, .. } => {
            let files = wheels.iter().map(|it| resolve(kernel, work.attempt.workspace, it));
            files.into_iter().any(|it| archive_speaks_of_spark(&it).unwrap_or(false))
        }
        // Beside a script of the user's machine lie the modules that it imports.
        Code::LocalScript { folder, .. } => python_files(&kernel.files.root().join(folder))
            .iter()
            .any(|it| file_speaks_of_spark(it)),
        Code::Notebook { .. } | Code::PythonFile { .. } => {
            spec::source(kernel, work).is_some_and(|it| file_speaks_of_spark(&it))
        }
    }
}

fn file_speaks_of_spark(file: &Path) -> bool {
    let text = fs::read(file).unwrap_or_default();
    speaks_of_spark(&String::from_utf8_lossy(&text))
}

/// The Python files in a folder and in those within it.
fn python_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(it) if it.is_dir() => folders.push(entry.path()),
                Ok(it) if it.is_file() && is_python(&entry.path()) => found.push(entry.path()),
                _ => (),
            }
        }
    }
    found
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "py")
}

/// Whether a wheel holds Python code that speaks of Spark.
fn archive_speaks_of_spark(file: &Path) -> Option<bool> {
    let mut archive = zip::ZipArchive::new(fs::File::open(file).ok()?).ok()?;
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index(index) else { continue };
        if !entry.name().is_ok_and(|it| is_python(Path::new(&*it))) {
            continue;
        }
        let mut bytes = Vec::new();
        entry.take(LIMIT).read_to_end(&mut bytes).ok()?;
        if speaks_of_spark(&String::from_utf8_lossy(&bytes)) {
            return Some(true);
        }
    }
    Some(false)
}

/// As the Python side judges it.
pub(super) fn speaks_of_spark(text: &str) -> bool {
    // `sc` is a word that other code has, too; a JVM too many does no harm.
    let is_word = |it: &str| matches!(it, "spark" | "pyspark" | "sc" | "sqlContext");
    text.split(|it: char| !it.is_alphanumeric() && it != '_').any(is_word) || text.contains("%sql")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn code_speaks_of_spark_by_whole_words() {
        for (text, expected) in [
            ("df = spark.range(3)", true),
            ("from pyspark.sql import SparkSession", true),
            ("# MAGIC %sql select 1", true),
            ("spark_like = 1", false),
            ("print('sparkling')", false),
        ] {
            assert_eq!(speaks_of_spark(text), expected, "{text}");
        }
    }

    #[test]
    fn a_wheel_is_judged_by_its_python_files() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expected) in [("import pyspark", true), ("print(1)", false)] {
            let file = folder.path().join("a.whl");
            let mut archive = zip::ZipWriter::new(fs::File::create(&file).unwrap());
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Deflated);
            for (name, text) in [("a/notes.txt", "pyspark"), ("a/main.py", text)] {
                archive.start_file(name, options).unwrap();
                archive.write_all(text.as_bytes()).unwrap();
            }
            archive.finish().unwrap();
            assert_eq!(archive_speaks_of_spark(&file), Some(expected));
        }
        assert_eq!(archive_speaks_of_spark(&folder.path().join("none.whl")), None);
    }
}
