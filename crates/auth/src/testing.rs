//! Plays the services that hand out tokens.

use std::collections::VecDeque;

use async_trait::async_trait;
use azml_core::{Request, Response, Result, Scope, Transport, TransportError};
use bytes::Bytes;
use parking_lot::Mutex;

pub(crate) const TENANT_ID: &str = "22222222-2222-2222-2222-222222222222";

pub(crate) fn arm() -> Scope {
    Scope::resource("https://management.azure.com")
}

/// Answers `fake-token-1`, `fake-token-2` and so on, unless it has been given
/// other answers, and keeps address and body of each request.
#[derive(Debug, Default)]
pub(crate) struct Authority {
    seen: Mutex<Vec<(String, String)>>,
    headers: Mutex<Vec<http::HeaderMap>>,
    refusal: Option<String>,
    answers: Mutex<VecDeque<(u16, String)>>,
}

impl Authority {
    /// One that answers 401 with `body`.
    #[cfg(feature = "azure")]
    pub(crate) fn refusing(body: &str) -> Self {
        Self { refusal: Some(body.to_owned()), ..Self::default() }
    }

    /// One that gives these answers first.
    pub(crate) fn then(self, status: u16, body: impl Into<String>) -> Self {
        self.answers.lock().push_back((status, body.into()));
        self
    }

    pub(crate) fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().clone()
    }

    #[cfg(feature = "azure")]
    pub(crate) fn header(&self, index: usize, name: &str) -> Option<String> {
        let headers = self.headers.lock();
        Some(headers.get(index)?.get(name)?.to_str().ok()?.to_owned())
    }
}

#[async_trait]
impl Transport for Authority {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let mut seen = self.seen.lock();
        seen.push((request.uri().to_string(), body));
        self.headers.lock().push(request.headers().clone());
        let given = self.answers.lock().pop_front();
        let (status, text) = match (given, &self.refusal) {
            (Some(answer), _) => answer,
            (None, Some(body)) => (401, body.clone()),
            (None, None) => {
                let number = seen.len();
                // Both forms of an end: Entra's, and the metadata service's.
                let text = format!(
                    r#"{{"token_type":"Bearer","expires_in":3599,"expires_on":"4102444800","resource":"r","access_token":"fake-token-{number}"}}"#
                );
                (200, text)
            }
        };
        let response = http::Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Bytes::from(text));
        Ok(response.unwrap())
    }
}
