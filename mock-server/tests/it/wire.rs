use std::io;

use azml_mock::{MockCloud, MockServer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::http::{Answer, exchange, get, post, secured, send, soon};

async fn server() -> MockServer {
    MockServer::start(MockCloud::builder()).await.unwrap()
}

fn authority(server: &MockServer) -> &str {
    server.url().trim_start_matches("http://")
}

async fn connected(server: &MockServer) -> TcpStream {
    TcpStream::connect(authority(server)).await.unwrap()
}

/// Asks for a tunnel to `target`.
async fn tunnel(server: &MockServer, target: &str) -> Result<TcpStream, Answer> {
    let mut stream = connected(server).await;
    let head = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(soon(stream.read_u8()).await.unwrap());
    }
    let answer = crate::http::parse(&bytes).unwrap();
    if answer.status == 200 {
        return Ok(stream);
    }
    Err(answer)
}

#[tokio::test]
async fn http_and_tls_share_one_port() {
    let server = server().await;
    assert_eq!(get(server.url(), "/_mock/health").await["status"], "ok");
    for name in ["127.0.0.1", "localhost", "acct.blob.localhost"] {
        let stream = secured(connected(&server).await, name, server.ca_pem()).await.unwrap();
        let answer = exchange(stream, "GET", "/_mock/health", name, "").await.unwrap();
        assert_eq!(answer.status, 200, "{name}");
    }
    assert_eq!(server.tls_url(), server.url().replace("http:", "https:"));
}

#[tokio::test]
async fn a_tunnel_to_an_azure_name_ends_in_the_mock() {
    let server = server().await;
    for host in ["management.azure.com", "adb-1234567890123456.7.azuredatabricks.net"] {
        let stream = tunnel(&server, &format!("{host}:443")).await.unwrap();
        let stream = secured(stream, host, server.ca_pem()).await.unwrap();
        let answer = exchange(stream, "GET", "/_mock/health", host, "").await.unwrap();
        assert_eq!(answer.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_tunnel_to_any_other_name_is_refused() {
    let server = server().await;
    for target in ["pypi.test:443", "127.0.0.1:22"] {
        let answer = tunnel(&server, target).await.unwrap_err();
        assert_eq!(answer.status, 403, "{target}");
    }
}

#[tokio::test]
async fn a_request_in_absolute_form_is_answered_for_azure_names_only() {
    let server = server().await;
    let ask = async |host: &str| {
        let target = format!("http://{host}/_mock/health");
        exchange(connected(&server).await, "GET", &target, host, "").await.unwrap()
    };
    assert_eq!(ask("adb-1234567890123456.7.azuredatabricks.net").await.status, 200);
    assert_eq!(ask(authority(&server)).await.status, 200);
    let refused = ask("example.test").await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body,
        "azml-mock answers for names of Azure and Databricks only and never connects to the network: \
         example.test is refused. Put the name into NO_PROXY if it is meant to be reached directly.\n"
    );
}

#[tokio::test]
async fn the_clock_of_a_socket_is_the_wall_clock() {
    let server = server().await;
    let now = get(server.url(), "/_mock/clock").await;
    assert!("2026-01-01T00:10:00Z" < now["now"].as_str().unwrap(), "{now}");
    let moved = post(server.url(), "/_mock/clock", &json!({"advance_seconds": 60})).await;
    assert_eq!(moved["offset_seconds"], 60.0);
}

#[tokio::test]
async fn what_a_server_stamps_lies_between_the_question_and_the_answer() {
    let server = server().await;
    let now = || {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        u64::try_from(since.as_millis()).unwrap()
    };
    for name in 0..50 {
        let before = now();
        let body = json!({ "name": name.to_string() });
        let create = "/mlflow/api/2.0/mlflow/registered-models/create";
        let made = post(server.url(), create, &body).await;
        let stamp = made["registered_model"]["creation_timestamp"].as_u64().unwrap();
        assert!(before <= stamp && stamp <= now(), "{before} {stamp}");
        post(server.url(), "/_mock/reset", &json!({})).await;
    }
}

#[tokio::test]
async fn a_server_that_is_stopped_frees_its_port() {
    let server = server().await;
    let url = server.url().to_owned();
    server.stop().await.unwrap();
    assert!(send(&url, "GET", "/_mock/health", "").await.is_err());
}

const CREATE: &str = "/mlflow/api/2.0/mlflow/experiments/create";

/// Plans what the next creation of an experiment meets, and creates one.
async fn create_meeting(server: &MockServer, effect: Value) -> io::Result<Answer> {
    let fault = json!({ "match": { "path": CREATE }, "effect": effect });
    post(server.url(), "/_mock/faults", &fault).await;
    soon(send(server.url(), "POST", CREATE, r#"{"name":"wine"}"#)).await
}

async fn exists(server: &MockServer) -> bool {
    let path = "/mlflow/api/2.0/mlflow/experiments/get-by-name?experiment_name=wine";
    soon(send(server.url(), "GET", path, "")).await.unwrap().status == 200
}

#[tokio::test]
async fn a_reset_breaks_the_connection_without_an_answer() {
    for (when, acts) in [("before", false), ("after", true)] {
        let server = server().await;
        let err = create_meeting(&server, json!({ "reset": when })).await.unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(exists(&server).await, acts, "{when}");
    }
}

#[tokio::test]
async fn a_cut_body_ends_before_its_length_is_reached() {
    let server = server().await;
    let answer = create_meeting(&server, json!({ "truncate": 5 })).await.unwrap();
    assert!(answer.is_cut, "{answer:?}");
    assert_eq!((answer.status, answer.body.len()), (200, 5));
}

#[tokio::test]
async fn a_large_body_is_read_as_a_whole() {
    let server = server().await;
    let rules = format!("{}[]", " ".repeat(8 << 20));
    let answer = soon(send(server.url(), "POST", "/_mock/outcomes", &rules)).await.unwrap();
    assert_eq!(answer.status, 200);
    let body = format!(r#"{}{{"name":"wine"}}"#, " ".repeat(8 << 20));
    let answer = soon(send(server.url(), "POST", CREATE, &body)).await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn connections_are_kept_for_the_next_request() {
    let server = server().await;
    let mut stream = connected(&server).await;
    for _ in 0..3 {
        let head = "GET /_mock/health HTTP/1.1\r\nhost: a.test\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\"default\"}") {
            bytes.push(soon(stream.read_u8()).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_tunnel_to_the_other_clouds_ends_in_the_mock_with_their_names() {
    let server = server().await;
    for (host, arm) in [
        ("management.chinacloudapi.cn", "https://management.chinacloudapi.cn"),
        ("management.usgovcloudapi.net", "https://management.usgovcloudapi.net"),
    ] {
        let stream = tunnel(&server, &format!("{host}:443")).await.unwrap();
        let stream = secured(stream, host, server.ca_pem()).await.unwrap();
        let path = "/metadata/endpoints?api-version=2022-09-01";
        let answer = exchange(stream, "GET", path, host, "").await.unwrap();
        assert_eq!(answer.json()["resourceManager"], arm);
    }
}
