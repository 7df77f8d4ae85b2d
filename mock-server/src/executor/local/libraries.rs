//! Installing Python packages for a cluster.

use std::{
    fs, io,
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use tokio::process::Command;

use super::{Shared, children, environment, libraries_folder};
use crate::{
    executor::Installation,
    kernel::{Kernel, Refusal},
    services::databricks::libraries::{self, Library},
};

/// How long an installation may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Installs one package and reports how that went.
pub(super) async fn install(shared: &Arc<Shared>, kernel: &Arc<Kernel>, it: Installation) {
    let outcome = match &it.library {
        Library::Pypi(package) => {
            let folder = libraries_folder(kernel, it.epoch, it.workspace, &it.cluster_id);
            let installed = pip(shared, &folder, &package.package, package.repo.as_deref());
            let too_long = || Err("the installation took more than 10 minutes".to_owned());
            tokio::time::timeout(LIMIT, installed).await.unwrap_or_else(|_| too_long())
        }
        _ => Ok(()),
    };
    let committed = kernel.commit::<_, Refusal>(|world, ctx| {
        Ok((libraries::decide_report(world, &it, outcome, ctx), ()))
    });
    if let Err(refusal) = committed {
        tracing::error!(library = ?it.library, %refusal.message, "an installation was not recorded");
    }
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
    folder: &std::path::Path,
    package: &str,
    repo: Option<&str>,
) -> Result<(), String> {
    if is_there(shared, package).await {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|err| err.to_string())?;
    let mut command = Command::new(&shared.options.python);
    command
        .args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--target"])
        .arg(folder);
    // A package whose name begins with a dash is no option.
    command.arg("--").arg(package).env_clear().envs(environment::of_pip());
    if let Some(repo) = repo {
        // Everybody may read the arguments of a process; this may hold a password.
        command.env("PIP_INDEX_URL", repo);
    }
    let output = output(&mut command).await.map_err(|err| err.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    // Hints may follow the error itself.
    let mut lines = text.lines().rev().filter(|it| !it.trim().is_empty());
    let last = lines.clone().find(|it| it.starts_with("ERROR: ")).or_else(|| lines.next());
    Err(last.unwrap_or("pip said nothing").trim().to_owned())
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
