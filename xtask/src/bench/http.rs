//! As much HTTP as it takes to talk to the mock's own routes.

use std::{
    io::{BufRead, BufReader, Read, Write},
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

/// One connection for many calls.
pub(super) struct Client {
    stream: BufReader<TcpStream>,
    address: String,
}

impl Client {
    pub(super) fn connect(url: &str) -> anyhow::Result<Self> {
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let stream =
            TcpStream::connect(&address).with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream: BufReader::new(stream), address })
    }

    /// Sends one request and gives back the body of the answer, which must be a 200.
    pub(super) fn send(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<Vec<u8>> {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?;
        let (mut length, mut is_chunked) = (0, false);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().context("a length that is no number")?;
            }
            is_chunked |= name.eq_ignore_ascii_case("transfer-encoding")
                && value.eq_ignore_ascii_case("chunked");
        }
        let mut answer = Vec::new();
        if is_chunked {
            loop {
                let size = self.line()?;
                let size =
                    usize::from_str_radix(size.trim(), 16).context("a chunk without size")?;
                self.read(size, &mut answer)?;
                self.line()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            self.read(length, &mut answer)?;
        }
        let said = || String::from_utf8_lossy(&answer).chars().take(300).collect::<String>();
        ensure!(status.contains(" 200 "), "{path} answered {status:?}: {}", said());
        Ok(answer)
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let count = self.stream.read_line(&mut line)?;
        ensure!(count > 0, "the server closed the connection");
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn read(&mut self, size: usize, into: &mut Vec<u8>) -> anyhow::Result<()> {
        let begin = into.len();
        into.resize(begin + size, 0);
        self.stream.read_exact(&mut into[begin..])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    #[test]
    fn answers_with_a_length_and_in_chunks_come_over_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            for answer in [
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
                "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",
            ] {
                let mut line = String::new();
                while stream.read_line(&mut line).unwrap() > 2 {
                    line.clear();
                }
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        let mut client = Client::connect(&url).unwrap();
        assert_eq!(client.send("GET", "/a", "").unwrap(), b"hello");
        assert_eq!(client.send("GET", "/b", "").unwrap(), b"hello");
        let err = client.send("GET", "/c", "").unwrap_err().to_string();
        assert_eq!(err, "/c answered \"HTTP/1.1 404 Not Found\": none");
        server.join().unwrap();
    }
}
