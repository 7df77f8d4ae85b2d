//! Compares operations with saved exchanges.

use azml_core::{Operation, Response};
use azml_fixtures::Exchange;
use bytes::Bytes;
use serde_json::Value;

/// Asserts that `operation` sends what the exchange says.
pub(crate) fn assert_encodes(operation: &impl Operation, base: &str, exchange: &Exchange) {
    let request = operation.encode(base).unwrap();
    assert_eq!(request.method().as_str(), exchange.request.method);
    assert_eq!(request.uri().path_and_query().unwrap().as_str(), exchange.request.path);
    let body = (!request.body().is_empty())
        .then(|| serde_json::from_slice::<Value>(request.body()).unwrap());
    assert_eq!(body, exchange.request.body);
}

/// The answer of the exchange.
pub(crate) fn response(exchange: &Exchange) -> Response {
    let body = match &exchange.response.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    http::Response::builder().status(exchange.response.status).body(body).unwrap()
}
