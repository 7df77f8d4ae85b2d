//! The backend over Azure ML's own services: run history, metrics, artifacts,
//! model management.

mod artifact;
mod files;
mod history;
mod metric;
mod models;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;

use azml_blob::BlobClient;
use azml_core::{Clock, Endpoint, Error, RequestBuilder, ResourceId, Result, RetryPolicy};
use http::Method;

pub(crate) use self::token::RunToken;
use crate::{
    Artifacts, BatchLimits, Destination, Experiments, Metrics, MlflowServer, MlflowTracking,
    RegisteredModels, Runs, TrackingBackend, limits::AZURE_ML_SETTLES,
};

/// Tracks runs in an Azure ML workspace. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AzureMlTracking {
    endpoint: Endpoint,
    workspace: Arc<ResourceId>,
    blobs: BlobClient,
}

impl AzureMlTracking {
    /// Tracks runs of `workspace`, whose data plane is at `endpoint`.
    pub fn new(endpoint: Endpoint, workspace: ResourceId) -> Self {
        // The addresses of blobs carry their own permission: no token goes there.
        let blobs = BlobClient::from_endpoint(endpoint.without_credential());
        Self { endpoint, workspace: Arc::new(workspace), blobs }
    }

    /// The workspace.
    pub fn workspace(&self) -> &ResourceId {
        &self.workspace
    }

    /// The same runs through the workspace's MLflow address.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the
    /// workspace's id cannot be written in a URL.
    pub fn mlflow(&self) -> Result<MlflowTracking> {
        let (base, workspace) = (self.endpoint.base(), &self.workspace);
        let address = under("mlflow.address", Method::GET, base, "/mlflow/v2.0", workspace);
        let address = address.build()?.uri().to_string();
        Ok(MlflowTracking::new(self.endpoint.at(address)).with_server(MlflowServer::AzureMl))
    }
}

impl TrackingBackend for AzureMlTracking {
    fn experiments(&self) -> &dyn Experiments {
        self
    }

    fn runs(&self) -> &dyn Runs {
        self
    }

    fn metrics(&self) -> &dyn Metrics {
        self
    }

    fn artifacts(&self) -> &dyn Artifacts {
        self
    }

    fn models(&self) -> &dyn RegisteredModels {
        self
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        self.endpoint.clock()
    }

    fn destination(&self) -> Destination {
        let base = self.endpoint.base().to_owned();
        Destination::AzureMl { base, workspace: self.workspace.to_string() }
    }

    fn limits(&self) -> BatchLimits {
        // Each number has an id; whether the service looks at it is not documented.
        BatchLimits::new(1000, 100, 100).with_unknown_duplicates(AZURE_ML_SETTLES)
    }

    fn tried_once(&self) -> Arc<dyn TrackingBackend> {
        let endpoint = self.endpoint.clone().with_retry(RetryPolicy::never());
        Arc::new(Self { endpoint, ..self.clone() })
    }
}

/// Each service has a path of its own in front of that of the workspace.
fn under(
    operation: &'static str,
    method: Method,
    base: &str,
    service: &str,
    workspace: &ResourceId,
) -> RequestBuilder {
    RequestBuilder::new(operation, method, base).path(service).segments(&workspace.to_string())
}

/// Refuses text that would end early in a filter.
fn quoted(operation: &'static str, text: &str) -> Result<String> {
    if text.contains(['"', '\\']) {
        let reason = format!("filter: {text:?} has a quote or backslash; filter on another tag");
        return Err(Error::invalid(operation, reason));
    }
    Ok(format!("\"{text}\""))
}
