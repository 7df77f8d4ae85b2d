use axum::{
    Json,
    extract::FromRequestParts,
    http::{header::AUTHORIZATION, request::Parts},
};
use serde_json::Value;

use super::{
    state::{
        rules::{decide_cancel, decide_close, decide_execute, decide_open},
        work::work,
    },
    wire::{self, Envelope, Fields},
};
use crate::{
    executor::contexts::{CommandText, ContextId},
    kernel::{Body, Caller, Here, Kernel, Params, Refusal, Refused, Route, Service, on},
    services::databricks::{
        gate::{AtDatabricks, finish, gate},
        workspace_of,
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::post("databricks.commands.create_context", "/api/1.2/contexts/create", |it| on(it, create_context)),
    Route::get("databricks.commands.context_status", "/api/1.2/contexts/status", |it| on(it, context_status)),
    Route::post("databricks.commands.destroy_context", "/api/1.2/contexts/destroy", |it| on(it, destroy_context)),
    Route::post("databricks.commands.execute", "/api/1.2/commands/execute", |it| on(it, execute))
        .partial("Scala, R").without_bodies(),
    Route::get("databricks.commands.status", "/api/1.2/commands/status", |it| on(it, status)),
    Route::post("databricks.commands.cancel", "/api/1.2/commands/cancel", |it| on(it, cancel)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.commands", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// The token that came with the request, for calls back into the workspace.
struct Token(String);

impl<S: Send + Sync> FromRequestParts<S> for Token {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let token = header.and_then(|it| it.split_once(' ')).map_or("", |(_, it)| it.trim());
        Ok(Self(token.to_owned()))
    }
}

async fn create_context(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    caller: Caller,
    Token(token): Token,
    Body(body, _): Body<Fields, Envelope>,
) -> Answer {
    let (cluster_id, language) = (body.cluster_id()?, body.language()?);
    let (context_id, executed) = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_open(world, workspace, cluster_id.clone(), language, ctx)
    })?;
    let answer = wire::id(&context_id);
    if let Some(epoch) = executed {
        let id = ContextId { world: kernel.id.clone(), epoch, workspace, cluster_id, context_id };
        // The token is in no log, so no effect of a record can bring it.
        if let Some(work) = kernel.inspect(|world| work(world, &id, &caller.name, &token)) {
            kernel.executor.open_context(&kernel, id, work);
        }
    }
    Ok(Json(answer))
}

async fn context_status(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<Fields, Envelope>,
) -> Answer {
    let (context_id, cluster_id) = (query.context_id()?, query.cluster_id()?);
    kernel.read(|world, _| {
        let contexts = &workspace_of(world, workspace)?.commands;
        Ok(Json(wire::context(&context_id, contexts.context(&cluster_id, &context_id)?)))
    })
}

/// The process of a context, if it has one.
fn process(kernel: &Kernel, workspace: u64, cluster_id: String, id: &str) -> Option<ContextId> {
    let epoch = kernel.inspect(|world| {
        workspace_of(world, workspace).ok()?.commands.context(&cluster_id, id).ok()?.executed
    })?;
    let (world, context_id) = (kernel.id.clone(), id.to_owned());
    Some(ContextId { world, epoch, workspace, cluster_id, context_id })
}

async fn destroy_context(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<Fields, Envelope>,
) -> Answer {
    let (context_id, cluster_id) = (body.context_id()?, body.cluster_id()?);
    let process = process(&kernel, workspace, cluster_id.clone(), &context_id);
    let answer = wire::id(&context_id);
    kernel.commit::<_, Refused<Envelope>>(|world, _| {
        decide_close(world, workspace, &cluster_id, context_id)
    })?;
    if let Some(id) = process {
        kernel.executor.close_context(&id);
    }
    Ok(Json(answer))
}

async fn execute(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<Fields, Envelope>,
) -> Answer {
    let (context_id, cluster_id) = (body.context_id()?, body.cluster_id()?);
    let text = body.command()?;
    let language = match body.language {
        Some(_) => body.language()?,
        None => kernel.read::<_, Refusal>(|world, _| {
            let contexts = &workspace_of(world, workspace)?.commands;
            Ok(contexts.context(&cluster_id, &context_id)?.language.clone())
        })?,
    };
    let command_id = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_execute(world, workspace, &cluster_id, context_id.clone(), ctx)
    })?;
    let answer = wire::id(&command_id);
    if let Some(id) = process(&kernel, workspace, cluster_id, &context_id) {
        kernel.executor.run_command(&id, CommandText { command_id, language, text });
    }
    Ok(Json(answer))
}

async fn status(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<Fields, Envelope>,
) -> Answer {
    let (context_id, cluster_id) = (query.context_id()?, query.cluster_id()?);
    let command_id = query.command_id()?;
    kernel.read(|world, _| {
        let contexts = &workspace_of(world, workspace)?.commands;
        let command = contexts.context(&cluster_id, &context_id)?.command(&command_id)?;
        Ok(Json(wire::command(&command_id, command)))
    })
}

async fn cancel(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<Fields, Envelope>,
) -> Answer {
    let (context_id, cluster_id) = (body.context_id()?, body.cluster_id()?);
    let command_id = body.command_id()?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let (context_id, command_id) = (context_id.clone(), command_id.clone());
        decide_cancel(world, workspace, &cluster_id, context_id, command_id, ctx)
    })?;
    if let Some(id) = process(&kernel, workspace, cluster_id, &context_id) {
        kernel.executor.cancel_command(&id, &command_id);
    }
    Ok(Json(wire::id(&command_id)))
}
