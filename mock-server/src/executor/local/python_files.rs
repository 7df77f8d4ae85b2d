use std::{
    fs, io,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

macro_rules! embedded {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("python/", $name))),)*]
    };
}

/// What runs inside a task.
const FILES: &[(&str, &str)] = embedded![
    "cells.py" "commands.py" "context.py" "dbutils.py" "errors.py" "filesystem.py" "jvm.py" "jvm_programs.py" "maven.py"
    "notebook.py" "output.py" "paths.py" "runner.py" "secret_scopes.py" "spark.py" "spark_conf.py" "sql.py" "task.py" "tasks.py"
];

/// The Python side of the executor, in a folder that goes with it.
#[derive(Debug)]
pub(super) struct PythonFiles(PathBuf);

impl PythonFiles {
    pub(super) fn write() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        // Folders of dead processes are swept by this name.
        let name = format!("azml-mock-{}-python-{id}", std::process::id());
        let it = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&it.0)?;
        for (name, text) in FILES {
            fs::write(it.0.join(name), text)?;
        }
        Ok(it)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for PythonFiles {
    fn drop(&mut self) {
        if let Err(err) = fs::remove_dir_all(&self.0) {
            tracing::debug!(%err, folder = %self.0.display(), "a temporary folder stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_module_but_the_tests_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/executor/local/python");
        let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name());
        let mut names: Vec<String> = names.map(|it| it.to_string_lossy().into_owned()).collect();
        names.retain(|it| it.rsplit('.').next() == Some("py") && !it.starts_with("test_"));
        names.sort();
        let embedded: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, embedded);
    }
}
