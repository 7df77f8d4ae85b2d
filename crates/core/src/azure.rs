//! The error envelope that Azure services share.
//!
//! Most write `{"error": {"code", "message"}}`, some `{"Error": {"Code", "Message"}}`,
//! some no envelope at all. A proxy on the way may answer in HTML.

use serde::{Deserialize, de::DeserializeOwned};

use crate::{Error, ErrorKind, Response, Result, ServiceFault, read_json};

#[derive(Deserialize)]
struct Envelope {
    #[serde(alias = "Error")]
    error: Body,
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default, alias = "Code")]
    code: Option<String>,
    #[serde(default, alias = "Message")]
    message: Option<String>,
    #[serde(default, alias = "Details")]
    details: Option<Vec<Detail>>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default, alias = "Message")]
    message: Option<String>,
}

/// Reads the JSON body of a success.
///
/// # Errors
///
/// The [`fault`] of a status other than 2xx, [`Decode`](ErrorKind::Decode) for a
/// body that does not fit.
pub fn read<T: DeserializeOwned>(operation: &'static str, response: &Response) -> Result<T> {
    expect_success(operation, response)?;
    read_json(operation, response.body())
}

/// Accepts any 2xx, whatever its body.
///
/// # Errors
///
/// The [`fault`] of any other status.
pub fn expect_success(operation: &'static str, response: &Response) -> Result<()> {
    if response.status().is_success() { Ok(()) } else { Err(fault(operation, response)) }
}

/// The error that an answer other than 2xx stands for.
pub fn fault(operation: &'static str, response: &Response) -> Error {
    let body = body(response.body());
    let mut message = body.message.unwrap_or_default();
    let details = body.details.unwrap_or_default().into_iter().filter_map(|it| it.message);
    for detail in details.filter(|it| !it.is_empty()) {
        if !message.contains(&detail) {
            message = format!("{message} ({detail})");
        }
    }
    let status = response.status();
    let code =
        body.code.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().replace(' ', ""));
    let fault = ServiceFault::new(status.as_u16(), code, message).with_headers(response.headers());
    Error::service(operation, ErrorKind::from_status(status.as_u16()), fault)
}

fn body(bytes: &[u8]) -> Body {
    if let Ok(envelope) = serde_json::from_slice::<Envelope>(bytes) {
        return envelope.error;
    }
    match serde_json::from_slice::<Body>(bytes) {
        Ok(body) if body.message.is_some() || body.code.is_some() => body,
        _ => Body { message: Some(first_words(bytes)), ..Body::default() },
    }
}

/// The beginning of a body that is not in the shape of an error.
fn first_words(bytes: &[u8]) -> String {
    const LONGEST: usize = 300;
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn answer(status: u16, body: &'static str) -> Response {
        http::Response::builder().status(status).body(Bytes::from(body)).unwrap()
    }

    #[test]
    fn every_known_envelope_is_read() {
        for body in [
            r#"{"error":{"code":"NoSuch","message":"gone"},"correlation":{}}"#,
            r#"{"Error":{"Code":"NoSuch","Message":"gone","Target":null}}"#,
            r#"{"code":"NoSuch","message":"gone"}"#,
        ] {
            let err = fault("a.b", &answer(404, body));
            assert_eq!(err.to_string(), "a.b failed: 404 NoSuch: gone");
            assert_eq!(err.kind(), ErrorKind::NotFound);
        }
    }

    #[test]
    fn a_page_of_a_proxy_is_still_a_fault() {
        let err = fault("a.b", &answer(502, "<html>bad gateway</html>"));
        assert_eq!(err.kind(), ErrorKind::Unavailable);
        assert_eq!(err.to_string(), "a.b failed: 502 BadGateway: <html>bad gateway</html>");
    }

    #[test]
    fn details_are_shown_once() {
        let body = r#"{"error":{"code":"UserError","message":"bad","details":[{"message":"field x"},{"message":"bad"}]}}"#;
        let err = fault("a.b", &answer(400, body));
        assert_eq!(err.to_string(), "a.b failed: 400 UserError: bad (field x)");
    }
}
