use async_trait::async_trait;
use azml_core::{PageToken, Result, stream_pages};
use futures_core::stream::BoxStream;

use super::{ops, wire};
use crate::{
    AzureMlTracking, ExperimentId, ExperimentInfo, ExperimentName, ExperimentView, Experiments,
};

#[async_trait]
impl Experiments for AzureMlTracking {
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::CreateExperiment { workspace: &self.workspace, name }).await
    }

    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::GetExperiment { workspace: &self.workspace, id }).await
    }

    async fn find(&self, name: &ExperimentName) -> Result<ExperimentInfo> {
        self.endpoint.call(&ops::FindExperiment { workspace: &self.workspace, name }).await
    }

    fn list(&self, view: ExperimentView) -> BoxStream<'static, Result<ExperimentInfo>> {
        let view_type = match view {
            ExperimentView::Active => "ActiveOnly",
            ExperimentView::Archived => "ArchivedOnly",
            ExperimentView::All => "All",
        };
        let this = self.clone();
        stream_pages(move |token: Option<PageToken>| {
            let this = this.clone();
            async move {
                let continuation_token = token.as_ref().map(|it| it.0.as_str());
                let body = wire::QueryExperiments { view_type, continuation_token };
                let query = ops::QueryExperiments { workspace: &this.workspace, body };
                this.endpoint.call(&query).await
            }
        })
    }

    async fn archive(&self, id: &ExperimentId) -> Result<()> {
        let workspace = &self.workspace;
        self.endpoint.call(&ops::ArchiveExperiment { workspace, id, archive: true }).await
    }

    async fn unarchive(&self, id: &ExperimentId) -> Result<()> {
        let workspace = &self.workspace;
        self.endpoint.call(&ops::ArchiveExperiment { workspace, id, archive: false }).await
    }
}
