//! How Entra, and the services that hand out tokens in its stead, refuse.

use azml_core::{Error, ErrorKind, Response, ServiceFault};
use serde::Deserialize;

/// The call that gets a token, as it is named in errors.
#[cfg_attr(not(feature = "azure"), expect(dead_code, reason = "azure_identity asks"))]
pub(crate) const TOKEN: &str = "auth.token";

#[derive(Default, Deserialize)]
struct Fault {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What the authority says when it gives no token.
pub(crate) fn fault(operation: &'static str, response: &Response) -> Error {
    let status = response.status().as_u16();
    let body: Fault = serde_json::from_slice(response.body()).unwrap_or_else(|_| Fault {
        error: String::new(),
        error_description: first_words(response.body()),
    });
    // Trace and correlation ids follow on lines of their own.
    let message = body.error_description.lines().next().unwrap_or_default().trim();
    let kind = match ErrorKind::from_status(status) {
        kind @ (ErrorKind::Throttled | ErrorKind::Unavailable) => kind,
        // Whatever is wrong with it, it is the credential that is not accepted.
        _ => ErrorKind::Unauthenticated,
    };
    let fault = ServiceFault::new(status, body.error, message).with_headers(response.headers());
    Error::service(operation, kind, fault)
}

fn first_words(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim().chars().take(300).collect()
}
