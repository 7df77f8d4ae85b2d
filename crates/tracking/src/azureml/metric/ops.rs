use azml_core::{
    Error, ErrorKind, Operation, Page, PageToken, Request, RequestBuilder, ResourceId, Response,
    Result, ServiceFault, azure, read_json,
};
use http::Method;
use serde::{Serialize, de::DeserializeOwned};

use super::{super::under, lenient, wire};
use crate::{MetricKey, RunId};

fn post(
    operation: &'static str,
    base: &str,
    workspace: &ResourceId,
    run: &RunId,
) -> RequestBuilder {
    under(operation, Method::POST, base, "/metric/v2.0", workspace)
        .path("/runs")
        .segment(run.as_str())
}

fn read<T: DeserializeOwned>(operation: &'static str, response: &Response) -> Result<T> {
    azure::expect_success(operation, response)?;
    read_json(operation, &lenient::quote_bare_words(response.body()))
}

pub(super) struct Batch<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunId,
    pub(super) entries: &'a [wire::Entry<'a>],
}

impl Operation for Batch<'_> {
    const NAME: &'static str = "metric.batch";
    /// Each point carries an id that was made once. The official client sends
    /// a batch again, ids and all, after a 500.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::batch(self.entries)
            .map_err(|err| Error::local(Self::NAME, ErrorKind::InvalidArgument, err))?;
        post(Self::NAME, base, self.workspace, self.run)
            .path("/batch")
            .bytes("application/json", body.into())
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)?;
        if response.body().is_empty() {
            return Ok(());
        }
        let answer: wire::BatchAnswer = read(Self::NAME, &response)?;
        let Some(refused) = answer.errors.unwrap_or_default().into_iter().next() else {
            return Ok(());
        };
        let reason = refused.error_response.map(|it| it.error).unwrap_or_default();
        let code = reason.code.unwrap_or_default();
        let fault = ServiceFault::new(
            response.status().as_u16(),
            code,
            reason.message.unwrap_or_else(|| "a metric was refused".to_owned()),
        );
        Err(Error::service(Self::NAME, ErrorKind::InvalidArgument, fault))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ask<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    metric_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<&'a str>,
}

pub(super) struct List<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunId,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "metric.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<MetricKey>;

    fn encode(&self, base: &str) -> Result<Request> {
        let continuation_token = self.token.map(|it| it.0.as_str());
        post(Self::NAME, base, self.workspace, self.run)
            .path("/list")
            .json(&Ask { metric_name: None, continuation_token })
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<MetricKey>> {
        read::<wire::Keys>(Self::NAME, &response).map(Page::from)
    }
}

pub(super) struct Full<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunId,
    pub(super) key: &'a MetricKey,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for Full<'_> {
    const NAME: &'static str = "metric.full";
    const IDEMPOTENT: bool = true;
    type Output = wire::Series;

    fn encode(&self, base: &str) -> Result<Request> {
        let continuation_token = self.token.map(|it| it.0.as_str());
        post(Self::NAME, base, self.workspace, self.run)
            .path("/full")
            .json(&Ask { metric_name: Some(self.key.as_str()), continuation_token })
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Series> {
        read(Self::NAME, &response)
    }
}
