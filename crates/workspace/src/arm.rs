//! What Azure Resource Manager adds to a plain call: operations that go on
//! after the answer, and links to the next page.

use std::fmt;

use azml_core::{
    Endpoint, Error, ErrorKind, Operation, Poller, Progress, Request, RequestBuilder, Response,
    Result, ServiceFault, WaitOptions, azure,
};
use serde::Deserialize;

/// The header that says where to ask how an operation is doing.
const ASYNC_OPERATION: &str = "azure-asyncoperation";

/// An operation that the service goes on with after it has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LongRunning {
    operation: &'static str,
    url: String,
}

/// How far a long-running operation has come.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationStatus {
    /// The service's word, for example `InProgress`.
    pub status: String,
}

impl fmt::Debug for OperationStatus {
    /// The word alone, because a wait that takes too long ends with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.status)
    }
}

impl OperationStatus {
    /// A status in the service's word.
    pub fn new(status: impl Into<String>) -> Self {
        Self { status: status.into() }
    }
}

impl LongRunning {
    /// Reads where to ask from the answer that started `operation`.
    ///
    /// `None` when the answer names no such place: the operation is over.
    /// `operation` is the name under which a failure is reported.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) when the header is not text.
    pub fn from_response(operation: &'static str, response: &Response) -> Result<Option<Self>> {
        let Some(url) = response.headers().get(ASYNC_OPERATION) else { return Ok(None) };
        let url = url.to_str().map_err(|err| Error::local(operation, ErrorKind::Decode, err))?;
        Ok(Some(Self { operation, url: url.to_owned() }))
    }

    /// Asks once how the operation is doing. `endpoint` is that of ARM.
    ///
    /// # Errors
    ///
    /// A failed or canceled operation is an error with the service's own code
    /// and message, under the name of the call that started it.
    pub async fn look(&self, endpoint: &Endpoint) -> Result<Progress<OperationStatus, ()>> {
        let answer = endpoint.call(&GetStatus { url: &self.url }).await?;
        self.judge(answer)
    }

    /// Waits for the operation. `endpoint` is that of ARM.
    pub fn poller(self, endpoint: Endpoint, options: WaitOptions) -> Poller<OperationStatus, ()> {
        let (name, clock) = (self.operation, endpoint.clock().clone());
        Poller::new(name, options, clock, move || {
            let (this, endpoint) = (self.clone(), endpoint.clone());
            async move { this.look(&endpoint).await }
        })
    }

    fn judge(&self, answer: StatusAnswer) -> Result<Progress<OperationStatus, ()>> {
        let kind = match answer.status.as_str() {
            "Succeeded" => return Ok(Progress::Done(())),
            "Failed" => None,
            "Canceled" | "Cancelled" => Some(ErrorKind::Canceled),
            _ => return Ok(Progress::Pending(OperationStatus { status: answer.status })),
        };
        let fault = answer.error.unwrap_or_default();
        let kind = kind.unwrap_or_else(|| fault.status_code.map_or(ErrorKind::Other, kind_of));
        let code = fault.code.unwrap_or_else(|| answer.status.clone());
        let message = fault.message.unwrap_or_else(|| "the service gave no reason".to_owned());
        // The question itself was answered well; only the operation failed.
        let status = fault.status_code.unwrap_or(200);
        Err(Error::service(self.operation, kind, ServiceFault::new(status, code, message)))
    }
}

/// A failed operation is over: its status must not look like a call that could be repeated.
fn kind_of(status: u16) -> ErrorKind {
    match ErrorKind::from_status(status) {
        ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Unreachable => ErrorKind::Other,
        kind => kind,
    }
}

/// Builds the GET of a link that the service at `base` handed out.
///
/// # Errors
///
/// [`Decode`](ErrorKind::Decode) when the link leaves the service, for our
/// token would go with it.
pub fn follow(operation: &'static str, base: &str, link: &str) -> Result<Request> {
    let origin = |text: &str| -> Option<(String, String)> {
        let uri: http::Uri = text.parse().ok()?;
        Some((
            uri.scheme_str()?.to_ascii_lowercase(),
            uri.authority()?.as_str().to_ascii_lowercase(),
        ))
    };
    if origin(link).is_none() || origin(link) != origin(base) {
        let text = format!("the answer points to \"{link}\", which is not at {base}");
        return Err(Error::explained(operation, ErrorKind::Decode, text));
    }
    RequestBuilder::new(operation, http::Method::GET, link).build()
}

struct GetStatus<'a> {
    url: &'a str,
}

#[derive(Deserialize)]
struct StatusAnswer {
    status: String,
    #[serde(default)]
    error: Option<StatusFault>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatusFault {
    code: Option<String>,
    message: Option<String>,
    status_code: Option<u16>,
}

impl Operation for GetStatus<'_> {
    const NAME: &'static str = "arm.operations.get";
    const IDEMPOTENT: bool = true;
    type Output = StatusAnswer;

    fn encode(&self, base: &str) -> Result<Request> {
        follow(Self::NAME, base, self.url)
    }

    fn decode(&self, response: Response) -> Result<StatusAnswer> {
        azure::read(Self::NAME, &response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn started(url: &str) -> LongRunning {
        LongRunning { operation: "arm.computes.attach", url: url.to_owned() }
    }

    fn ask(fixture: &str) -> Result<Progress<OperationStatus, ()>> {
        let exchange = azml_fixtures::load(fixture);
        let url = format!("https://arm.test{}", exchange.request.path);
        let get = GetStatus { url: &url };
        testing::assert_encodes(&get, "https://arm.test", &exchange);
        started(&url).judge(get.decode(testing::response(&exchange)).unwrap())
    }

    #[test]
    fn an_operation_under_way_is_pending() {
        let Progress::Pending(status) = ask("arm/operations-get-running").unwrap() else {
            panic!("not pending")
        };
        assert_eq!(status.status, "InProgress");
    }

    #[test]
    fn an_operation_that_succeeded_is_done() {
        assert!(matches!(ask("arm/operations-get").unwrap(), Progress::Done(())));
    }

    #[test]
    fn a_failed_operation_says_why_under_the_name_of_its_call() {
        let err = ask("arm/operations-get-failed").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
        assert_eq!(err.operation(), "arm.computes.attach");
        let fault = err.service_fault().unwrap();
        assert_eq!(
            (fault.status, &*fault.code, &*fault.message),
            (400, "BadArgument", "Databricks token is not valid.")
        );
    }

    #[test]
    fn a_link_to_another_host_is_not_followed() {
        for link in ["https://evil.test/x", "http://arm.test/x", "/x", "", "https://arm.test:8/x"] {
            let err = follow("arm.operations.get", "https://arm.test/world", link).unwrap_err();
            assert_eq!(err.kind(), ErrorKind::Decode, "{link}");
        }
        let request = follow("arm.operations.get", "https://arm.test", "https://ARM.test/x?y=1");
        assert_eq!(request.unwrap().uri().path_and_query().unwrap().as_str(), "/x?y=1");
    }

    #[test]
    fn an_answer_without_the_header_means_that_all_is_done() {
        let response = http::Response::new(bytes::Bytes::new());
        assert_eq!(LongRunning::from_response("x", &response).unwrap(), None);
    }
}
