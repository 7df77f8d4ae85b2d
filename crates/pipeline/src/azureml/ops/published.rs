//! Pipelines that are kept to be run again and again.

use azml_core::{Operation, Request, Response, Result, azure};
use http::Method;

use super::pipelines;
use crate::{PublishedPipelineId, azureml::wire};

pub(in crate::azureml) struct CreatePublished<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) body: &'a crate::wire::Publication<'a>,
}

impl Operation for CreatePublished<'_> {
    const NAME: &'static str = "pipelines.published.create";
    /// A second one would stay, under an id that nobody knows.
    const IDEMPOTENT: bool = false;
    type Output = wire::Published;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::POST, base, self.workspace)
            .path("/Pipelines/Create")
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Published> {
        azure::read(Self::NAME, &response)
    }
}

pub(in crate::azureml) struct ListPublished<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) active_only: bool,
}

impl Operation for ListPublished<'_> {
    const NAME: &'static str = "pipelines.published.list";
    const IDEMPOTENT: bool = true;
    type Output = Vec<wire::Published>;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/Pipelines")
            .query("activeOnly", if self.active_only { "true" } else { "false" })
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<wire::Published>> {
        azure::read(Self::NAME, &response)
    }
}

pub(in crate::azureml) struct GetPublished<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) id: &'a PublishedPipelineId,
}

impl Operation for GetPublished<'_> {
    const NAME: &'static str = "pipelines.published.get";
    const IDEMPOTENT: bool = true;
    type Output = wire::Published;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/Pipelines")
            .segment(self.id.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Published> {
        azure::read(Self::NAME, &response)
    }
}

pub(in crate::azureml) struct SetPublishedStatus<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) id: &'a PublishedPipelineId,
    pub(in crate::azureml) active: bool,
}

impl Operation for SetPublishedStatus<'_> {
    const NAME: &'static str = "pipelines.published.set_status";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::PUT, base, self.workspace)
            .path("/Pipelines")
            .segment(self.id.as_str())
            .path("/status")
            .json(&if self.active { "Active" } else { "Disabled" })
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(in crate::azureml) struct SubmitPublished<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) id: &'a PublishedPipelineId,
    pub(in crate::azureml) body: &'a crate::wire::PublishedSubmission,
}

impl Operation for SubmitPublished<'_> {
    const NAME: &'static str = "pipelines.published.submit";
    /// A second run would start.
    const IDEMPOTENT: bool = false;
    type Output = wire::Run;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::POST, base, self.workspace)
            .path("/PipelineRuns/PipelineSubmit")
            .segment(self.id.as_str())
            .json(self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<wire::Run> {
        azure::read(Self::NAME, &response)
    }
}

pub(in crate::azureml) struct RunsOfPublished<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) id: &'a PublishedPipelineId,
}

impl Operation for RunsOfPublished<'_> {
    const NAME: &'static str = "pipelines.published.runs";
    const IDEMPOTENT: bool = true;
    type Output = Vec<wire::Run>;

    fn encode(&self, base: &str) -> Result<Request> {
        pipelines(Self::NAME, Method::GET, base, self.workspace)
            .path("/PipelineRuns/Pipeline")
            .segment(self.id.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<wire::Run>> {
        azure::read(Self::NAME, &response)
    }
}
