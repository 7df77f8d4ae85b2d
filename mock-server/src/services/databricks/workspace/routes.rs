use std::{fs, path::Path};

use axum::{
    Json,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
    routing::on,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    state::{Form, Object, decide_delete, decide_import, decide_make_folder},
    wire::{self, ImportBody, Imported, PathBody},
};
use crate::{
    kernel::{Body, Here, Kernel, Params, Refusal, Refused, Route, Service},
    services::databricks::{
        Envelope,
        gate::{AtDatabricks, finish, gate},
        paths::local,
        workspace_of,
    },
};

/// Ten mebibytes in base64, and what is around them.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

static ROUTES: &[Route] = &[
    Route::post("databricks.workspace.import", "/api/2.0/workspace/import", |it| {
        on(it, import).layer(DefaultBodyLimit::max(BODY_LIMIT))
    })
    .partial("HTML, DBC archives, multipart bodies")
    .without_bodies(),
    Route::get("databricks.workspace.export", "/api/2.0/workspace/export", |it| on(it, export))
        .partial("HTML, DBC archives, whole folders")
        .without_bodies(),
    Route::get("databricks.workspace.get_status", "/api/2.0/workspace/get-status", |it| {
        on(it, get_status)
    }),
    Route::get("databricks.workspace.list", "/api/2.0/workspace/list", |it| on(it, list)),
    Route::post("databricks.workspace.mkdirs", "/api/2.0/workspace/mkdirs", |it| on(it, mkdirs)),
    Route::post("databricks.workspace.delete", "/api/2.0/workspace/delete", |it| on(it, delete)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.workspace", gate, ROUTES).finished_by(finish);

type Answer = Result<Json<Value>, Refused<Envelope>>;

async fn import(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<ImportBody, Envelope>,
) -> Answer {
    let overwrite = body.overwrite;
    let Imported { path, form, bytes } = body.into_imported()?;
    let size = bytes.len() as u64;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_import(world, workspace, &path, form, size, overwrite, ctx)
    })?;
    let file = local(&kernel.files.workspace(workspace), &path);
    kernel.files.write(&file, &bytes).map_err(|err| broken(&err))?;
    Ok(Json(json!({})))
}

fn broken(err: &std::io::Error) -> Refusal {
    Refusal::invalid(err.to_string()).with_code("IO_ERROR")
}

/// The object at `path`: as the log has it, or a file that a task wrote.
fn find(kernel: &Kernel, workspace: u64, path: &str) -> Result<Object, Refusal> {
    let logged = kernel.read::<_, Refusal>(|world, _| {
        workspace_of(world, workspace)?.workspace.get(path).cloned()
    });
    let missing = match logged {
        Ok(it) => return Ok(it),
        Err(missing) => missing,
    };
    unlogged(&local(&kernel.files.workspace(workspace), path)).ok_or(missing)
}

fn unlogged(file: &Path) -> Option<Object> {
    let it = fs::metadata(file).ok()?;
    let modified_at = it.modified().map_or(OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from);
    let form = if it.is_dir() { Form::Directory } else { Form::File };
    Some(Object { object_id: 0, form, created_at: modified_at, modified_at, size: it.len() })
}

async fn export(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let path = query.path()?;
    let object = find(&kernel, workspace, &path)?;
    if object.form == Form::Directory {
        let text =
            format!("Path ({path}) is a directory, and azml-mock exports only single objects");
        return Err(Refusal::invalid(text).into());
    }
    let bytes = fs::read(local(&kernel.files.workspace(workspace), &path));
    let bytes = bytes.map_err(|err| broken(&err))?;
    let (bytes, kind) = wire::export(&object.form, bytes, query.format())?;
    if query.direct_download {
        return Ok(bytes.into_response());
    }
    Ok(Json(wire::describe_export(&bytes, kind)).into_response())
}

async fn get_status(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Answer {
    let path = query.path()?;
    Ok(Json(wire::describe(&path, &find(&kernel, workspace, &path)?)))
}

async fn list(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Answer {
    let path = query.path()?;
    let this = find(&kernel, workspace, &path)?;
    let mut found: Vec<(String, Object)> = if this.form == Form::Directory {
        kernel.read::<_, Refused<Envelope>>(|world, _| {
            let objects = &workspace_of(world, workspace)?.workspace;
            Ok(objects.children(&path).map(|(path, it)| (path.clone(), it.clone())).collect())
        })?
    } else {
        vec![(path.clone(), this)]
    };
    let folder = local(&kernel.files.workspace(workspace), &path);
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        let is_known = found.iter().any(|(it, _)| *it == path);
        if let (false, Some(it)) = (is_known, unlogged(&entry.path())) {
            found.push((path, it));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    if found.is_empty() {
        return Ok(Json(json!({})));
    }
    let objects: Vec<Value> = found.iter().map(|(path, it)| wire::describe(path, it)).collect();
    Ok(Json(json!({ "objects": objects })))
}

async fn mkdirs(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<PathBody, Envelope>,
) -> Answer {
    let path = body.path()?;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_make_folder(world, workspace, &path, ctx)
    })?;
    let folder = local(&kernel.files.workspace(workspace), &path);
    fs::create_dir_all(folder).map_err(|err| broken(&err))?;
    Ok(Json(json!({})))
}

async fn delete(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Body(body, _): Body<PathBody, Envelope>,
) -> Answer {
    let path = body.path()?;
    let file = local(&kernel.files.workspace(workspace), &path);
    // A file that a task wrote is in no log.
    let is_unlogged = kernel.inspect(|world| {
        workspace_of(world, workspace).is_ok_and(|it| it.workspace.get(&path).is_err())
    }) && file.is_file();
    if !is_unlogged {
        kernel.commit::<_, Refused<Envelope>>(|world, _| {
            decide_delete(world, workspace, &path, body.recursive)
        })?;
    }
    let removed = if file.is_dir() { fs::remove_dir_all(&file) } else { fs::remove_file(&file) };
    match removed {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(broken(&err).into()),
        _ => Ok(Json(json!({}))),
    }
}
