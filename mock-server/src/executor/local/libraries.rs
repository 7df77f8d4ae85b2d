//! Installing Python packages for a cluster.

use std::{fs, process::Stdio, sync::Arc};

use tokio::process::Command;

use super::{Shared, environment, libraries_folder};
use crate::{
    executor::Installation,
    kernel::{Kernel, Refusal},
    services::databricks::libraries::{self, Library},
};

/// Installs one package and reports how that went.
pub(super) async fn install(shared: &Arc<Shared>, kernel: &Arc<Kernel>, it: Installation) {
    let outcome = match &it.library {
        Library::Pypi(package) => {
            let folder = libraries_folder(kernel, it.epoch, it.workspace, &it.cluster_id);
            pip(shared, &folder, &package.package, package.repo.as_deref()).await
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
    if let Some(repo) = repo {
        command.args(["--index-url", repo]);
    }
    // A package whose name begins with a dash is no option.
    command.arg("--").arg(package).env_clear().envs(environment::of_pip());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|err| err.to_string())?;
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
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.status().await.is_ok_and(|it| it.success())
}
