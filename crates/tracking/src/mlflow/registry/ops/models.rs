use azml_core::{Operation, Page, PageToken, Request, Response, Result};
use http::Method;
use serde::Serialize;

use super::{super::wire, at};
use crate::{RegisteredModel, mlflow::fault};

/// Models in one page.
const PAGE: u32 = 100;

#[derive(Serialize)]
pub(in super::super) struct CreateModel<'a> {
    pub(in super::super) name: &'a str,
}

impl Operation for CreateModel<'_> {
    const NAME: &'static str = "mlflow.registered_models.create";
    /// A second one of the same name is refused.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/registered-models/create").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(in super::super) struct GetModel<'a>(pub(in super::super) &'a str);

impl Operation for GetModel<'_> {
    const NAME: &'static str = "mlflow.registered_models.get";
    const IDEMPOTENT: bool = true;
    type Output = RegisteredModel;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, "/registered-models/get").query("name", self.0).build()
    }

    fn decode(&self, response: Response) -> Result<RegisteredModel> {
        fault::read::<wire::GotModel>(Self::NAME, &response).map(RegisteredModel::from)
    }
}

pub(in super::super) struct SearchModels<'a> {
    pub(in super::super) filter: Option<&'a str>,
    pub(in super::super) token: Option<&'a PageToken>,
}

impl Operation for SearchModels<'_> {
    const NAME: &'static str = "mlflow.registered_models.search";
    const IDEMPOTENT: bool = true;
    type Output = Page<RegisteredModel>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, "/registered-models/search")
            .query_opt("filter", self.filter)
            .query("max_results", PAGE)
            .query_opt("page_token", self.token.map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<RegisteredModel>> {
        fault::read::<wire::Models>(Self::NAME, &response).map(Page::from)
    }
}

#[derive(Serialize)]
pub(in super::super) struct UpdateModel<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) description: &'a str,
}

impl Operation for UpdateModel<'_> {
    const NAME: &'static str = "mlflow.registered_models.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PATCH, base, "/registered-models/update").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct DeleteModel<'a> {
    pub(in super::super) name: &'a str,
}

impl Operation for DeleteModel<'_> {
    const NAME: &'static str = "mlflow.registered_models.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, "/registered-models/delete").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct SetModelTag<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) key: &'a str,
    pub(in super::super) value: &'a str,
}

impl Operation for SetModelTag<'_> {
    const NAME: &'static str = "mlflow.registered_models.set_tag";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/registered-models/set-tag").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct DeleteModelTag<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) key: &'a str,
}

impl Operation for DeleteModelTag<'_> {
    const NAME: &'static str = "mlflow.registered_models.delete_tag";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, "/registered-models/delete-tag").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}
