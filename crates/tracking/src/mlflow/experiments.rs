use async_trait::async_trait;
use azml_core::{Error, ErrorKind, PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;

use super::ops;
use crate::{
    ExperimentId, ExperimentInfo, ExperimentName, ExperimentView, Experiments, MlflowTracking,
};

#[async_trait]
impl Experiments for MlflowTracking {
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        let create = ops::CreateExperiment { name: name.as_str() };
        if name.as_str().is_empty() || name.as_str().chars().count() > 500 {
            let reason = format!("experiment name \"{name}\": use 1 to 500 characters");
            return Err(Error::invalid("mlflow.experiments.create", reason));
        }
        let by_name = ops::GetExperimentByName(name);
        match self.endpoint.call(&by_name).await {
            Err(err) if err.kind() == ErrorKind::NotFound => (),
            found => return found,
        }
        match self.endpoint.call(&create).await {
            Ok(id) => Ok(ExperimentInfo::new(id, name.clone())),
            // Somebody else was faster.
            Err(err) if err.kind() == ErrorKind::Conflict => self.endpoint.call(&by_name).await,
            Err(err) => Err(err),
        }
    }

    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::GetExperiment(id)).await
    }

    async fn find(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::GetExperimentByName(name)).await
    }

    fn list(&self, view: ExperimentView) -> BoxStream<'static, Result<ExperimentInfo>> {
        let endpoint = self.endpoint.clone();
        stream_pages(move |token: Option<PageToken>| {
            let endpoint = endpoint.clone();
            async move {
                let search = ops::SearchExperiments::new(view, token.as_ref());
                endpoint.call(&search).await
            }
        })
    }

    async fn archive(&self, id: &ExperimentId) -> Result<()> {
        self.endpoint.call(&ops::DeleteExperiment { experiment_id: id.as_str() }).await
    }

    async fn unarchive(&self, id: &ExperimentId) -> Result<()> {
        self.endpoint.call(&ops::RestoreExperiment { experiment_id: id.as_str() }).await
    }
}
