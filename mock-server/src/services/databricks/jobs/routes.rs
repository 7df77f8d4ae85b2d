use axum::{Json, http::Method, routing::on};
use serde_json::{Value, json};

use super::{
    state::JobRun,
    state::definitions::{decide_save, decide_unsave, saved},
    state::rules::{decide_cancel, decide_remove, decide_run, decide_submit},
    state::view::log_of,
    wire::{self, GetQuery, JobBody, JobsQuery, RunBody, RunNowBody, RunsQuery, SubmitBody},
};
use crate::{
    kernel::{Body, Caller, Here, Params, Refusal, Refused, Route, Service, Site},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        wire::{from_millis, required},
        workspace_of,
    },
};

/// One operation under all versions of the API.
macro_rules! all_versions {
    ($([$make:ident $operation:literal, $path:literal, $handler:expr])* ; $([$method:ident $absent:literal, $absent_path:literal])*) => {
        &[$(
            Route::$make($operation, concat!("/api/2.0/jobs/", $path), |it| on(it, $handler)),
            Route::$make($operation, concat!("/api/2.1/jobs/", $path), |it| on(it, $handler)),
            Route::$make($operation, concat!("/api/2.2/jobs/", $path), |it| on(it, $handler)),
        )* $(
            Route::absent(Method::$method, $absent, concat!("/api/2.0/jobs/", $absent_path)),
            Route::absent(Method::$method, $absent, concat!("/api/2.1/jobs/", $absent_path)),
            Route::absent(Method::$method, $absent, concat!("/api/2.2/jobs/", $absent_path)),
        )*]
    };
}

static ROUTES: &[Route] = all_versions![
    [post "databricks.jobs.runs.submit", "runs/submit", submit]
    [get "databricks.jobs.runs.get", "runs/get", get]
    [get "databricks.jobs.runs.get_output", "runs/get-output", get_output]
    [get "databricks.jobs.runs.list", "runs/list", list]
    [post "databricks.jobs.runs.cancel", "runs/cancel", cancel]
    [post "databricks.jobs.runs.delete", "runs/delete", remove]
    [post "databricks.jobs.create", "create", create_job]
    [get "databricks.jobs.get", "get", get_job]
    [get "databricks.jobs.list", "list", list_jobs]
    [post "databricks.jobs.delete", "delete", delete_job]
    [post "databricks.jobs.run_now", "run-now", run_now]
    ;
    [POST "databricks.jobs.runs.cancel_all", "runs/cancel-all"]
    [POST "databricks.jobs.runs.repair", "runs/repair"]
    [GET "databricks.jobs.runs.export", "runs/export"]
    [POST "databricks.jobs.update", "update"]
    [POST "databricks.jobs.reset", "reset"]
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.jobs", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn submit(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(body, _): Body<SubmitBody, Envelope>,
) -> Answer {
    let submission = body.into_submission(caller.name)?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_submit(world, workspace, submission, ctx)
    })?;
    Ok(Json(json!({ "run_id": id })))
}

/// Where the web pages of runs would be.
fn base(site: &Site) -> String {
    site.origin().unwrap_or_else(|| site.databricks("adb-1234567890123456.7.azuredatabricks.net"))
}

async fn get(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<GetQuery, Envelope>,
) -> Answer {
    let id = required(query.run_id, "run_id")?;
    kernel.read(|world, _| {
        let base = base(&site);
        Ok(Json(match workspace_of(world, workspace)?.jobs.find(id)? {
            (run, None) => wire::describe_run(run, true, &base),
            (run, Some(task)) => wire::describe_task_run(run, task, &base),
        }))
    })
}

async fn get_output(
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
    Ok(Json(wire::describe_output(&run, &task, &log, &base(&site))))
}

async fn list(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<RunsQuery, Envelope>,
) -> Answer {
    if query.active_only && query.completed_only {
        let text = "Only one of active_only and completed_only may be true";
        return Err(Refusal::invalid(text).into());
    }
    let count = |it: Option<i64>| it.and_then(|it| usize::try_from(it).ok());
    let limit = match count(query.limit) {
        None => 20,
        Some(0) => 25,
        Some(it) if it <= 25 => it,
        Some(it) => {
            let text = format!("Limit has to be between 1 and 25, and {it} is not");
            return Err(Refusal::invalid(text).into());
        }
    };
    let offset = query.page_token.as_deref().and_then(|it| it.parse().ok());
    let offset = offset.or(count(query.offset)).unwrap_or(0);
    let is_wanted = |it: &&JobRun| {
        let kind = if it.is_saved { "JOB_RUN" } else { "SUBMIT_RUN" };
        let is_over = it.ended_at().is_some();
        query.job_id.is_none_or(|id| id == it.job_id)
            && query.run_type.as_deref().is_none_or(|wanted| wanted == kind)
            && !(query.active_only && is_over)
            && (is_over || !query.completed_only)
            && query.start_time_from.is_none_or(|at| from_millis(at) <= it.submitted_at)
            && query.start_time_to.is_none_or(|at| it.submitted_at <= from_millis(at))
    };
    kernel.read(|world, _| {
        let (base, jobs) = (base(&site), &workspace_of(world, workspace)?.jobs);
        let mut them = jobs.all().rev().filter(is_wanted).skip(offset);
        let page: Vec<Value> = them
            .by_ref()
            .take(limit)
            .map(|it| wire::describe_run(it, query.expand_tasks, &base))
            .collect();
        let mut answer = json!({ "has_more": them.next().is_some() });
        page_tokens(&mut answer, offset, page.len(), limit);
        if !page.is_empty() {
            answer["runs"] = json!(page);
        }
        Ok(Json(answer))
    })
}

fn page_tokens(answer: &mut Value, offset: usize, shown: usize, limit: usize) {
    if answer["has_more"] == true {
        answer["next_page_token"] = json!((offset + shown).to_string());
    }
    if 0 < offset {
        answer["prev_page_token"] = json!(offset.saturating_sub(limit).to_string());
    }
}

async fn cancel(
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

async fn remove(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<RunBody, Envelope>,
) -> Answer {
    let id = required(body.run_id, "run_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_remove(world, workspace, id))?;
    Ok(Json(json!({})))
}

async fn create_job(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Body(settings, _): Body<Value, Envelope>,
) -> Answer {
    // What cannot be run is refused now.
    if settings.get("tasks").is_some() {
        submission(settings.clone(), &caller.name)?.check()?;
    }
    let id = kernel.commit::<_, Refused<Envelope>>(|_, ctx| {
        Ok(decide_save(workspace, caller.name, settings, ctx))
    })?;
    Ok(Json(json!({ "job_id": id })))
}

fn submission(settings: Value, user: &str) -> Result<super::Submission, Refusal> {
    let body: SubmitBody =
        serde_json::from_value(settings).map_err(|err| Refusal::malformed(err.to_string()))?;
    body.into_submission(user.to_owned())
}

async fn get_job(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<JobBody, Envelope>,
) -> Answer {
    let id = required(query.job_id, "job_id")?;
    kernel.read(|world, _| Ok(Json(wire::describe_job(saved(world, workspace, id)?, true))))
}

async fn list_jobs(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<JobsQuery, Envelope>,
) -> Answer {
    let limit = query.limit.and_then(|it| usize::try_from(it).ok()).unwrap_or(20);
    if !(1..=100).contains(&limit) {
        let text = format!("Limit has to be between 1 and 100, and {limit} is not");
        return Err(Refusal::invalid(text).into());
    }
    let offset = query.page_token.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0);
    kernel.read(|world, _| {
        let jobs = workspace_of(world, workspace)?.jobs.saved.values().rev();
        let is_wanted = |it: &&super::state::definitions::Job| {
            query.name.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(it.name()))
        };
        let mut them = jobs.filter(is_wanted).skip(offset);
        let page: Vec<Value> =
            them.by_ref().take(limit).map(|it| wire::describe_job(it, false)).collect();
        let mut answer = json!({ "has_more": them.next().is_some() });
        page_tokens(&mut answer, offset, page.len(), limit);
        if !page.is_empty() {
            answer["jobs"] = json!(page);
        }
        Ok(Json(answer))
    })
}

async fn delete_job(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<JobBody, Envelope>,
) -> Answer {
    let id = required(body.job_id, "job_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_unsave(world, workspace, id))?;
    Ok(Json(json!({})))
}

async fn run_now(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<RunNowBody, Envelope>,
) -> Answer {
    let job_id = required(body.job_id, "job_id")?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let job = saved(world, workspace, job_id)?;
        let mut submission = submission(job.settings.clone(), &job.creator)?;
        body.apply(&mut submission);
        decide_run(world, workspace, submission, Some(job), ctx)
    })?;
    Ok(Json(json!({ "run_id": id, "number_in_job": id })))
}
