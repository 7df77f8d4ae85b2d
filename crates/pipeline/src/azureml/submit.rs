//! From a definition to a running pipeline.

use azml_compute::{ComputeType, Computes, ComputesClient};
use azml_core::ErrorKind;
use futures_util::TryStreamExt;

use super::{
    AzureMlPipelines, history, ops,
    prepare::{default_datastore, prepare},
};
use crate::{
    Pipeline, PipelineError, PipelineRunDetails, Problem, Result, SubmitOptions, Surroundings,
    choices::Chosen, plan::Choices,
};

pub(super) async fn submit(
    pipelines: &AzureMlPipelines,
    pipeline: &Pipeline,
    options: &SubmitOptions,
) -> Result<PipelineRunDetails> {
    let chosen = check(pipelines, pipeline, options).await?;
    let datastore = default_datastore(pipelines, pipeline).await?;
    let regenerates = options.regenerate_outputs;
    let prepared = prepare(pipelines, pipeline, &datastore, regenerates).await?;
    let choices = Choices {
        description: chosen.description.clone(),
        assignments: chosen.assignments(),
        data_paths: prepared.plan.data_paths(&chosen.data_paths),
        regenerate_outputs: options.regenerate_outputs,
    };
    let body = prepared.plan.submission(
        pipeline.continue_on_step_failure,
        &choices,
        &prepared.module_ids,
        &prepared.source_ids,
    );
    let tracking = pipelines.tracking().await?;
    let experiment = history::experiment(&tracking, &chosen.experiment).await?;
    let endpoint = pipelines.data_plane().await?;
    let workspace = &pipelines.scope();
    let create = ops::CreateRun { workspace, experiment: experiment.name.as_str(), body: &body };
    let run = PipelineRunDetails::from(endpoint.call(&create).await?);
    endpoint.call(&ops::SubmitRun { workspace, id: &run.id }).await?;
    if !options.tags.is_empty() {
        history::tag(&tracking, experiment, &run.id, &options.tags).await?;
    }
    Ok(run)
}

/// Checks the definition against the workspace.
pub(super) async fn check(
    pipelines: &AzureMlPipelines,
    pipeline: &Pipeline,
    options: &SubmitOptions,
) -> Result<Chosen> {
    // What is wrong anyway is told without asking anybody.
    let chosen = Chosen::new(pipeline, options)?;
    let problems = unknown_computes(pipelines, pipeline).await?;
    if problems.is_empty() { Ok(chosen) } else { Err(PipelineError::Invalid(problems)) }
}

/// Steps on compute targets that the workspace does not have. Nothing when this
/// identity may not list them: the service checks again when the step starts.
async fn unknown_computes(
    pipelines: &AzureMlPipelines,
    pipeline: &Pipeline,
) -> Result<Vec<Problem>> {
    let listed = ComputesClient::new(&pipelines.workspace).list().try_collect::<Vec<_>>().await;
    let targets = match listed {
        Ok(targets) => targets,
        Err(err) if err.kind() == ErrorKind::PermissionDenied => return Ok(Vec::new()),
        Err(err) => return Err(err.into()),
    };
    let known = targets.into_iter().filter(|it| it.compute_type == ComputeType::Databricks);
    let surroundings = Surroundings::default().with_computes(known.map(|it| it.name.to_string()));
    Ok(pipeline.problems_in(&surroundings))
}
