//! The part of run history that pipelines need: the experiment, the tags of the
//! run, and the runs of its steps.

use std::collections::BTreeMap;

use azml_core::{Operation, Page, PageToken, Request, RequestBuilder, Response, Result, azure};
use http::Method;
use serde_json::json;

use super::wire;
use crate::{PipelineRunDetails, StepRun};

const HISTORY: &str = "/history/v1.0";

pub(super) struct CreateExperiment<'a> {
    pub(super) workspace: &'a str,
    pub(super) name: &'a str,
}

impl Operation for CreateExperiment<'_> {
    const NAME: &'static str = "history.experiments.create";
    /// Creating an experiment that is there answers with it.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .path(HISTORY)
            .segments(self.workspace)
            .path("/experiments")
            .segment(self.name)
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct TagRun<'a> {
    pub(super) workspace: &'a str,
    pub(super) run: &'a PipelineRunDetails,
    pub(super) tags: &'a [(String, String)],
}

impl Operation for TagRun<'_> {
    const NAME: &'static str = "history.runs.create";
    /// Tags are merged, and these are the same each time.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let id = self.run.id.as_str();
        let tags: BTreeMap<_, _> = self.tags.iter().map(|(key, value)| (key, value)).collect();
        RequestBuilder::new(Self::NAME, Method::PATCH, base)
            .path(HISTORY)
            .segments(self.workspace)
            .path("/experiments")
            .segment(&self.run.experiment)
            .path("/runs")
            .segment(id)
            .json(&json!({ "runId": id, "tags": tags }))
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Children<'a> {
    pub(super) workspace: &'a str,
    pub(super) run: &'a PipelineRunDetails,
    pub(super) page: Option<PageToken>,
}

impl Operation for Children<'_> {
    const NAME: &'static str = "history.runs.children";
    const IDEMPOTENT: bool = true;
    type Output = Page<StepRun>;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::GET, base)
            .path(HISTORY)
            .segments(self.workspace)
            .path("/experiments")
            .segment(&self.run.experiment)
            .path("/runs")
            .segment(self.run.id.as_str())
            .path("/children")
            .query_opt("$continuationToken", self.page.as_ref().map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<StepRun>> {
        let children: wire::Children = azure::read(Self::NAME, &response)?;
        let steps = children.value.into_iter().filter(wire::Child::is_step).map(Into::into);
        let next = children.continuation_token.filter(|it| !it.is_empty()).map(PageToken);
        Ok(Page::new(steps.collect(), next))
    }
}
