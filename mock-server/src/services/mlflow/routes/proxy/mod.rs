//! Artifacts that the server keeps for its clients: `mlflow-artifacts:/{path}`.

pub(super) mod multipart;

use std::{fs, io};

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answer,
    artifacts::{children, safe, store},
    attachment::sent,
    done,
    root::{Root, Tree},
};
use crate::{
    kernel::{Here, Kernel, Names, Refusal, Refused},
    services::mlflow::wire::{Asked, Envelope, FileInfo, files_json},
};

type Refuse = Refused<Envelope>;

#[derive(Deserialize)]
pub(super) struct Path {
    path: String,
}

type PathNames = Names<Path, Envelope>;

fn tree(kernel: &Kernel, root: &Root) -> Tree {
    Tree { folder: root.folder(kernel), prefix: String::new() }
}

/// The path of a file, which has a name.
fn file(path: &str) -> Result<String, Refusal> {
    let path = safe(path)?;
    if path.is_empty() { Err(Refusal::invalid("Invalid path")) } else { Ok(path) }
}

pub(super) async fn download(
    Here(kernel): Here,
    root: Root,
    headers: HeaderMap,
    Names(path, _): PathNames,
) -> Result<Response, Refuse> {
    let (tree, path) = (tree(&kernel, &root), file(&path.path)?);
    if tree.folder.path().join(&path).is_dir() {
        // Another part of the server answers here, in words of its own.
        let text = format!("Artifact path refers to a directory, not a file: '{path}'");
        return Ok((StatusCode::BAD_REQUEST, Json(json!({ "detail": text }))).into_response());
    }
    Ok(sent(&tree, &path, &headers).await?)
}

pub(super) async fn upload(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    body: Body,
) -> Result<Response, Refuse> {
    store(&kernel, &tree(&kernel, &root), &file(&path.path)?, body).await?;
    Ok(StatusCode::OK.into_response())
}

/// A file, or a folder with all that is in it. What is not there may go.
pub(super) async fn delete(Here(kernel): Here, root: Root, Names(path, _): PathNames) -> Answer {
    let (folder, name) = (tree(&kernel, &root).folder, file(&path.path)?);
    let below = folder.path().join(&name);
    let removed = if below.is_dir() {
        fs::remove_dir_all(&below)
    } else {
        fs::remove_file(folder.locate(&name))
    };
    match removed {
        Err(err) if err.kind() != io::ErrorKind::NotFound => {
            Err(Refusal::invalid(format!("the artifact could not be removed: {err}")).into())
        }
        _ => Ok(done()),
    }
}

/// Names are those of the files alone, without the path that was asked for.
pub(super) async fn list(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let path = safe(fields.text_or_empty("path")?)?;
    let files = children(&tree(&kernel, &root), &path)?;
    let base = |it: FileInfo| FileInfo {
        path: it.path.rsplit('/').next().unwrap_or_default().to_owned(),
        ..it
    };
    let files: Vec<FileInfo> = files.into_iter().map(base).collect();
    Ok(Json(files_json(None, &files)))
}
