//! Installing what a cluster is to have: Python packages for its tasks, JARs for its JVM.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::process::Command;

use super::{Shared, children, environment, libraries_folder, places::resolve};
use crate::{
    executor::Installation,
    kernel::{Kernel, Refusal},
    services::databricks::libraries::{self, Library, Maven},
};

/// How long an installation may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Installs one library and reports how that went.
pub(super) async fn install(shared: &Arc<Shared>, kernel: &Arc<Kernel>, it: Installation) {
    let folder = libraries_folder(kernel, it.epoch, it.workspace, &it.cluster_id);
    let installed = put(shared, kernel, &it, &folder);
    let too_long = || Err("the installation took more than 10 minutes".to_owned());
    let outcome = tokio::time::timeout(LIMIT, installed).await.unwrap_or_else(|_| too_long());
    let committed = kernel.commit::<_, Refusal>(|world, ctx| {
        Ok((libraries::decide_report(world, &it, outcome, ctx), ()))
    });
    if let Err(refusal) = committed {
        tracing::error!(library = ?it.library, %refusal.message, "an installation was not recorded");
    }
}

/// Puts a library where the tasks of the cluster find it.
async fn put(
    shared: &Shared,
    kernel: &Kernel,
    it: &Installation,
    folder: &Path,
) -> Result<(), String> {
    let file = |path: &str| {
        let file = resolve(kernel, it.workspace, path);
        if file.is_file() { Ok(file) } else { Err(format!("{path} does not exist")) }
    };
    match &it.library {
        Library::Pypi(package) => {
            if is_there(shared, &package.package).await {
                return Ok(());
            }
            // A package whose name begins with a dash is no option.
            let arguments = ["--".into(), package.package.as_str().into()];
            pip(shared, folder, &arguments, package.repo.as_deref()).await
        }
        Library::Whl(path) => pip(shared, folder, &["--".into(), file(path)?.into()], None).await,
        Library::Requirements(path) => {
            pip(shared, folder, &["--requirement".into(), file(path)?.into()], None).await
        }
        Library::Egg(path) => copy(&file(path)?, folder),
        Library::Jar(path) => copy(&file(path)?, &jars(folder)),
        Library::Maven(package) => maven(shared, folder, package).await,
        Library::Cran(_) => Err("R is not available on a local cluster".to_owned()),
    }
}

/// Where the JARs of a cluster are in the folder of its libraries.
pub(super) fn jars(libraries: &Path) -> PathBuf {
    libraries.join("jars")
}

/// The files in `folder` with this ending, by name.
pub(super) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|it| it.path());
    let mut files: Vec<_> =
        entries.filter(|it| it.extension().is_some_and(|it| it == ending)).collect();
    files.sort();
    files
}

fn copy(file: &Path, folder: &Path) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default();
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(file, folder.join(name)));
    copied.map(drop).map_err(|err| err.to_string())
}

/// Resolves a package and what it depends on with Spark's own means.
async fn maven(shared: &Shared, folder: &Path, package: &Maven) -> Result<(), String> {
    let jars = jars(folder);
    fs::create_dir_all(&jars).map_err(|err| err.to_string())?;
    let mut command = Command::new(&shared.options.python);
    command.args(["-u", "-B"]).arg(shared.python_files.file("maven.py")).arg(&jars);
    command.arg(&package.coordinates).arg(package.repo.as_deref().unwrap_or_default());
    command.arg(package.exclusions.join(",")).env_clear().envs(environment::of_pip());
    let output = output(&mut command).await.map_err(|err| err.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(last_words(&output, "Maven"))
}

/// Prints nothing and ends well if the requirement is met already.
const IS_THERE: &str = "\
import sys
from importlib import metadata
name, _, version = sys.argv[1].partition('==')
found = metadata.version(name.strip())
sys.exit(0 if not version or found == version.strip() else 1)
";

async fn pip(
    shared: &Shared,
    folder: &Path,
    what: &[OsString],
    repo: Option<&str>,
) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|err| err.to_string())?;
    let mut command = Command::new(&shared.options.python);
    command
        .args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--target"])
        .arg(folder)
        .args(what)
        .env_clear()
        .envs(environment::of_pip());
    if let Some(repo) = repo {
        // Everybody may read the arguments of a process; this may hold a password.
        command.env("PIP_INDEX_URL", repo);
    }
    let output = output(&mut command).await.map_err(|err| err.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(last_words(&output, "pip"))
}

fn last_words(output: &Output, program: &str) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    // Hints may follow the error itself.
    let mut lines = text.lines().rev().filter(|it| !it.trim().is_empty());
    let last = lines.clone().find(|it| it.starts_with("ERROR: ")).or_else(|| lines.next());
    last.map_or_else(|| format!("{program} said nothing"), |it| it.trim().to_owned())
}

async fn is_there(shared: &Shared, package: &str) -> bool {
    let mut command = Command::new(&shared.options.python);
    command.args(["-c", IS_THERE, package]).env_clear().envs(environment::of_pip());
    output(&mut command).await.is_ok_and(|it| it.status.success())
}

/// Runs a program in a group of its own, which ends when nobody waits any more.
async fn output(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn()?;
    let group = children::Group(children::pid_of(&child));
    let output = child.wait_with_output().await;
    drop(group);
    output
}
