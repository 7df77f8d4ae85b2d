use std::collections::BTreeMap;

use azml_core::{
    Error, Operation, Page, PageToken, Request, RequestBuilder, ResourceId, Response, Result, azure,
};
use http::Method;

use super::{super::under, wire};
use crate::{ModelName, ModelQuery, ModelVersion, ModelVersionNumber, NewModel, RunRef};

/// What the official client asks for in one page.
const PAGE: u32 = 255;

fn at(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
) -> RequestBuilder {
    under(operation, method, base, "/modelmanagement/v1.0", workspace)
}

/// Puts a name on files. Answers the asset's id.
pub(super) struct CreateAsset<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: Option<&'a RunRef>,
    pub(super) name: &'a ModelName,
    pub(super) prefix: &'a str,
}

impl Operation for CreateAsset<'_> {
    const NAME: &'static str = "models.assets.create";
    /// Each call makes an asset. One too many harms nobody, but stays for ever.
    const IDEMPOTENT: bool = false;
    type Output = String;

    fn encode(&self, base: &str) -> Result<Request> {
        let body = wire::NewAsset {
            name: self.name.as_str(),
            artifacts: [wire::Prefix { prefix: self.prefix }],
            run_id: self.run.map(|it| it.id.as_str()),
        };
        at(Self::NAME, Method::POST, base, self.workspace).path("/assets").json(&body).build()
    }

    fn decode(&self, response: Response) -> Result<String> {
        azure::read::<wire::Created>(Self::NAME, &response).map(|it| it.id)
    }
}

/// Asks for the files of an asset. Answers prefixes of their ids.
pub(super) struct GetAsset<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) id: &'a str,
}

impl Operation for GetAsset<'_> {
    const NAME: &'static str = "models.assets.get";
    const IDEMPOTENT: bool = true;
    type Output = Vec<String>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace).path("/assets").segment(self.id).build()
    }

    fn decode(&self, response: Response) -> Result<Vec<String>> {
        let asset: wire::Asset = azure::read(Self::NAME, &response)?;
        Ok(asset.artifacts.into_iter().filter_map(|it| it.prefix.or(it.id)).collect())
    }
}

pub(super) struct Register<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) run: Option<&'a RunRef>,
    pub(super) model: &'a NewModel,
    pub(super) asset: &'a str,
}

impl Operation for Register<'_> {
    const NAME: &'static str = "models.register";
    /// Each call makes a version.
    const IDEMPOTENT: bool = false;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        let NewModel { name, description, framework, framework_version, tags, properties, .. } =
            self.model;
        let body = wire::NewModel {
            name: name.as_str(),
            framework: framework.as_deref(),
            framework_version: framework_version.as_deref(),
            datasets: [],
            url: format!("aml://asset/{}", self.asset),
            mime_type: "application/json",
            description: description.as_deref(),
            unpack: false,
            run_id: self.run.map(|it| it.id.as_str()),
            experiment_name: self.run.map(|it| it.experiment.name.as_str()),
            kv_tags: tags,
            properties,
        };
        at(Self::NAME, Method::POST, base, self.workspace).path("/models").json(&body).build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        azure::read::<wire::Model>(Self::NAME, &response).map(ModelVersion::from)
    }
}

pub(super) struct List<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) query: &'a ModelQuery,
    /// Versions in one page.
    pub(super) count: Option<u32>,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "models.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<ModelVersion>;

    fn encode(&self, base: &str) -> Result<Request> {
        let ModelQuery { name, run_id, tags, properties, framework, is_latest_only } = self.query;
        let (tags, properties) = (pairs("tag", tags)?, pairs("property", properties)?);
        let request = at(Self::NAME, Method::GET, base, self.workspace)
            .path("/models")
            .query_opt("name", name.as_ref())
            .query("count", self.count.unwrap_or(PAGE))
            .query_opt("tags", tags)
            .query_opt("properties", properties)
            .query_opt("runId", run_id.as_ref())
            .query_opt("framework", framework.as_ref())
            .query("latestVersionOnly", is_latest_only);
        match self.token {
            // The mark is escaped already.
            Some(token) => request.raw_query(&format!("$skipToken={}", token.0)).build(),
            None => request.build(),
        }
    }

    fn decode(&self, response: Response) -> Result<Page<ModelVersion>> {
        azure::read::<wire::Models>(Self::NAME, &response).map(Page::from)
    }
}

pub(super) struct Get<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) name: &'a ModelName,
    pub(super) version: ModelVersionNumber,
}

impl Operation for Get<'_> {
    const NAME: &'static str = "models.get";
    const IDEMPOTENT: bool = true;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        let id = format!("{}:{}", self.name, self.version);
        at(Self::NAME, Method::GET, base, self.workspace).path("/models").segment(&id).build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        azure::read::<wire::Model>(Self::NAME, &response).map(ModelVersion::from)
    }
}

/// `k=v,k2=v2`, where neither sign can be part of a value.
fn pairs(what: &str, texts: &BTreeMap<String, String>) -> Result<Option<String>> {
    let pair = |(key, value): (&String, &String)| {
        if key.is_empty() || key.contains(['=', ',']) || value.contains(['=', ',']) {
            let reason = format!(
                "filter: the {what} {key:?} = {value:?} cannot be written in a filter; it must \
                 hold neither = nor a comma"
            );
            return Err(Error::invalid(List::NAME, reason));
        }
        Ok(if value.is_empty() { key.clone() } else { format!("{key}={value}") })
    };
    let pairs = texts.iter().map(pair).collect::<Result<Vec<_>>>()?;
    Ok(Some(pairs.join(",")).filter(|it| !it.is_empty()))
}

fn model(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
    model: &ModelVersion,
) -> RequestBuilder {
    let id = format!("{}:{}", model.name, model.version);
    at(operation, method, base, workspace).path("/models").segment(&id)
}

/// Sets whole fields of a version.
pub(super) struct Update<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) model: &'a ModelVersion,
    pub(super) steps: Vec<wire::Step<'a>>,
}

impl Operation for Update<'_> {
    const NAME: &'static str = "models.update";
    /// Each step sets a whole field.
    const IDEMPOTENT: bool = true;
    type Output = ModelVersion;

    fn encode(&self, base: &str) -> Result<Request> {
        model(Self::NAME, Method::PATCH, base, self.workspace, self.model).json(&self.steps).build()
    }

    fn decode(&self, response: Response) -> Result<ModelVersion> {
        azure::read::<wire::Model>(Self::NAME, &response).map(ModelVersion::from)
    }
}

pub(super) struct Delete<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) model: &'a ModelVersion,
}

impl Operation for Delete<'_> {
    const NAME: &'static str = "models.delete";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        model(Self::NAME, Method::DELETE, base, self.workspace, self.model).build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}
