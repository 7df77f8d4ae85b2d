//! The backend over the MLflow REST API: `mlflow server`, Azure ML's MLflow
//! address, Databricks.

mod artifacts;
mod client;
mod experiments;
mod fault;
mod filter;
mod keys;
mod ops;
mod registry;
#[cfg(test)]
mod tests;
mod wire;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use azml_core::{Clock, Endpoint, Result, RetryPolicy};
use tokio::sync::OnceCell;

use crate::{
    Artifacts, BatchLimits, Destination, Experiments, Metrics, RegisteredModels, RunBatch, RunRef,
    Runs, TrackingBackend, limits::AZURE_ML_SETTLES,
};

/// Tracks runs on a server that speaks the MLflow REST API. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MlflowTracking {
    endpoint: Endpoint,
    server: MlflowServer,
    /// Whether large artifacts may go in parts, once it was asked.
    takes_parts: Arc<OnceCell<bool>>,
}

/// Whose server speaks MLflow. They differ in what a batch may hold and in what
/// becomes of one that is sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MlflowServer {
    /// `mlflow server`, whose SQL store keeps equal points once.
    Plain,
    /// The MLflow address of an Azure ML workspace.
    AzureMl,
    /// A Databricks workspace.
    Databricks,
}

impl MlflowServer {
    /// Whose server is at `base`, as far as its address tells.
    fn at(base: &str) -> Self {
        let host = base.split_once("://").map_or(base, |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        if base.contains("/providers/Microsoft.MachineLearningServices/") {
            Self::AzureMl
        } else if host.contains(".azuredatabricks.") || host.contains(".databricks.") {
            Self::Databricks
        } else {
            Self::Plain
        }
    }
}

impl MlflowTracking {
    /// Tracks runs on the server at `endpoint`. What the base holds beside the
    /// host is kept: `https://host/prefix` is asked at
    /// `https://host/prefix/api/2.0/mlflow`.
    pub fn new(endpoint: Endpoint) -> Self {
        let server = MlflowServer::at(endpoint.base());
        Self { endpoint, server, takes_parts: Arc::default() }
    }

    /// Whose server it is.
    pub fn server(&self) -> MlflowServer {
        self.server
    }

    /// Says whose server it is, where the address does not tell.
    #[must_use]
    pub fn with_server(self, server: MlflowServer) -> Self {
        Self { server, ..self }
    }
}

#[async_trait]
impl TrackingBackend for MlflowTracking {
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
        Destination::Mlflow { base: self.endpoint.base().to_owned() }
    }

    fn limits(&self) -> BatchLimits {
        match self.server {
            MlflowServer::Plain => BatchLimits::new(1000, 100, 100),
            // Larger batches have been refused: mlflow issue 2441.
            MlflowServer::AzureMl => {
                BatchLimits::new(200, 100, 100).with_unknown_duplicates(AZURE_ML_SETTLES)
            }
            MlflowServer::Databricks => {
                BatchLimits::new(1000, 100, 100).with_unknown_duplicates(Duration::from_secs(5))
            }
        }
    }

    fn tried_once(&self) -> Arc<dyn TrackingBackend> {
        let endpoint = self.endpoint.clone().with_retry(RetryPolicy::never());
        Arc::new(Self { endpoint, ..self.clone() })
    }

    async fn log_batch(&self, run: &RunRef, batch: &RunBatch) -> Result<()> {
        let metrics: Vec<_> = batch.metrics.iter().map(wire::NewMetric::from).collect();
        let (params, tags) = (wire::pairs(&batch.params), wire::pairs(&batch.tags));
        let run_id = run.id.as_str();
        let batch = ops::LogBatch { run_id, metrics: &metrics, params: &params, tags: &tags };
        self.endpoint.call(&batch).await
    }
}

#[cfg(test)]
mod server_tests {
    use super::MlflowServer;

    #[test]
    fn the_address_tells_whose_server_it_is() {
        let azure = "https://westeurope.api.azureml.ms/mlflow/v2.0/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
        for (base, server) in [
            ("http://localhost:5000", MlflowServer::Plain),
            (azure, MlflowServer::AzureMl),
            ("https://adb-1.7.azuredatabricks.net", MlflowServer::Databricks),
            ("https://dbc-1.cloud.databricks.com", MlflowServer::Databricks),
        ] {
            assert_eq!(MlflowServer::at(base), server, "{base}");
        }
    }
}
