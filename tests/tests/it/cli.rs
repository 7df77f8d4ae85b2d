//! The program `azml` against the program `azml-mock`.

use std::{path::Path, process::Command};

use azml::workspace::{WorkspaceConfig, WorkspaceRef};
use serde_json::Value;

use crate::{lakehouse::remote_run, program::Program};

/// Runs `azml` in `folder` as the service principal of `program`.
fn azml(program: &Program, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cli"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("AZURE_TENANT_ID", program.text("tenant_id"))
        .env("AZURE_CLIENT_ID", program.text("client_id"))
        .env("AZURE_CLIENT_SECRET", program.text("client_secret"))
        .env("AZURE_AUTHORITY_HOST", program.text("tls_url"))
        .env("AZURE_RESOURCE_MANAGER_ENDPOINT", program.text("tls_url"))
        .env("AZML_CA_FILE", program.text("ca_file"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn the_program_azml_signs_in_and_lists_runs() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let workspace = WorkspaceRef::new(
        program.text("subscription_id"),
        program.text("resource_group"),
        program.text("workspace_name"),
    );
    WorkspaceConfig::write(folder.path(), &workspace).unwrap();
    let run = remote_run(program.client().await.tracking(), "wine").await;

    let (status, version, _) = azml(&program, folder.path(), &["--version"]);
    assert_eq!((status, version.starts_with("azml ")), (0, true), "{version}");

    let (status, identity, problem) = azml(&program, folder.path(), &["whoami"]);
    assert_eq!(status, 0, "{problem}");
    assert!(identity.contains(program.text("client_id")), "{identity}");
    assert!(!identity.contains(program.text("client_secret")), "{identity}");

    let list = ["runs", "list", "--experiment", "wine", "--output", "json"];
    let (status, runs, problem) = azml(&program, folder.path(), &list);
    assert_eq!(status, 0, "{problem}");
    let runs: Value = serde_json::from_str(&runs).unwrap();
    assert_eq!(runs[0]["id"], run.id().as_str());

    let list = ["runs", "list", "--experiment", "beer"];
    let (status, _, problem) = azml(&program, folder.path(), &list);
    assert_ne!(status, 0);
    assert!(problem.contains("beer"), "{problem}");
}
