//! What the tests of all services share.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use async_trait::async_trait;
use azml_core::{Operation, Request, Response, Result, Transport, TransportError};
use bytes::Bytes;
use http::Uri;
use parking_lot::Mutex;
use serde_json::Value;

/// Checks the request of `operation` against the fixture `name` and gives what it
/// makes of the answer there.
pub(crate) fn check<O: Operation>(name: &str, operation: &O) -> Result<O::Output> {
    let exchange = azml_fixtures::load(&format!("databricks/{name}"));
    let request = operation.encode("https://adb-1.test").unwrap();
    assert_eq!(request.method().as_str(), exchange.request.method);
    assert_eq!(target(request.uri()), target(&exchange.request.path.parse().unwrap()), "{name}");
    let body: Option<Value> = serde_json::from_slice(request.body()).ok();
    assert_eq!(body, exchange.request.body, "{name}");
    // A text is no JSON here, but the body as it is.
    let body = match exchange.response.body {
        Value::Null => Bytes::new(),
        Value::String(text) => text.into(),
        json => json.to_string().into(),
    };
    operation.decode(http::Response::builder().status(exchange.response.status).body(body).unwrap())
}

/// The path, and the query without order. How large a page is, is up to the client.
fn target(uri: &Uri) -> (&str, BTreeSet<&str>) {
    let is_size = |it: &&str| {
        ["limit=", "page_size=", "max_results=", "count="].iter().any(|size| it.starts_with(size))
    };
    let query = uri.query().into_iter().flat_map(|it| it.split('&'));
    (uri.path(), query.filter(|it| !is_size(it)).collect())
}

/// Gives the planned answers in turn, in the end the last one for ever.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<(u16, String)>>,
    pub(crate) sent: Mutex<Vec<(String, Value)>>,
}

impl Scripted {
    pub(crate) fn new<'a>(answers: impl IntoIterator<Item = (u16, &'a str)>) -> Arc<Self> {
        let answers = answers.into_iter().map(|(status, body)| (status, body.to_owned())).collect();
        Arc::new(Self { answers: Mutex::new(answers), ..Self::default() })
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.sent.lock().iter().map(|it| it.0.clone()).collect()
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let path = request.uri().path_and_query().unwrap().to_string();
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        self.sent.lock().push((path, body));
        let mut answers = self.answers.lock();
        let (status, body) = match answers.len() {
            1 => answers[0].clone(),
            _ => answers.pop_front().unwrap(),
        };
        // Not an HTTP status: the answer is lost.
        if status == 0 {
            return Err(TransportError::Interrupted("lost".into()));
        }
        Ok(http::Response::builder().status(status).body(body.into()).unwrap())
    }
}
