//! The mock cloud as a process of its own.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

const START: Duration = Duration::from_secs(30);
/// The mock gives its children 5 s.
const END: Duration = Duration::from_secs(10);

/// How to reach the mock, as it says itself.
#[derive(Debug, Deserialize)]
pub(crate) struct Ready {
    pub(crate) url: String,
    pub(crate) tls_url: String,
    pub(crate) ca_file: String,
    pub(crate) tenant_id: String,
    pub(crate) client_id: String,
    #[serde(deserialize_with = "secret")]
    pub(crate) client_secret: SecretString,
    pub(crate) subscription_id: String,
    pub(crate) resource_group: String,
    pub(crate) workspace_name: String,
    pub(crate) databricks_resource_group: String,
    pub(crate) databricks_workspace_name: String,
    pub(crate) pid: u32,
}

#[derive(Debug)]
pub(crate) struct Mock {
    pub(crate) ready: Ready,
    child: Child,
}

impl Mock {
    /// Starts `program` and waits until it serves.
    pub(crate) async fn start(
        program: &Path,
        python: &Path,
        scratch: &Path,
        keep: bool,
    ) -> anyhow::Result<Self> {
        let (ready_file, log_file) = (scratch.join("ready.json"), scratch.join("mock.log"));
        let log = File::create(&log_file)?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--executor", "local"])
            .arg("--ready-file")
            .arg(&ready_file)
            .arg("--python")
            .arg(python)
            .stdin(Stdio::null())
            .stderr(log.try_clone()?)
            .stdout(log)
            // Ctrl-C is for this program, which then ends the mock.
            .process_group(0)
            .kill_on_drop(!keep);
        let mut child = command.spawn().with_context(|| {
            format!(
                "cannot start {}; build it with `cargo build -p azml-mock` and name it with --mock",
                program.display()
            )
        })?;
        let started = Instant::now();
        while !ready_file.exists() {
            if let Some(status) = child.try_wait()? {
                bail!("{}", last_words(status, &log_file));
            }
            if START < started.elapsed() {
                end(&mut child).await;
                bail!(
                    "the mock is not ready after {} s; its log is {}",
                    START.as_secs(),
                    log_file.display()
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
        let text = fs::read_to_string(&ready_file)?;
        let ready = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what a mock writes", ready_file.display()))?;
        Ok(Self { ready, child })
    }

    /// Ends the mock and the tasks that it runs.
    pub(crate) async fn stop(mut self) {
        end(&mut self.child).await;
    }

    /// Leaves the mock running and says how to use it.
    pub(crate) fn leave(self, scratch: &Path) {
        let Ready { url, tls_url, ca_file, tenant_id, client_id, pid, .. } = &self.ready;
        let project = scratch.join("project");
        let ready: PathBuf = scratch.join("ready.json");
        println!("the mock cloud goes on, as process {pid}:");
        println!("  open in a browser  {url}/_mock/journal");
        println!("  secrets and names  {}", ready.display());
        println!(
            "  as this principal  export AZURE_TENANT_ID={tenant_id} AZURE_CLIENT_ID={client_id}"
        );
        println!(
            "                     export AZURE_CLIENT_SECRET=\"$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[\"client_secret\"])' {})\"",
            ready.display()
        );
        println!(
            "  against this cloud export AZURE_AUTHORITY_HOST={tls_url} AZURE_RESOURCE_MANAGER_ENDPOINT={tls_url}"
        );
        println!("                     export AZML_CA_FILE={ca_file}");
        println!(
            "  then for example   cd {} && azml runs list --experiment wine",
            project.display()
        );
        println!("  end it             kill {pid} && rm -r {}", scratch.display());
    }
}

/// Asks politely first.
async fn end(child: &mut Child) {
    if let Some(id) = child.id().and_then(|it| i32::try_from(it).ok()) {
        // A process that has just ended needs no signal.
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        if timeout(END, child.wait()).await.is_ok() {
            return;
        }
    }
    let _ = child.kill().await;
}

fn last_words(status: ExitStatus, log_file: &Path) -> String {
    let log = fs::read_to_string(log_file).unwrap_or_default();
    match log.lines().rev().find(|it| !it.trim().is_empty()) {
        Some(line) => format!("the mock did not start: {line}"),
        None => format!("the mock did not start ({status}) and did not say why"),
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}
