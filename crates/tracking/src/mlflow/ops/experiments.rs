use azml_core::{Operation, Page, PageToken, Request, Response, Result};
use serde::Serialize;

use super::{fault, post, wire};
use crate::{ExperimentInfo, ExperimentView};

/// Experiments in one page of a search.
const PAGE: u32 = 1000;

#[derive(Serialize)]
pub(in crate::mlflow) struct SearchExperiments<'a> {
    max_results: u32,
    view_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<&'a str>,
}

impl<'a> SearchExperiments<'a> {
    pub(in crate::mlflow) fn new(view: ExperimentView, token: Option<&'a PageToken>) -> Self {
        let view_type = match view {
            ExperimentView::Active => "ACTIVE_ONLY",
            ExperimentView::Archived => "DELETED_ONLY",
            ExperimentView::All => "ALL",
        };
        Self { max_results: PAGE, view_type, page_token: token.map(|it| it.0.as_str()) }
    }
}

impl Operation for SearchExperiments<'_> {
    const NAME: &'static str = "mlflow.experiments.search";
    /// A POST only because filters are long.
    const IDEMPOTENT: bool = true;
    type Output = Page<ExperimentInfo>;

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/experiments/search", self)
    }

    fn decode(&self, response: Response) -> Result<Page<ExperimentInfo>> {
        fault::read::<wire::Experiments>(Self::NAME, &response).map(Page::from)
    }
}

/// Marks an experiment as deleted.
#[derive(Serialize)]
pub(in crate::mlflow) struct DeleteExperiment<'a> {
    pub(in crate::mlflow) experiment_id: &'a str,
}

impl Operation for DeleteExperiment<'_> {
    const NAME: &'static str = "mlflow.experiments.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/experiments/delete", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in crate::mlflow) struct RestoreExperiment<'a> {
    pub(in crate::mlflow) experiment_id: &'a str,
}

impl Operation for RestoreExperiment<'_> {
    const NAME: &'static str = "mlflow.experiments.restore";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/experiments/restore", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}
