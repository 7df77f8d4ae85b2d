use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    http::{get, parse, post, soon},
    program::{Program, complaint, run, text},
};

#[tokio::test]
async fn the_ready_file_tells_all_and_the_port_accepts() {
    let program = Program::serve(&[]).await;
    assert_eq!(get(program.url(), "/_mock/health").await["status"], "ok");

    let document: Value =
        serde_json::from_slice(&std::fs::read(program.ready_file()).unwrap()).unwrap();
    let mut keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let wanted = [
        "ca_file",
        "client_id",
        "client_secret",
        "cloud_name",
        "databricks_host",
        "databricks_resource_group",
        "databricks_token",
        "databricks_workspace_name",
        "oidc_subject_token",
        "pid",
        "resource_group",
        "subscription_id",
        "tenant_id",
        "tls_url",
        "url",
        "workspace_name",
    ];
    assert_eq!(keys, wanted);
    let (url, ca_file) = (program.url(), &program.ready.ca_file);
    assert_eq!(
        program.line,
        format!(
            "azml-mock listens at {url} (TLS on the same port, CA {ca_file}), tasks are simulated"
        )
    );
}

#[tokio::test]
async fn a_signal_ends_it_in_order_and_nothing_is_left() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut program = Program::serve(&[]).await;
        get(program.url(), "/_mock/health").await;
        program.signal(signal);
        assert_eq!(program.ended().await.code(), Some(0));
        assert!(!std::path::Path::new(&program.ready.ca_file).exists());
    }
}

/// Begins a request whose body is not there yet, and waits until its handler does.
async fn begun_request(url: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /_mock/outcomes HTTP/1.1\r\nhost: a.test\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    soon(stream.read_exact(&mut go_on)).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

/// Waits until nobody accepts at `url` any more.
async fn closed(url: &str) {
    let refused = async {
        while TcpStream::connect(url.trim_start_matches("http://")).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(refused).await;
}

#[tokio::test]
async fn an_open_request_is_answered_before_the_end() {
    let mut program = Program::serve(&[]).await;
    let mut stream = begun_request(program.url()).await;
    program.signal(Signal::SIGTERM);
    closed(program.url()).await;
    stream.write_all(b"[]").await.unwrap();
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.unwrap();
    assert_eq!(parse(&bytes).unwrap().status, 200);
    assert_eq!(program.ended().await.code(), Some(0));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let mut program = Program::serve(&[]).await;
    let _open = begun_request(program.url()).await;
    program.signal(Signal::SIGTERM);
    closed(program.url()).await;
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().await.code(), Some(130));
}

#[tokio::test]
async fn a_taken_port_is_one_line_and_status_2() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let line = complaint(&["serve", "--listen", &address]).await;
    let wanted = format!("cannot listen on {address}: Address already in use");
    assert!(line.starts_with(&wanted), "{line}");
}

#[tokio::test]
async fn a_data_folder_in_use_is_one_line_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    let _first = Program::serve(&["--data-dir", data]).await;
    let line = complaint(&["serve", "--data-dir", data]).await;
    assert_eq!(line, format!("the folder {data} is in use by another azml-mock"));
}

#[tokio::test]
async fn an_unreadable_seed_is_one_line_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.json");
    std::fs::write(&seed, r#"{"version": 9, "world": {}}"#).unwrap();
    let line = complaint(&["serve", "--seed", text(&seed)]).await;
    let file = seed.display();
    assert_eq!(
        line,
        format!("the seed {file} cannot be read: the seed has version 9, this program reads 1")
    );
    std::fs::remove_file(&seed).unwrap();
    let line = complaint(&["serve", "--seed", text(&seed)]).await;
    assert!(line.starts_with(&format!("the seed {file} cannot be read: No such file")), "{line}");
}

#[tokio::test]
async fn code_is_run_for_other_machines_only_if_that_is_said() {
    let line = complaint(&["serve", "--listen", "0.0.0.0:0", "--executor", "local"]).await;
    let wanted =
        "--executor local on 0.0.0.0:0 would let every machine that reaches it run code here";
    assert!(line.starts_with(wanted), "{line}");
}

#[tokio::test]
async fn a_python_that_is_not_there_is_one_line_and_status_2() {
    let line = complaint(&["serve", "--executor", "local", "--python", "/nowhere/python"]).await;
    assert_eq!(
        line,
        "/nowhere/python cannot run tasks: there is no such program; give --python PATH"
    );
}

#[tokio::test]
async fn a_cloud_can_begin_as_another_one_was() {
    let first = Program::serve(&[]).await;
    let rules = json!([{"task": "*", "result": "FAILED", "error": "fake"}]);
    post(first.url(), "/_mock/outcomes", &rules).await;
    let mut export = get(first.url(), "/_mock/export").await;
    let folder = tempfile::tempdir().unwrap();
    let seed = folder.path().join("seed.json");
    std::fs::write(&seed, export.to_string()).unwrap();

    let data = folder.path().join("data");
    let arguments = ["--seed", text(&seed), "--data-dir", text(&data)];
    let second = Program::serve(&arguments).await;
    let mut again = get(second.url(), "/_mock/export").await;
    for document in [&mut export, &mut again] {
        // Where the history begins is the one thing that differs.
        let world = document["world"].as_object_mut().unwrap();
        assert!(world.remove("seq").is_some() && world.remove("at").is_some());
    }
    assert_eq!(again, export);
    second.killed().await;

    let third = Program::serve(&["--data-dir", text(&data)]).await;
    assert_eq!(get(third.url(), "/_mock/outcomes").await, rules);
}

#[tokio::test]
async fn the_certificate_in_the_data_folder_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = text(folder.path());
    let first = Program::serve(&["--data-dir", data]).await;
    let pem = first.ca_pem();
    assert_eq!(first.ready.ca_file, text(&folder.path().join("ca/ca.pem")));
    first.killed().await;
    let second = Program::serve(&["--data-dir", data]).await;
    assert_eq!(second.ca_pem(), pem);
    let printed = run(&["ca", "--ready", text(&second.ready_file())]).await.stdout;
    assert_eq!(String::from_utf8(printed).unwrap().trim_end(), pem.trim_end());
}

#[tokio::test]
async fn two_starts_are_two_workspaces_to_official_sdks() {
    let (one, other) = (Program::serve(&[]).await, Program::serve(&[]).await);
    let seed = async |program: &Program| {
        get(program.url(), "/_mock/export").await["world"]["seed"].clone()
    };
    assert_ne!(seed(&one).await, seed(&other).await);
}

#[tokio::test]
async fn coverage_names_the_state_of_each_operation() {
    let output = run(&["coverage", "--json"]).await;
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for row in rows {
        let state = row["state"].as_str().unwrap();
        assert!(["emulated", "partial", "assumed", "absent"].contains(&state), "{row}");
        for key in ["service", "operation", "method", "path", "missing"] {
            assert!(row[key].is_string(), "{key} of {row}");
        }
    }
}

#[tokio::test]
async fn the_environment_leads_to_the_mock() {
    let program = Program::serve(&[]).await;
    let file = program.ready_file();
    let arguments = ["env", "--ready", text(&file), "--for", "databricks"];
    let shell = String::from_utf8(run(&arguments).await.stdout).unwrap();
    assert!(shell.lines().any(|it| it == format!("export DATABRICKS_HOST={}", program.url())));
    let output = run(&["env", "--ready", text(&file), "--for", "mlflow", "--json"]).await;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["MLFLOW_TRACKING_URI"], format!("{}/mlflow", program.url()));
}
