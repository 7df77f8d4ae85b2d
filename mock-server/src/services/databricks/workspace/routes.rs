use std::{fs, path::Path};

use axum::{
    Json,
    http::{
        HeaderName,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::{
    state::{self, Object, decide_delete, decide_import, decide_make_folder},
    wire::{self, ImportBody, Imported, PathBody},
};
use crate::{
    kernel::{Body, Here, Kernel, Kind, Params, Refusal, Refused, Route, Service, on},
    services::databricks::{
        Envelope,
        form::Form,
        gate::{AtDatabricks, finish, gate},
        io_error,
        paths::local,
        wire::millis,
        workspace_of,
    },
};

/// Ten mebibytes in base64, and what is around them.
const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The largest file of a workspace.
const FILE_LIMIT: u64 = 500 * 1024 * 1024;

static ROUTES: &[Route] = &[
    Route::post("databricks.workspace.import", "/api/2.0/workspace/import", |it| on(it, import))
        .with_body_limit(BODY_LIMIT)
        .partial("DBC archives, R Markdown")
        .without_bodies(),
    Route::get("databricks.workspace.export", "/api/2.0/workspace/export", |it| on(it, export))
        .partial("DBC archives, R Markdown, whole folders")
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
    Form { fields: body, file }: Form<ImportBody>,
) -> Answer {
    let bytes = match &file {
        None => body.content()?,
        Some(it) if FILE_LIMIT < it.len => {
            let text = format!("File size imported is ({} bytes), exceeded max size", it.len);
            let refusal = Refusal::new(Kind::TooLarge, text);
            return Err(refusal.with_code("MAX_NOTEBOOK_SIZE_EXCEEDED").into());
        }
        Some(it) => fs::read(&it.path).map_err(|err| io_error(&err))?,
    };
    let overwrite = body.overwrite;
    let Imported { path, form, bytes } = body.into_imported(bytes)?;
    let file = local(&kernel.files.workspace(workspace), &path);
    // A file that a task wrote is in no log, but it is there.
    if !overwrite && file.is_file() {
        let text = format!("Path ({path}) already exists.");
        return Err(Refusal::new(Kind::AlreadyExists, text).into());
    }
    let size = bytes.len() as u64;
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_import(world, workspace, &path, form, size, overwrite, ctx)
    })?;
    kernel.files.write(&file, &bytes).map_err(|err| io_error(&err))?;
    Ok(Json(json!({})))
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
    let form = if it.is_dir() { state::Form::Directory } else { state::Form::File };
    // As long as nobody moves it, it keeps its id.
    let hash = Sha256::digest(file.as_os_str().as_encoded_bytes());
    let object_id = hash[..5].iter().fold(1, |id, byte| (id << 8) | u64::from(*byte));
    Some(Object { object_id, form, created_at: modified_at, modified_at, size: it.len() })
}

async fn export(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Params(query, _): Params<PathBody, Envelope>,
) -> Result<Response, Refused<Envelope>> {
    let path = query.path()?;
    let object = find(&kernel, workspace, &path)?;
    if object.form == state::Form::Directory {
        let text = "azml-mock does not emulate the export of folders, which are DBC archives";
        return Err(Refusal::new(Kind::NotEmulated, text).into());
    }
    let bytes = fs::read(local(&kernel.files.workspace(workspace), &path));
    let bytes = bytes.map_err(|err| io_error(&err))?;
    let (bytes, kind) = wire::export(&path, &object.form, bytes, query.format())?;
    if query.direct_download {
        return Ok((download_headers(&path), bytes).into_response());
    }
    Ok(Json(wire::describe_export(&bytes, kind)).into_response())
}

/// What makes a browser save the bytes under the name of the object.
fn download_headers(path: &str) -> [(HeaderName, String); 2] {
    let name = path.rsplit('/').next().unwrap_or_default();
    let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
    [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
    ]
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
    let mut found: Vec<(String, Object)> = if this.form == state::Form::Directory {
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
    if let Some(after) = query.notebooks_modified_after {
        let is_older = |it: &Object| millis(it.modified_at) < after;
        found.retain(|(_, it)| !matches!(it.form, state::Form::Notebook { .. }) || !is_older(it));
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
    fs::create_dir_all(folder).map_err(|err| io_error(&err))?;
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
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(io_error(&err).into()),
        _ => Ok(Json(json!({}))),
    }
}
