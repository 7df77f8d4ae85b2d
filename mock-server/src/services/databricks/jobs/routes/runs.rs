use axum::Json;
use serde_json::{Value, json};

use super::{Answer, IsNewest, base};
use crate::{
    kernel::{Body, Caller, Here, Params, Refusal, Refused, Site},
    services::databricks::{
        Envelope,
        gate::AtDatabricks,
        jobs::{
            state::definitions::saved,
            state::repair::decide_repair,
            state::rules::{decide_cancel, decide_cancel_all, decide_remove, decide_run},
            state::spec::CodeSpec,
            state::view::log_of,
            wire::{
                self, CancelAllBody, ExportQuery, GetQuery, Page, RepairBody, RunBody, RunPage,
            },
        },
        paths,
        wire::required,
        workspace_of,
    },
};

pub(super) async fn submit(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    caller: Caller,
    Body(body, _): Body<Value, Envelope>,
) -> Answer {
    let (submission, terms) = wire::submitted(body, is_newest, &caller.name)?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_run(world, workspace, submission, terms, None, ctx)
    })?;
    Ok(Json(json!({ "run_id": id })))
}

pub(super) async fn get(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    Params(query, _): Params<GetQuery, Envelope>,
) -> Answer {
    let id = required(query.run_id, "run_id")?;
    let from = query.page_token.and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
    let page = RunPage {
        page: if is_newest { Page::From(from) } else { Page::All },
        with_history: query.include_history,
        with_resolved: query.include_resolved_values,
    };
    kernel.read(|world, _| {
        let base = base(&site, workspace);
        Ok(Json(match workspace_of(world, workspace)?.jobs.find(id)? {
            (run, None) => wire::describe_run(run, page, &base),
            (run, Some(task)) => wire::describe_task_run(run, task, page, &base),
        }))
    })
}

pub(super) async fn get_output(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<GetQuery, Envelope>,
) -> Answer {
    let id = required(query.run_id, "run_id")?;
    let (run, task) = kernel.read::<_, Refused<Envelope>>(|world, _| {
        let (run, task) = workspace_of(world, workspace)?.jobs.find(id)?;
        match task.or(if let [only] = run.tasks.as_slice() { Some(only) } else { None }) {
            Some(task) => Ok((run.clone(), task.clone())),
            None => Err(Refusal::invalid(
                "Retrieving the output of runs with multiple tasks is not supported. Please retrieve the output of each individual task run instead.",
            )),
        }
    })?;
    let log = log_of(kernel, workspace, task.run_id).await;
    Ok(Json(wire::describe_output(&run, &task, &log, &base(&site, workspace))))
}

pub(super) async fn export(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<ExportQuery, Envelope>,
) -> Answer {
    let id = required(query.run_id, "run_id")?;
    let views = query.views_to_export.as_deref().unwrap_or("CODE");
    if !["CODE", "DASHBOARDS", "ALL"].contains(&views) {
        return Err(Refusal::invalid(format!("Unknown views_to_export: {views}")).into());
    }
    let (path, result, run_id) = kernel.read::<_, Refused<Envelope>>(|world, _| {
        let (run, task) = workspace_of(world, workspace)?.jobs.find(id)?;
        let task = task.or(if let [only] = run.tasks.as_slice() { Some(only) } else { None });
        let task = task.ok_or_else(|| {
            Refusal::invalid(
                "Exporting runs with multiple tasks is not supported. Please export each individual task run instead.",
            )
        })?;
        match &run.spec(task).code {
            CodeSpec::Notebook { path } => {
                let result = task.end().and_then(|it| it.error.clone().or(it.exit_value.clone()));
                Ok((path.clone(), result, task.run_id))
            }
            _ => Err(Refusal::invalid("Only runs of notebook tasks can be exported")),
        }
    })?;
    // There are no dashboards.
    if views == "DASHBOARDS" {
        return Ok(Json(json!({})));
    }
    let inner = path.strip_prefix("/Workspace").filter(|it| it.starts_with('/')).unwrap_or(&path);
    let file = paths::local(&kernel.files.workspace(workspace), inner);
    let source = tokio::fs::read(file).await.unwrap_or_default();
    let source = String::from_utf8_lossy(&source);
    let log = log_of(kernel, workspace, run_id).await;
    let view = wire::view_of(&path, &source, result.as_deref(), &log);
    Ok(Json(json!({ "views": [view] })))
}

pub(super) async fn cancel(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<RunBody, Envelope>,
) -> Answer {
    let id = required(body.run_id, "run_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        workspace_of(world, workspace)?.jobs.find(id)?;
        Ok((decide_cancel(world, workspace, id, ctx), ()))
    })?;
    Ok(Json(json!({})))
}

pub(super) async fn cancel_all(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<CancelAllBody, Envelope>,
) -> Answer {
    if body.job_id.is_none() && !body.all_queued_runs {
        return Err(Refusal::invalid("Missing required field: job_id").into());
    }
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        if let Some(id) = body.job_id {
            saved(world, workspace, id)?;
        }
        decide_cancel_all(world, workspace, body.job_id, body.all_queued_runs, ctx)
    })?;
    Ok(Json(json!({})))
}

pub(super) async fn repair(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<RepairBody, Envelope>,
) -> Answer {
    let wish = body.wish()?;
    let id = kernel
        .commit::<_, Refused<Envelope>>(|world, ctx| decide_repair(world, workspace, &wish, ctx))?;
    Ok(Json(json!({ "repair_id": id })))
}

pub(super) async fn remove(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<RunBody, Envelope>,
) -> Answer {
    let id = required(body.run_id, "run_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_remove(world, workspace, id))?;
    Ok(Json(json!({})))
}
