//! The program `azml` against the program `azml-mock`.

use std::{fs, path::Path, process::Command};

use azml::{
    databricks::workspace_objects::{ImportOptions, Language, WorkspaceObjects},
    workspace::{WorkspaceConfig, WorkspaceRef},
};
use serde_json::Value;

use crate::{
    lakehouse::{access_token, attach, remote_run},
    program::Program,
};

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

const PIPELINE: &str = "
name: wine
default_compute: my-dbx-cluster
parameters: {depth: 3}
steps:
  - type: DatabricksStep
    name: prepare
    outputs: [clean]
    num_workers: 1
    python_script_name: prepare.py
    source_directory: src
  - type: DatabricksStep
    name: train
    inputs: [clean]
    num_workers: 1
    notebook_path: /Shared/train
    notebook_params: {depth: {parameter: depth}}
";

fn write_pipeline(folder: &Path) {
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("src/prepare.py"), "print('prepared')\n").unwrap();
    fs::write(folder.join("wine.yml"), PIPELINE).unwrap();
}

#[tokio::test]
async fn the_program_azml_submits_and_follows_a_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path(), &[]).await;
    let workspace = WorkspaceRef::new(
        program.text("subscription_id"),
        program.text("resource_group"),
        program.text("workspace_name"),
    );
    WorkspaceConfig::write(folder.path(), &workspace).unwrap();
    write_pipeline(folder.path());
    let validate = ["pipeline", "validate", "--online", "wine.yml"];
    let (status, _, problem) = azml(&program, folder.path(), &validate);
    assert_eq!(status, 1);
    assert!(problem.contains("compute_target"), "{problem}");

    let client = program.client().await;
    let databricks = client.databricks(program.text("tls_url"));
    attach(&client, access_token(&databricks).await).await.unwrap();
    let (notebook, options) =
        ("/Shared/train".parse().unwrap(), ImportOptions::source(Language::Python));
    let objects = databricks.workspace_objects();
    objects.import(&notebook, "print('trained')\n".into(), &options).await.unwrap();
    let (status, said, problem) = azml(&program, folder.path(), &validate);
    assert_eq!((status, said.as_str()), (0, "wine.yml: valid, 2 steps\n"), "{problem}");

    let follow = ["pipeline", "follow", "wine.yml", "-p", "depth=5", "--output", "json"];
    let (status, said, problem) = azml(&program, folder.path(), &follow);
    assert_eq!(status, 0, "{problem}");
    let events: Vec<Value> = said.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(events[0]["event"], "submitted");
    let finished = events.iter().filter(|it| it["event"] == "finished");
    let steps: Vec<_> = finished.map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["prepare", "train"]);
    assert_eq!(events.last().unwrap()["status"], "Finished");

    let submit = ["pipeline", "submit", "wine.yml", "--json"];
    let (status, said, problem) = azml(&program, folder.path(), &submit);
    assert_eq!(status, 0, "{problem}");
    let submitted: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(submitted["experiment"], "wine");
}

#[test]
fn the_program_azml_checks_and_shows_a_pipeline_without_signing_in() {
    let folder = tempfile::tempdir().unwrap();
    write_pipeline(folder.path());
    let azml = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cli"));
        command.arg("pipeline").args(arguments).current_dir(folder.path()).env_clear();
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    assert_eq!(azml(&["validate", "wine.yml"]).1, "wine.yml: valid, 2 steps\n");

    let wire: Value = serde_json::from_str(&azml(&["graph", "wine.yml"]).1).unwrap();
    assert_eq!(wire["Graph"]["ModuleNodes"][1]["ModuleId"], "module-2");
    assert_eq!(wire["Modules"][0]["StorageId"], "snapshot-1");
    let jobs: Value =
        serde_json::from_str(&azml(&["graph", "--format", "databricks", "wine.yml"]).1).unwrap();
    assert_eq!(jobs["tasks"][1]["depends_on"][0]["task_key"], "prepare");
    assert!(azml(&["graph", "--format", "mermaid", "wine.yml"]).1.starts_with("flowchart TD\n"));
    assert!(azml(&["graph", "--format", "dot", "wine.yml"]).1.starts_with("digraph \"wine\" {\n"));

    let wrong = PIPELINE
        .replace("num_workers: 1\n    notebook_path", "num_workers: \"1\"\n    notebook_path");
    fs::write(folder.path().join("wrong.yml"), wrong).unwrap();
    let (status, _, problem) = azml(&["validate", "wrong.yml"]);
    assert_eq!(status, 1);
    assert!(
        problem.contains("step `train`: num_workers: the text \"1\" is no whole number, at line "),
        "{problem}"
    );
}
