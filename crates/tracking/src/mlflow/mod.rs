//! The backend over the MLflow REST API: `mlflow server`, Azure ML's MLflow
//! address, Databricks.

mod client;
mod experiments;
mod fault;
mod filter;
mod ops;
#[cfg(test)]
mod tests;
mod unsupported;
mod wire;

use std::sync::Arc;

use azml_core::{Clock, Endpoint};

use crate::{Artifacts, Experiments, Metrics, RegisteredModels, Runs, TrackingBackend};

/// Tracks runs on a server that speaks the MLflow REST API. Cheap to clone.
///
/// Artifacts and registered models are not supported yet.
#[derive(Clone, Debug)]
pub struct MlflowTracking {
    endpoint: Endpoint,
}

impl MlflowTracking {
    /// Tracks runs on the server at `endpoint`. What the base holds beside the
    /// host is kept: `https://host/prefix` is asked at
    /// `https://host/prefix/api/2.0/mlflow`.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

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
        &unsupported::Unsupported
    }

    fn models(&self) -> &dyn RegisteredModels {
        &unsupported::Unsupported
    }

    fn clock(&self) -> &Arc<dyn Clock> {
        self.endpoint.clock()
    }
}
