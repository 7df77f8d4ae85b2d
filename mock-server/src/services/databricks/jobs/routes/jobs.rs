use axum::Json;
use serde_json::{Value, json};

use super::{Answer, IsNewest};
use crate::{
    kernel::{Body, Caller, Here, Params, Refusal, Refused},
    services::databricks::{
        Envelope,
        gate::AtDatabricks,
        jobs::{
            state::definitions::{decide_change, decide_save, decide_unsave, order_of, saved},
            state::rules::decide_run,
            state::settings::{merged, normal},
            wire::{self, ChangeBody, GetJobQuery, JobBody, Page, RunNowBody},
        },
        wire::required,
    },
};

/// The settings, if a job can have them.
fn checked(settings: Value, is_newest: bool, user: &str) -> Result<Value, Refusal> {
    let settings = normal(settings, is_newest)?;
    wire::order(settings.clone(), user)?.0.check_order()?;
    Ok(settings)
}

pub(super) async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    caller: Caller,
    Body(settings, _): Body<Value, Envelope>,
) -> Answer {
    let settings = checked(settings, is_newest, &caller.name)?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_save(world, workspace, caller.name, settings, ctx)
    })?;
    Ok(Json(json!({ "job_id": id })))
}

pub(super) async fn reset(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    caller: Caller,
    Body(body, _): Body<ChangeBody, Envelope>,
) -> Answer {
    let id = required(body.job_id, "job_id")?;
    let settings = required(body.new_settings, "new_settings")?;
    let settings = checked(settings, is_newest, &caller.name)?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_change(world, workspace, id, |_| Ok(settings))
    })?;
    Ok(Json(json!({})))
}

pub(super) async fn update(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    caller: Caller,
    Body(body, _): Body<ChangeBody, Envelope>,
) -> Answer {
    let id = required(body.job_id, "job_id")?;
    let new = body.new_settings.unwrap_or_else(|| json!({}));
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_change(world, workspace, id, |old| {
            let merged = merged(old, new, &body.fields_to_remove)?;
            checked(merged, is_newest, &caller.name)
        })
    })?;
    Ok(Json(json!({})))
}

pub(super) async fn get(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    Params(query, _): Params<GetJobQuery, Envelope>,
) -> Answer {
    let id = required(query.job_id, "job_id")?;
    let from = query.page_token.and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
    let page = if is_newest { Page::From(from) } else { Page::All };
    kernel.read(|world, _| Ok(Json(wire::describe_job(saved(world, workspace, id)?, page))))
}

pub(super) async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<JobBody, Envelope>,
) -> Answer {
    let id = required(body.job_id, "job_id")?;
    kernel.commit::<_, Refused<Envelope>>(|world, _| decide_unsave(world, workspace, id))?;
    Ok(Json(json!({})))
}

pub(super) async fn run_now(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(mut body, _): Body<RunNowBody, Envelope>,
) -> Answer {
    let job_id = required(body.job_id, "job_id")?;
    let overrides = body.overrides()?;
    let id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let job = saved(world, workspace, job_id)?;
        let (mut submission, mut terms) = order_of(job, overrides)?;
        body.narrow(&mut submission, &mut terms)?;
        decide_run(world, workspace, submission, terms, Some(job), ctx)
    })?;
    Ok(Json(json!({ "run_id": id, "number_in_job": id })))
}
