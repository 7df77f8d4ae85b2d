//! Service discovery: which addresses serve a workspace.

use std::collections::BTreeMap;

use azml_core::{Operation, Request, RequestBuilder, Response, Result, azure};
use serde::Deserialize;

/// The addresses of the services of one workspace. None ends with a slash.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Services {
    /// The data plane: run history, metrics, artifacts, models, pipelines, computes.
    pub api: String,
    /// Run history under its older name.
    pub experimentation: String,
    /// Run history, metrics, artifacts and snapshots.
    pub history: String,
    /// Hyperparameter sweeps.
    pub hyperdrive: String,
    /// Registered models.
    pub modelmanagement: String,
    /// The web user interface.
    pub studio: String,
    /// Every further service, by the name that the service gives it.
    pub others: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Document {
    api: String,
    experimentation: String,
    history: String,
    hyperdrive: String,
    modelmanagement: String,
    studio: String,
    #[serde(flatten)]
    others: BTreeMap<String, serde_json::Value>,
}

impl From<Document> for Services {
    fn from(it: Document) -> Self {
        let trimmed = |url: &str| url.trim_end_matches('/').to_owned();
        let others = it.others.iter();
        Self {
            api: trimmed(&it.api),
            experimentation: trimmed(&it.experimentation),
            history: trimmed(&it.history),
            hyperdrive: trimmed(&it.hyperdrive),
            modelmanagement: trimmed(&it.modelmanagement),
            studio: trimmed(&it.studio),
            others: others
                .filter_map(|(name, url)| Some((name.clone(), trimmed(url.as_str()?))))
                .collect(),
        }
    }
}

/// The base is the workspace's discovery address, and is asked as it is.
pub(crate) struct Get;

impl Operation for Get {
    const NAME: &'static str = "discovery.get";
    const IDEMPOTENT: bool = true;
    type Output = Services;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, http::Method::GET, base).build()
    }

    fn decode(&self, response: Response) -> Result<Services> {
        azure::read::<Document>(Self::NAME, &response).map(Services::from)
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::testing;

    #[test]
    fn discovery_names_each_service() {
        let exchange = azml_fixtures::load("discovery/get");
        testing::assert_encodes(&Get, "https://ml.test/discovery", &exchange);
        let services = Get.decode(testing::response(&exchange)).unwrap();
        assert_eq!(services.api, "https://ml.test");
        assert_eq!(services.studio, "https://ml.test");
        assert_eq!(services.others["pipelines"], "https://ml.test");
    }

    #[test]
    fn a_document_without_the_data_plane_is_refused() {
        let response = http::Response::new(bytes::Bytes::from(r#"{"history": "https://ml.test"}"#));
        assert_eq!(Get.decode(response).unwrap_err().kind(), ErrorKind::Decode);
    }
}
