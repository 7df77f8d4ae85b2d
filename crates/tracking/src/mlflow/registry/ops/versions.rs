use azml_core::{Operation, Page, PageToken, Request, Response, Result};
use http::Method;
use serde::Serialize;

use super::{super::wire, VersionText, at};
use crate::{
    ModelVersion,
    mlflow::{fault, wire::Pair},
};

#[derive(Serialize)]
pub(in super::super) struct CreateVersion<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) run_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(in super::super) tags: &'a [Pair<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in super::super) description: Option<&'a str>,
}

impl Operation for CreateVersion<'_> {
    const NAME: &'static str = "mlflow.model_versions.create";
    /// The server picks the number: each call makes a version.
    const IDEMPOTENT: bool = false;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/model-versions/create").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        fault::read::<wire::GotVersion>(Self::NAME, &response).map(ModelVersion::from)
    }
}

pub(in super::super) struct GetVersion<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) version: VersionText,
}

impl Operation for GetVersion<'_> {
    const NAME: &'static str = "mlflow.model_versions.get";
    const IDEMPOTENT: bool = true;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, "/model-versions/get")
            .query("name", self.name)
            .query("version", self.version)
            .build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        fault::read::<wire::GotVersion>(Self::NAME, &response).map(ModelVersion::from)
    }
}

pub(in super::super) struct SearchVersions<'a> {
    pub(in super::super) filter: &'a str,
    /// How many in one page.
    pub(in super::super) most: u32,
    pub(in super::super) order_by: Option<&'a str>,
    pub(in super::super) token: Option<&'a PageToken>,
}

impl Operation for SearchVersions<'_> {
    const NAME: &'static str = "mlflow.model_versions.search";
    const IDEMPOTENT: bool = true;
    type Output = Page<ModelVersion>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, "/model-versions/search")
            .query_opt("filter", Some(self.filter).filter(|it| !it.is_empty()))
            .query("max_results", self.most)
            .query_opt("order_by", self.order_by)
            .query_opt("page_token", self.token.map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<ModelVersion>> {
        fault::read::<wire::Versions>(Self::NAME, &response).map(Page::from)
    }
}

#[derive(Serialize)]
pub(in super::super) struct TransitionStage<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) version: VersionText,
    pub(in super::super) stage: &'a str,
    pub(in super::super) archive_existing_versions: bool,
}

impl Operation for TransitionStage<'_> {
    const NAME: &'static str = "mlflow.model_versions.transition_stage";
    const IDEMPOTENT: bool = true;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/model-versions/transition-stage").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        fault::read::<wire::GotVersion>(Self::NAME, &response).map(ModelVersion::from)
    }
}

#[derive(Serialize)]
pub(in super::super) struct UpdateVersion<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) version: VersionText,
    pub(in super::super) description: &'a str,
}

impl Operation for UpdateVersion<'_> {
    const NAME: &'static str = "mlflow.model_versions.update";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::PATCH, base, "/model-versions/update").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct DeleteVersion<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) version: VersionText,
}

impl Operation for DeleteVersion<'_> {
    const NAME: &'static str = "mlflow.model_versions.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, "/model-versions/delete").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct SetVersionTag<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) version: VersionText,
    pub(in super::super) key: &'a str,
    pub(in super::super) value: &'a str,
}

impl Operation for SetVersionTag<'_> {
    const NAME: &'static str = "mlflow.model_versions.set_tag";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::POST, base, "/model-versions/set-tag").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

#[derive(Serialize)]
pub(in super::super) struct DeleteVersionTag<'a> {
    pub(in super::super) name: &'a str,
    pub(in super::super) version: VersionText,
    pub(in super::super) key: &'a str,
}

impl Operation for DeleteVersionTag<'_> {
    const NAME: &'static str = "mlflow.model_versions.delete_tag";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::DELETE, base, "/model-versions/delete-tag").json(self).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}
