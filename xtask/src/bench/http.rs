//! As much HTTP as it takes to talk to the mock's own routes.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, ensure};

/// The body of the answer to a GET, which must be a 200.
pub(super) fn get(url: &str, path: &str) -> anyhow::Result<String> {
    call(url, "GET", path)
}

/// The same for a POST of an empty object.
pub(super) fn post(url: &str, path: &str) -> anyhow::Result<String> {
    call(url, "POST", path)
}

fn call(url: &str, method: &str, path: &str) -> anyhow::Result<String> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream =
        TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let body = if method == "POST" { "{}" } else { "" };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
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
