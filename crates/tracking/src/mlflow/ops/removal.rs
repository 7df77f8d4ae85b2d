use azml_core::{Operation, Request, Response, Result};
use serde::Serialize;

use super::{fault, post};

#[derive(Serialize)]
pub(in crate::mlflow) struct DeleteTag<'a> {
    pub(in crate::mlflow) run_id: &'a str,
    pub(in crate::mlflow) key: &'a str,
}

impl Operation for DeleteTag<'_> {
    const NAME: &'static str = "mlflow.runs.delete_tag";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/delete-tag", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

/// Marks a run as deleted.
#[derive(Serialize)]
pub(in crate::mlflow) struct DeleteRun<'a> {
    pub(in crate::mlflow) run_id: &'a str,
}

impl Operation for DeleteRun<'_> {
    const NAME: &'static str = "mlflow.runs.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/delete", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in crate::mlflow) struct RestoreRun<'a> {
    pub(in crate::mlflow) run_id: &'a str,
}

impl Operation for RestoreRun<'_> {
    const NAME: &'static str = "mlflow.runs.restore";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        post(Self::NAME, base, "/runs/restore", self)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}
