mod experiments;
mod removal;

use azml_core::{Operation, Page, PageToken, Request, RequestBuilder, Response, Result};
use http::Method;
use serde::Serialize;

pub(super) use self::{
    experiments::{DeleteExperiment, RestoreExperiment, SearchExperiments},
    removal::{DeleteRun, DeleteTag, RestoreRun},
};
use super::{
    fault,
    wire::{self, NewMetric, Pair},
};
use crate::{ExperimentId, ExperimentInfo, ExperimentName, Metric, MetricKey, RunId, RunInfo};

/// Points in one page of a history.
const POINTS: u32 = 25_000;
/// Runs in one page of a search.
const RUNS: u32 = 1000;

fn get(operation: &'static str, base: &str, path: &str) -> RequestBuilder {
    RequestBuilder::new(operation, Method::GET, base).path("/api/2.0/mlflow").path(path)
}

fn post(operation: &'static str, base: &str, path: &str, body: &impl Serialize) -> Result<Request> {
    RequestBuilder::new(operation, Method::POST, base)
        .path("/api/2.0/mlflow")
        .path(path)
        .json(body)
        .build()
}

#[derive(Serialize)]
pub(super) struct CreateExperiment<'a> {
    pub(super) name: &'a str,
}

impl Operation for CreateExperiment<'_> {
    const NAME: &'static str = "mlflow.experiments.create";
    /// A second one of the same name is refused.
    const IDEMPOTENT: bool = true;
    type Output = ExperimentId;

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/experiments/create", self)
    }

    fn decode(&self, response: Response) -> Result<ExperimentId> {
        let created: wire::CreatedExperiment = fault::read(Self::NAME, &response)?;
        Ok(ExperimentId::new(created.experiment_id))
    }
}

pub(super) struct GetExperimentByName<'a>(pub(super) &'a ExperimentName);

impl Operation for GetExperimentByName<'_> {
    const NAME: &'static str = "mlflow.experiments.get_by_name";
    const IDEMPOTENT: bool = true;
    type Output = ExperimentInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/experiments/get-by-name").query("experiment_name", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<ExperimentInfo> {
        fault::read::<wire::GotExperiment>(Self::NAME, &response).map(ExperimentInfo::from)
    }
}

pub(super) struct GetExperiment<'a>(pub(super) &'a ExperimentId);

impl Operation for GetExperiment<'_> {
    const NAME: &'static str = "mlflow.experiments.get";
    const IDEMPOTENT: bool = true;
    type Output = ExperimentInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/experiments/get").query("experiment_id", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<ExperimentInfo> {
        fault::read::<wire::GotExperiment>(Self::NAME, &response).map(ExperimentInfo::from)
    }
}

#[derive(Serialize)]
pub(super) struct CreateRun<'a> {
    pub(super) experiment_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_name: Option<&'a str>,
    pub(super) start_time: i64,
    pub(super) tags: Vec<Pair<'a>>,
}

impl Operation for CreateRun<'_> {
    const NAME: &'static str = "mlflow.runs.create";
    /// The server picks the id: each call makes a run.
    const IDEMPOTENT: bool = false;
    type Output = RunInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/create", self)
    }

    fn decode(&self, response: Response) -> Result<RunInfo> {
        fault::read::<wire::GotRun>(Self::NAME, &response).map(RunInfo::from)
    }
}

fn get_run(operation: &'static str, base: &str, id: &RunId) -> Result<Request> {
    get(operation, base, "/runs/get").query("run_id", id).build()
}

pub(super) struct GetRun<'a>(pub(super) &'a RunId);

impl Operation for GetRun<'_> {
    const NAME: &'static str = "mlflow.runs.get";
    const IDEMPOTENT: bool = true;
    type Output = RunInfo;

    fn encode(&self, base: &str) -> Result<Request> {
        get_run(Self::NAME, base, self.0)
    }

    fn decode(&self, response: Response) -> Result<RunInfo> {
        fault::read::<wire::GotRun>(Self::NAME, &response).map(RunInfo::from)
    }
}

/// The same call, for what else its answer tells.
pub(super) struct GetMetricKeys<'a>(pub(super) &'a RunId);

impl Operation for GetMetricKeys<'_> {
    const NAME: &'static str = "mlflow.runs.get";
    const IDEMPOTENT: bool = true;
    type Output = Vec<MetricKey>;

    fn encode(&self, base: &str) -> Result<Request> {
        get_run(Self::NAME, base, self.0)
    }

    fn decode(&self, response: Response) -> Result<Vec<MetricKey>> {
        fault::read::<wire::GotRun>(Self::NAME, &response).map(wire::GotRun::metric_keys)
    }
}

#[derive(Serialize)]
pub(super) struct UpdateRun<'a> {
    pub(super) run_id: &'a str,
    pub(super) status: &'a str,
    pub(super) end_time: i64,
}

impl Operation for UpdateRun<'_> {
    const NAME: &'static str = "mlflow.runs.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/update", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(super) struct LogBatch<'a> {
    pub(super) run_id: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) metrics: &'a [NewMetric<'a>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) params: &'a [Pair<'a>],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) tags: &'a [Pair<'a>],
}

impl Operation for LogBatch<'_> {
    const NAME: &'static str = "mlflow.runs.log_batch";
    /// Points are a set, params the same again are fine, tags overwrite.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/log-batch", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(super) struct SetTag<'a> {
    pub(super) run_id: &'a str,
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl Operation for SetTag<'_> {
    const NAME: &'static str = "mlflow.runs.set_tag";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/set-tag", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(super) struct LogParameter<'a> {
    pub(super) run_id: &'a str,
    pub(super) key: &'a str,
    pub(super) value: &'a str,
}

impl Operation for LogParameter<'_> {
    const NAME: &'static str = "mlflow.runs.log_parameter";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/log-parameter", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(super) struct SearchRuns<'a> {
    experiment_ids: [&'a str; 1],
    run_view_type: &'static str,
    filter: &'a str,
    max_results: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<&'a str>,
}

impl<'a> SearchRuns<'a> {
    pub(super) fn new(
        experiment: &'a ExperimentId,
        filter: &'a str,
        page_size: Option<u32>,
        token: Option<&'a PageToken>,
    ) -> Self {
        Self {
            experiment_ids: [experiment.as_str()],
            run_view_type: "ACTIVE_ONLY",
            filter,
            max_results: page_size.unwrap_or(RUNS),
            page_token: token.map(|it| it.0.as_str()),
        }
    }
}

impl Operation for SearchRuns<'_> {
    const NAME: &'static str = "mlflow.runs.search";
    /// A POST only because filters are long.
    const IDEMPOTENT: bool = true;
    type Output = Page<RunInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/search", self)
    }

    fn decode(&self, response: Response) -> Result<Page<RunInfo>> {
        fault::read::<wire::Runs>(Self::NAME, &response).map(Page::from)
    }
}

pub(super) struct GetHistory<'a> {
    pub(super) run: &'a RunId,
    pub(super) key: &'a MetricKey,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for GetHistory<'_> {
    const NAME: &'static str = "mlflow.metrics.get_history";
    const IDEMPOTENT: bool = true;
    type Output = Page<Metric>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/metrics/get-history")
            .query("run_id", self.run)
            .query("metric_key", self.key)
            .query("max_results", POINTS)
            .query_opt("page_token", self.token.map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<Metric>> {
        fault::read::<wire::History>(Self::NAME, &response).map(Page::from)
    }
}
