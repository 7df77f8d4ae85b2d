//! Pipelines that are kept to be run again and again.

use std::fmt;

use async_trait::async_trait;
use azml_core::string_id;
use futures_util::stream::BoxStream;
use time::OffsetDateTime;

use crate::{Pipeline, PipelineRunDetails, Result, SubmitOptions};

string_id! {
    /// Identifies a published pipeline.
    PublishedPipelineId
}

/// A pipeline that is kept to be run again and again, also by plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedPipeline {
    /// Identifies it.
    pub id: PublishedPipelineId,
    /// What people call it. Not unique.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Free text that tells versions of one name apart.
    pub version: Option<String>,
    /// Whether it can be run.
    pub is_active: bool,
    /// The address to which a `POST` runs it.
    pub endpoint: Option<String>,
    /// When it was published.
    pub created_at: Option<OffsetDateTime>,
}

impl PublishedPipeline {
    /// An active one without a description. Handy in fakes.
    pub fn new(id: impl Into<PublishedPipelineId>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            description: None,
            version: None,
            is_active: true,
            endpoint: None,
            created_at: None,
        }
    }
}

/// How to publish a pipeline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishOptions {
    /// What to call it. `None` is the pipeline's name.
    pub name: Option<String>,
    /// What it is for. `None` is the pipeline's description.
    pub description: Option<String>,
    /// Free text that tells versions of one name apart.
    pub version: Option<String>,
    /// Whether steps that do not depend on a failed one still run. `None` is as the
    /// pipeline says.
    pub continue_on_step_failure: Option<bool>,
}

impl PublishOptions {
    /// Publishes under another name than the pipeline's.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Says what it is for.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Tells versions of one name apart.
    #[must_use]
    pub fn with_version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }

    /// Lets independent steps run on after a failure, or not.
    #[must_use]
    pub fn with_continue_on_step_failure(self, go_on: bool) -> Self {
        Self { continue_on_step_failure: Some(go_on), ..self }
    }
}

/// The published pipelines of one workspace.
///
/// Implemented by [`AzureMlPipelines`](crate::AzureMlPipelines). Implement it yourself
/// to fake or to decorate the service; `Arc<dyn PublishedPipelines>` is the type to
/// store.
#[async_trait]
pub trait PublishedPipelines: fmt::Debug + Send + Sync {
    /// Checks the pipeline and publishes it. Does not run it.
    ///
    /// Not repeated after a lost response: the service would publish a second one.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`](crate::PipelineError::Invalid) when the definition is
    /// wrong, before anything is sent.
    async fn publish(
        &self,
        pipeline: &Pipeline,
        options: &PublishOptions,
    ) -> Result<PublishedPipeline>;

    /// Lists published pipelines, without the disabled ones or with them.
    fn list_published(&self, active_only: bool) -> BoxStream<'static, Result<PublishedPipeline>>;

    /// Describes a published pipeline.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none of this id.
    async fn get_published(&self, id: &PublishedPipelineId) -> Result<PublishedPipeline>;

    /// Lets a published pipeline be run again, or no more.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none of this id.
    async fn set_active(&self, id: &PublishedPipelineId, active: bool) -> Result<()>;

    /// Runs a published pipeline. [`SubmitOptions::regenerate_outputs`] has no effect:
    /// it was decided when the pipeline was published.
    ///
    /// Not repeated after a lost response: a second run would start.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none of this id; the
    /// service's own word when it is disabled or has no such parameter.
    async fn run_published(
        &self,
        id: &PublishedPipelineId,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails>;

    /// Lists the runs of a published pipeline.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none of this id.
    async fn runs_of_published(&self, id: &PublishedPipelineId) -> Result<Vec<PipelineRunDetails>>;
}

const _: fn(&dyn PublishedPipelines) = |_| ();
