//! Interpreters and virtual environments.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::{process, project::Project};

/// Finds the interpreter: `AZML_PYTHON`, else the first of `names` that runs.
pub(crate) fn find(names: &[&str]) -> anyhow::Result<String> {
    if let Ok(chosen) = env::var("AZML_PYTHON") {
        if !runs(&chosen) {
            bail!("AZML_PYTHON is {chosen}, which does not run; set it to a python3");
        }
        return Ok(chosen);
    }
    match names.iter().find(|name| runs(name)) {
        Some(name) => Ok((*name).to_owned()),
        None => bail!("python3 is not on PATH; install it, or set AZML_PYTHON to an interpreter"),
    }
}

/// The environment in which tasks run on Spark, made with the pinned packages.
///
/// # Errors
///
/// Without Java there is no Spark, and without its packages neither.
pub(crate) fn spark_environment(project: &Project, python: &str) -> anyhow::Result<PathBuf> {
    if !process::succeeds(Command::new("java").arg("-version")) {
        bail!("Java is not on PATH; install Java 17 or later");
    }
    let pinned = project.path("fixtures/python/spark-requirements.txt");
    let requirements =
        fs::read_to_string(&pinned).with_context(|| format!("cannot read {}", pinned.display()))?;
    environment(&project.target.join("venv/spark"), python, &requirements)
}

fn runs(python: &str) -> bool {
    process::succeeds(
        Command::new(python).args(["-c", "import sys; assert sys.version_info[0] == 3"]),
    )
}

/// Makes a virtual environment with these requirements, unless it is there
/// already, and gives its interpreter.
pub(crate) fn environment(
    folder: &Path,
    python: &str,
    requirements: &str,
) -> anyhow::Result<PathBuf> {
    let interpreter = folder.join("bin/python");
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|made_with| made_with == requirements) {
        return Ok(interpreter);
    }
    println!("setting up {} (once): {}", folder.display(), requirements.trim());
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove the old {}", folder.display()))?;
    }
    process::run(Command::new(python).args(["-m", "venv"]).arg(folder))?;
    let wanted = folder.join("wanted.txt");
    fs::write(&wanted, requirements)
        .with_context(|| format!("cannot write {}", wanted.display()))?;
    process::run(
        Command::new(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&wanted),
    )?;
    // Renamed last, so that an interrupted set-up starts over.
    fs::rename(&wanted, &stamp).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(interpreter)
}
