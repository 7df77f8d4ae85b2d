//! The error body of MLflow: `{"error_code", "message"}`.

use azml_core::{Error, ErrorKind, Response, Result, ServiceFault, azure, read_json};
use serde::{Deserialize, de::DeserializeOwned};

#[derive(Deserialize)]
struct Body {
    error_code: String,
    #[serde(default)]
    message: String,
}

/// Reads the JSON body of a success.
pub(super) fn read<T: DeserializeOwned>(operation: &'static str, response: &Response) -> Result<T> {
    expect_success(operation, response)?;
    read_json(operation, response.body())
}

/// Accepts any 2xx, whatever its body.
pub(super) fn expect_success(operation: &'static str, response: &Response) -> Result<()> {
    if response.status().is_success() { Ok(()) } else { Err(fault(operation, response)) }
}

fn fault(operation: &'static str, response: &Response) -> Error {
    // A proxy or Azure's own gateway may have answered in the server's place.
    let Ok(body) = serde_json::from_slice::<Body>(response.body()) else {
        return azure::fault(operation, response);
    };
    let status = response.status().as_u16();
    let kind = kind(&body.error_code).unwrap_or_else(|| ErrorKind::from_status(status));
    let fault = ServiceFault::new(status, body.error_code, body.message);
    Error::service(operation, kind, fault.with_headers(response.headers()))
}

/// The code says more than the status: what exists already is a 400.
fn kind(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "RESOURCE_DOES_NOT_EXIST" | "NOT_FOUND" | "ENDPOINT_NOT_FOUND" => ErrorKind::NotFound,
        "RESOURCE_ALREADY_EXISTS" | "ALREADY_EXISTS" | "RESOURCE_CONFLICT" | "ABORTED" => {
            ErrorKind::Conflict
        }
        "INVALID_PARAMETER_VALUE" | "BAD_REQUEST" => ErrorKind::InvalidArgument,
        "PERMISSION_DENIED" => ErrorKind::PermissionDenied,
        "UNAUTHENTICATED" | "CUSTOMER_UNAUTHORIZED" => ErrorKind::Unauthenticated,
        "REQUEST_LIMIT_EXCEEDED" | "RESOURCE_EXHAUSTED" => ErrorKind::Throttled,
        _ => return None,
    })
}
