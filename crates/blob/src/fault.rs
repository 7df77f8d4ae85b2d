//! The error body of the storage service: XML, or a header where no body fits.

use azml_core::{Error, ErrorKind, Response, Result, ServiceFault};

use crate::wire;

/// Accepts any 2xx.
pub(crate) fn expect_success(operation: &'static str, response: &Response) -> Result<()> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = wire::parse::<wire::ErrorBody>(response.body()).unwrap_or_default();
    let header = || response.headers().get("x-ms-error-code")?.to_str().ok().map(str::to_owned);
    let code = if body.code.is_empty() { header() } else { Some(body.code) };
    let code =
        code.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().replace(' ', ""));
    // The message goes on with a request id and a time, each on a line of its own.
    let message = body.message.lines().next().unwrap_or_default();
    let fault = ServiceFault::new(status.as_u16(), code, message).with_headers(response.headers());
    let kind = ErrorKind::from_status(status.as_u16());
    Err(Error::service(operation, kind, fault))
}
