pub(super) mod files;

use axum::Json;
use serde_json::{Value, json};

use self::files::{FileInfo, Store};
use super::{
    state::{decide_close, decide_open, decide_use},
    wire::{self, BlockBody, MoveBody, PathBody},
};
use crate::{
    kernel::{Body, Here, Params, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        form::Form,
        gate::{AtDatabricks, finish, gate},
    },
};

/// Bodies may be longer than what they may contain, which is refused in the
/// words of the service.
const LIMIT: usize = 16 * 1024 * 1024;

static ROUTES: &[Route] = &[
    Route::post("databricks.dbfs.create", "/api/2.0/dbfs/create", |it| on(it, create)),
    Route::post("databricks.dbfs.add_block", "/api/2.0/dbfs/add-block", |it| on(it, add_block))
        .with_body_limit(LIMIT)
        .without_bodies(),
    Route::post("databricks.dbfs.close", "/api/2.0/dbfs/close", |it| on(it, close)),
    Route::post("databricks.dbfs.put", "/api/2.0/dbfs/put", |it| on(it, put))
        .with_body_limit(LIMIT)
        .without_bodies(),
    Route::get("databricks.dbfs.read", "/api/2.0/dbfs/read", |it| on(it, read)).without_bodies(),
    Route::get("databricks.dbfs.get_status", "/api/2.0/dbfs/get-status", |it| on(it, get_status)),
    Route::get("databricks.dbfs.list", "/api/2.0/dbfs/list", |it| on(it, list)),
    Route::post("databricks.dbfs.mkdirs", "/api/2.0/dbfs/mkdirs", |it| on(it, mkdirs)),
    Route::post("databricks.dbfs.move", "/api/2.0/dbfs/move", |it| on(it, rename)),
    Route::post("databricks.dbfs.delete", "/api/2.0/dbfs/delete", |it| on(it, delete)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.dbfs", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

fn done() -> Json<Value> {
    Json(json!({}))
}

async fn create(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<PathBody, Envelope>,
) -> Answer {
    let (path, store) = (body.path()?, Store::new(&kernel, workspace));
    store.check_free(&path, body.overwrite)?;
    let handle = kernel.commit::<_, Refused<Envelope>>(|_, ctx| {
        Ok(decide_open(workspace, path, body.overwrite, ctx))
    })?;
    store.open(handle)?;
    Ok(Json(json!({ "handle": handle })))
}

async fn add_block(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<BlockBody, Envelope>,
) -> Answer {
    let (handle, bytes) = (body.handle()?, body.data()?);
    kernel
        .commit::<_, Refused<Envelope>>(|world, ctx| decide_use(world, workspace, handle, ctx))?;
    Store::new(&kernel, workspace).append(handle, &bytes)?;
    Ok(done())
}

async fn close(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<BlockBody, Envelope>,
) -> Answer {
    let handle = body.handle()?;
    let stream = kernel
        .commit::<_, Refused<Envelope>>(|world, ctx| decide_close(world, workspace, handle, ctx))?;
    let store = Store::new(&kernel, workspace);
    store.close(handle, &stream.path, stream.overwrite)?;
    Ok(done())
}

async fn put(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Form { fields: body, file }: Form<PathBody>,
) -> Answer {
    let (path, store) = (body.path()?, Store::new(&kernel, workspace));
    let Some(file) = file else {
        let bytes = body.contents()?;
        store.put(&path, &bytes, body.overwrite)?;
        return Ok(done());
    };
    // What comes in a part of its own may be of any size.
    store.place(&path, &file.path, body.overwrite)?;
    Ok(done())
}

async fn read(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Answer {
    let (path, (offset, length)) = (query.path()?, query.range()?);
    let bytes = Store::new(&kernel, workspace).read(&path, offset, length)?;
    Ok(Json(wire::describe_block(&bytes)))
}

async fn get_status(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Answer {
    Ok(Json(wire::describe(&Store::new(&kernel, workspace).status(&query.path()?)?)))
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Answer {
    let found: Vec<FileInfo> = Store::new(&kernel, workspace).list(&query.path()?)?;
    if found.is_empty() {
        return Ok(done());
    }
    let files: Vec<Value> = found.iter().map(wire::describe).collect();
    Ok(Json(json!({ "files": files })))
}

async fn mkdirs(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<PathBody, Envelope>,
) -> Answer {
    Store::new(&kernel, workspace).make_folder(&body.path()?)?;
    Ok(done())
}

async fn rename(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<MoveBody, Envelope>,
) -> Answer {
    let (from, to) = body.paths()?;
    Store::new(&kernel, workspace).rename(&from, &to)?;
    Ok(done())
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<PathBody, Envelope>,
) -> Answer {
    let path = body.path()?;
    Store::new(&kernel, workspace).delete(&path, body.recursive)?;
    Ok(done())
}
