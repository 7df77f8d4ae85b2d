//! Pipelines that the service keeps.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};

use super::{
    AzureMlPipelines, history, ops,
    prepare::{default_datastore, prepare},
    submit,
};
use crate::{
    Pipeline, PipelineError, PipelineRunDetails, PublishOptions, PublishedPipeline,
    PublishedPipelineId, PublishedPipelines, Result, SubmitOptions, plan::Plan, wire,
};

#[async_trait]
impl PublishedPipelines for AzureMlPipelines {
    async fn publish(
        &self,
        pipeline: &Pipeline,
        options: &PublishOptions,
    ) -> Result<PublishedPipeline> {
        submit::check(self, pipeline, &SubmitOptions::default()).await?;
        let datastore = default_datastore(self, pipeline).await?;
        let prepared = prepare(self, pipeline, &datastore, false).await?;
        let body = publication(
            pipeline,
            options,
            &prepared.plan,
            &prepared.module_ids,
            &prepared.source_ids,
        );
        let (endpoint, workspace) = (self.data_plane().await?, &self.scope());
        let published = endpoint.call(&ops::CreatePublished { workspace, body: &body }).await?;
        Ok(published.into())
    }

    fn list_published(&self, active_only: bool) -> BoxStream<'static, Result<PublishedPipeline>> {
        let this = self.clone();
        let all = async move {
            let (endpoint, workspace) = (this.data_plane().await?, &this.scope());
            let list = endpoint.call(&ops::ListPublished { workspace, active_only }).await?;
            Ok::<_, PipelineError>(stream::iter(list.into_iter().map(|it| Ok(it.into()))))
        };
        stream::once(all).try_flatten().boxed()
    }

    async fn get_published(&self, id: &PublishedPipelineId) -> Result<PublishedPipeline> {
        let (endpoint, workspace) = (self.data_plane().await?, &self.scope());
        Ok(endpoint.call(&ops::GetPublished { workspace, id }).await?.into())
    }

    async fn set_active(&self, id: &PublishedPipelineId, active: bool) -> Result<()> {
        let (endpoint, workspace) = (self.data_plane().await?, &self.scope());
        Ok(endpoint.call(&ops::SetPublishedStatus { workspace, id, active }).await?)
    }

    async fn run_published(
        &self,
        id: &PublishedPipelineId,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails> {
        let experiment = match &options.experiment {
            Some(name) => name.clone(),
            None => self.get_published(id).await?.name,
        };
        let (endpoint, workspace) = (self.data_plane().await?, &self.scope());
        let tracking = self.tracking().await?;
        let info = history::experiment(&tracking, &experiment).await?;
        let values = options.parameters.iter();
        let body = wire::PublishedSubmission {
            description: experiment.clone(),
            experiment_name: experiment,
            run_source: "SDK",
            run_type: "SDK",
            parameter_assignments: values.map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            data_path_assignments: BTreeMap::new(),
            data_set_definition_value_assignments: BTreeMap::new(),
            properties: BTreeMap::new(),
        };
        let submit = ops::SubmitPublished { workspace, id, body: &body };
        let run = PipelineRunDetails::from(endpoint.call(&submit).await?);
        if !options.tags.is_empty() {
            history::tag(&tracking, info, &run.id, &options.tags).await?;
        }
        Ok(run)
    }

    async fn runs_of_published(&self, id: &PublishedPipelineId) -> Result<Vec<PipelineRunDetails>> {
        let (endpoint, workspace) = (self.data_plane().await?, &self.scope());
        let runs = endpoint.call(&ops::RunsOfPublished { workspace, id }).await?;
        Ok(runs.into_iter().map(Into::into).collect())
    }
}

/// The body that publishes a plan.
pub(crate) fn publication<'a>(
    pipeline: &Pipeline,
    options: &PublishOptions,
    plan: &'a Plan<'_>,
    module_ids: &'a [String],
    source_ids: &[String],
) -> wire::Publication<'a> {
    let go_on = options.continue_on_step_failure;
    wire::Publication {
        name: options.name.clone().unwrap_or_else(|| pipeline.name.clone()),
        description: options.description.clone().or_else(|| pipeline.description.clone()),
        version: options.version.clone(),
        graph: plan.graph(false, module_ids, source_ids),
        graph_interface: plan.interface(),
        data_set_definition_value_assignments: BTreeMap::new(),
        continue_run_on_step_failure: go_on.or(pipeline.continue_on_step_failure.then_some(true)),
        properties: BTreeMap::new(),
    }
}
