use azml_core::{Operation, Request, Response, Result};
use http::Method;
use serde::Serialize;

use super::{super::wire, VersionText, at};
use crate::{ModelVersion, mlflow::fault};

const PATH: &str = "/registered-models/alias";

#[derive(Serialize)]
pub(in super::super) struct SetAlias<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) alias: &'a str,
    pub(in super::super) version: VersionText,
}

impl Operation for SetAlias<'_> {
    const NAME: &'static str = "mlflow.registered_models.set_alias";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, PATH).json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct DeleteAlias<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) alias: &'a str,
}

impl Operation for DeleteAlias<'_> {
    const NAME: &'static str = "mlflow.registered_models.delete_alias";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, PATH).json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct GetByAlias<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) alias: &'a str,
}

impl Operation for GetByAlias<'_> {
    const NAME: &'static str = "mlflow.registered_models.get_by_alias";
    const IDEMPOTENT: bool = true;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        let path = at(Self::NAME, Method::GET, base, PATH);
        path.query("name", self.name).query("alias", self.alias).build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        fault::read::<wire::GotVersion>(Self::NAME, &response).map(ModelVersion::from)
    }
}
