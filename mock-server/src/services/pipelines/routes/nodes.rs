//! The steps of a run: how far they are, what they say and where they write.

use axum::{Json, http::header::CONTENT_TYPE, response::IntoResponse};
use serde_json::{Map, Value};

use super::{Answer, Envelope, Id, In};
use crate::{
    kernel::{Body, Here, Names, Refusal, Refused, World},
    services::{
        databricks::jobs,
        pipelines::{
            state::{PipelineRun, Step, Workspace, job_log as job_log_of},
            wire,
        },
    },
};

/// The step of the first node in the body, which is a list of node ids.
fn step_of<'a>(
    world: &'a World,
    at: &str,
    run_id: &str,
    nodes: &[String],
) -> Result<(&'a PipelineRun, &'a Step), Refusal> {
    let run = world.pipelines.run_at(at, run_id)?;
    let node = nodes.first().ok_or_else(|| Refusal::invalid("the body names no node"))?;
    let step = run.step(node);
    step.map(|it| (run, it))
        .ok_or_else(|| Refusal::not_found(format!("the run has no node {node}")))
}

pub(super) async fn status_code(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let (_, step) = step_of(world, &scope.workspace_id, &path.id, &nodes)?;
        Ok(Json(step.status.as_str().into()))
    })
}

pub(super) async fn status(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let (run, step) = step_of(world, &scope.workspace_id, &path.id, &nodes)?;
        Ok(Json(wire::task_status_json(run, step)))
    })
}

pub(super) async fn all_status_codes(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let steps = world.pipelines.run_at(&scope.workspace_id, &path.id)?.steps.iter();
        let all = steps.map(|it| (it.node_id.clone(), it.status.as_str().into()));
        Ok(Json(all.collect::<Map<String, Value>>().into()))
    })
}

pub(super) async fn all_statuses(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let run = world.pipelines.run_at(&scope.workspace_id, &path.id)?;
        let all = run.steps.iter();
        let all = all.map(|it| (it.node_id.clone(), wire::task_status_json(run, it)));
        Ok(Json(all.collect::<Map<String, Value>>().into()))
    })
}

pub(super) async fn stdout(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Result<impl IntoResponse, Refused<Envelope>> {
    let job_run: Result<Option<(u64, i64)>, Refused<Envelope>> = kernel.read(|world, _| {
        step_of(world, &scope.workspace_id, &path.id, &nodes).map(|(_, step)| step.job_run)
    });
    let log = job_run?.map(|(workspace, id)| jobs::log_of(kernel, workspace, id).whole());
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], log.unwrap_or_default()))
}

/// Both streams of a task are one log here; what went wrong is told apart.
pub(super) async fn stderr(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Result<String, Refused<Envelope>> {
    kernel.read(|world, _| {
        let (_, step) = step_of(world, &scope.workspace_id, &path.id, &nodes)?;
        let view = step.job_run.and_then(|(workspace, id)| jobs::run_state(world, workspace, id));
        let trace = view.and_then(|it| it.error_trace.or(it.error).map(str::to_owned));
        Ok(trace.unwrap_or_default())
    })
}

pub(super) async fn job_log(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Result<String, Refused<Envelope>> {
    kernel.read(|world, _| {
        let (_, step) = step_of(world, &scope.workspace_id, &path.id, &nodes)?;
        let view = step.job_run.and_then(|(workspace, id)| jobs::run_state(world, workspace, id));
        Ok(job_log_of(&step.name, step.status, step.job_run, view.as_ref()))
    })
}

pub(super) async fn outputs(
    Here(kernel): Here,
    In(scope): In,
    Names(path, _): Names<Id, Envelope>,
    Body(nodes, _): Body<Vec<String>, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        let (run, step) = step_of(world, &scope.workspace_id, &path.id, &nodes)?;
        let node = world.pipelines.graph(&scope.workspace_id, &run.graph_id)?.node(&step.node_id);
        let names = node.map(|it| it.outputs.as_slice()).unwrap_or_default();
        wire::outputs_json(step, names, world, &Workspace::from(&scope)).map(Json)
    })
}
