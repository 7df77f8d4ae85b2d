//! As much HTTP as it takes to talk to the mock's own routes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, ensure};
use serde_json::Value;

/// The body of the answer to a GET, which must be a 200.
pub(super) fn get(url: &str, path: &str) -> anyhow::Result<String> {
    call(url, None, "GET", path, "")
}

/// The same for a POST of an empty object.
pub(super) fn post(url: &str, path: &str) -> anyhow::Result<String> {
    call(url, None, "POST", path, "{}")
}

/// One call of a service that wants a token and answers in JSON.
pub(super) fn json(
    url: &str,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let answer = call(url, Some(token), method, path, &body)?;
    serde_json::from_str(&answer).with_context(|| format!("{path} answered no JSON: {answer}"))
}

fn call(
    url: &str,
    token: Option<&str>,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<String> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let sign_in = token.map(|it| format!("Authorization: Bearer {it}\r\n")).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{sign_in}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer without an end")?;
    let status = head.lines().next().unwrap_or_default();
    ensure!(status.contains(" 200 "), "{path} answered {status:?}");
    Ok(body.to_owned())
}
