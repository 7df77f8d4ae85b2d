//! What a client would send, without sending it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azml_core::{Error, ErrorKind, Request, Response, Result, Transport, TransportError};
use azml_databricks::{
    Databricks,
    jobs::{Jobs, SubmitRun},
};
use bytes::Bytes;
use serde_json::Value;

/// Keeps the body of a request and says that a run has begun.
#[derive(Debug, Default)]
struct Capture(Mutex<Bytes>);

#[async_trait]
impl Transport for Capture {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = request.into_body();
        Ok(Response::new(Bytes::from_static(br#"{"run_id":1}"#)))
    }
}

/// The body that submits `run`, but for the token that makes it unique.
pub(super) async fn body(run: &SubmitRun) -> Result<String> {
    const NAME: &str = "databricks.pipelines.preview";
    let capture = Arc::new(Capture::default());
    let databricks = Databricks::new("https://nowhere.invalid", capture.clone());
    databricks.jobs().submit(run).await?;
    let bytes = capture.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut body: Value =
        serde_json::from_slice(&bytes).map_err(|err| Error::local(NAME, ErrorKind::Decode, err))?;
    if let Some(fields) = body.as_object_mut() {
        fields.remove("idempotency_token");
    }
    Ok(body.to_string())
}
