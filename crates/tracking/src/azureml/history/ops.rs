use azml_core::{
    Error, Operation, Page, PageToken, Request, RequestBuilder, ResourceId, Response, Result, azure,
};
use http::Method;
use serde::Serialize;

use super::{super::under, wire};
use crate::{ExperimentId, ExperimentInfo, ExperimentName, RunId, RunInfo, RunRef};

const SERVICE: &str = "/history/v1.0";
/// What the official client asks for in one page.
const PAGE: u32 = 500;

pub(super) fn at(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
) -> RequestBuilder {
    under(operation, method, base, SERVICE, workspace)
}

/// `~/experiments/NAME/runs/ID`: the address of writes.
pub(super) fn by_name(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
    run: &RunRef,
) -> RequestBuilder {
    at(operation, method, base, workspace)
        .path("/experiments")
        .segment(run.experiment.name.as_str())
        .path("/runs")
        .segment(run.id.as_str())
}

/// Makes an experiment, or finds it: the service does not tell the difference.
pub(super) struct CreateExperiment<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ExperimentName,
}

impl Operation for CreateExperiment<'_> {
    const NAME: &'static str = "history.experiments.create";
    const IDEMPOTENT: bool = true;
    type Output = ExperimentInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        let name = self.name.as_str();
        let mut letters = name.chars();
        let is_good = letters.next().is_some_and(|it| it.is_ascii_alphanumeric())
            && letters.all(|it| it.is_alphanumeric() || matches!(it, '_' | '-'))
            && name.chars().count() <= 255;
        if !is_good {
            let reason = format!(
                "experiment name \"{name}\": begin with a letter or digit and use at most 255 \
                 letters, digits, dashes and underscores"
            );
            return Err(Error::invalid(Self::NAME, reason));
        }
        at(Self::NAME, Method::POST, base, self.workspace)
            .path("/experiments")
            .segment(name)
            .build()
    }

    fn decode(&self, response: Response) -> Result<ExperimentInfo> {
        azure::read::<wire::Experiment>(Self::NAME, &response).map(ExperimentInfo::from)
    }
}

/// Finds an experiment by its name.
pub(super) struct FindExperiment<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ExperimentName,
}

impl Operation for FindExperiment<'_> {
    const NAME: &'static str = "history.experiments.get";
    const IDEMPOTENT: bool = true;
    type Output = ExperimentInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace)
            .path("/experiments")
            .segment(self.name.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<ExperimentInfo> {
        azure::read::<wire::Experiment>(Self::NAME, &response).map(ExperimentInfo::from)
    }
}

pub(super) struct QueryExperiments<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) body: wire::QueryExperiments<'a>,
}

impl Operation for QueryExperiments<'_> {
    const NAME: &'static str = "history.experiments.query";
    const IDEMPOTENT: bool = true;
    type Output = Page<ExperimentInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, self.workspace)
            .path("/experiments:query")
            .json(&self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<ExperimentInfo>> {
        azure::read::<wire::Experiments>(Self::NAME, &response).map(Page::from)
    }
}

/// Archives an experiment, or brings it back.
pub(super) struct ArchiveExperiment<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) id: &'a ExperimentId,
    pub(super) archive: bool,
}

impl Operation for ArchiveExperiment<'_> {
    const NAME: &'static str = "history.experiments.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PATCH, base, self.workspace)
            .path("/experimentids")
            .segment(self.id.as_str())
            .json(&wire::UpdateExperiment { archive: self.archive })
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

pub(super) struct GetExperiment<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) id: &'a ExperimentId,
}

impl Operation for GetExperiment<'_> {
    const NAME: &'static str = "history.experiments.get_by_id";
    const IDEMPOTENT: bool = true;
    type Output = ExperimentInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace)
            .path("/experimentids")
            .segment(self.id.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<ExperimentInfo> {
        azure::read::<wire::Experiment>(Self::NAME, &response).map(ExperimentInfo::from)
    }
}

/// The run's id is made here, so that a lost answer does not make two runs.
pub(super) struct CreateRun<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
    pub(super) body: wire::CreateRun<'a>,
}

impl Operation for CreateRun<'_> {
    const NAME: &'static str = "history.runs.create";
    const IDEMPOTENT: bool = true;
    type Output = RunInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::PATCH, base, self.workspace, self.run).json(&self.body).build()
    }

    fn decode(&self, response: Response) -> Result<RunInfo> {
        azure::read::<wire::Recorded>(Self::NAME, &response).map(RunInfo::from)
    }
}

/// Merges tags and properties into a run.
pub(super) struct UpdateRun<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
    pub(super) body: wire::UpdateRun<'a>,
}

impl Operation for UpdateRun<'_> {
    const NAME: &'static str = "history.runs.patch";
    const IDEMPOTENT: bool = true;
    type Output = RunInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PATCH, base, self.workspace)
            .path("/experimentids")
            .segment(self.run.experiment.id.as_str())
            .path("/runs")
            .segment(self.run.id.as_str())
            .json(&self.body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<RunInfo> {
        azure::read::<wire::Recorded>(Self::NAME, &response).map(RunInfo::from)
    }
}

pub(super) struct GetRun<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) id: &'a RunId,
}

impl Operation for GetRun<'_> {
    const NAME: &'static str = "history.runs.get_by_id";
    const IDEMPOTENT: bool = true;
    type Output = RunInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace)
            .path("/runs")
            .segment(self.id.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<RunInfo> {
        azure::read::<wire::Recorded>(Self::NAME, &response).map(RunInfo::from)
    }
}

#[derive(Serialize)]
struct QueryBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<&'a str>,
    orderby: &'a str,
    top: u32,
    #[serde(rename = "continuationToken", skip_serializing_if = "Option::is_none")]
    continuation_token: Option<&'a str>,
}

pub(super) struct QueryRuns<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) experiment: &'a ExperimentName,
    pub(super) filter: Option<&'a str>,
    /// Runs in one page.
    pub(super) top: Option<u32>,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for QueryRuns<'_> {
    const NAME: &'static str = "history.runs.query";
    /// A POST only because filters are long.
    const IDEMPOTENT: bool = true;
    type Output = Page<RunInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = QueryBody {
            filter: self.filter,
            orderby: "StartTimeUtc desc",
            top: self.top.unwrap_or(PAGE),
            continuation_token: self.token.map(|it| it.0.as_str()),
        };
        at(Self::NAME, Method::POST, base, self.workspace)
            .path("/experiments")
            .segment(self.experiment.as_str())
            .path("/runs:query")
            .json(&body)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<RunInfo>> {
        azure::read::<wire::Runs>(Self::NAME, &response).map(Page::from)
    }
}

pub(super) struct ListChildren<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: &'a RunRef,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for ListChildren<'_> {
    const NAME: &'static str = "history.runs.children";
    const IDEMPOTENT: bool = true;
    type Output = Page<RunInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        by_name(Self::NAME, Method::GET, base, self.workspace, self.run)
            .path("/children")
            .query("$orderby", "StartTimeUtc desc")
            .query("$top", PAGE)
            .query_opt("$continuationToken", self.token.map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<RunInfo>> {
        azure::read::<wire::Runs>(Self::NAME, &response).map(Page::from)
    }
}
