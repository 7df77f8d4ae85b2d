use std::collections::BTreeMap;

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Answer,
    attachment::sent,
    root::{Root, Tree},
};
use crate::{
    kernel::{Here, Kernel, Kind, Names, Refusal, Refused, files},
    services::{
        blob::{self, bodies::Received},
        mlflow::{
            state,
            wire::{Asked, Envelope, FileInfo, files_json},
        },
    },
};

type Refuse = Refused<Envelope>;

/// A relative path that stays where it is. Empty for the root.
pub(in super::super) fn safe(path: &str) -> Result<String, Refusal> {
    let mut path = path.to_owned();
    loop {
        let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            break;
        }
        path = decoded;
    }
    let path = path.strip_prefix("file:").unwrap_or(&path);
    let leaves = path.split('/').any(|it| it == "..");
    let has_drive = path.as_bytes().get(1) == Some(&b':')
        && path.as_bytes().get(2).is_some_and(|it| matches!(it, b'/' | b'\\'));
    if leaves || has_drive || path.starts_with('/') || path.contains(['#', '\0']) {
        return Err(Refusal::invalid("Invalid path"));
    }
    let parts = path.split('/').filter(|it| !matches!(*it, "" | "."));
    Ok(parts.collect::<Vec<_>>().join("/"))
}

pub(super) fn unusable(err: impl std::fmt::Display) -> Refusal {
    Refusal::new(Kind::Unrecorded, format!("the file could not be used: {err}"))
}

/// The files and folders directly below `path`, by name.
pub(super) fn children(tree: &Tree, path: &str) -> Result<Vec<FileInfo>, Refusal> {
    let slash = if path.is_empty() { "" } else { "/" };
    let prefix = format!("{}{path}{slash}", tree.prefix);
    let mut found: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for (name, data) in tree.folder.walk_below(&prefix).map_err(unusable)? {
        let Some(rest) = name.strip_prefix(&prefix) else { continue };
        match rest.split_once('/') {
            Some((folder, _)) => found.insert(folder.to_owned(), None),
            None => found.insert(rest.to_owned(), Some(data.len())),
        };
    }
    let info = |(name, size)| FileInfo { path: format!("{path}{slash}{name}"), size };
    Ok(found.into_iter().map(info).collect())
}

/// What lies below `path` of the artifacts at `uri`.
pub(super) fn listed(
    kernel: &Kernel,
    root: &Root,
    uri: &str,
    path: &str,
) -> Result<Vec<FileInfo>, Refusal> {
    children(&tree(kernel, root, uri)?, &safe(path)?)
}

pub(super) fn tree(kernel: &Kernel, root: &Root, uri: &str) -> Result<Tree, Refusal> {
    root.tree(kernel, uri).ok_or_else(|| {
        let text = format!("azml-mock does not emulate the artifact store of {uri}");
        Refusal::new(Kind::NotEmulated, text)
    })
}

fn run_uri(kernel: &Kernel, root: &Root, id: &str) -> Result<String, Refusal> {
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        Ok(root.artifact_uri(store, state::run(store, id)?))
    })
}

pub(super) async fn list(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.run_id()?;
    let path = safe(fields.text_or_empty("path")?)?;
    let uri = run_uri(&kernel, &root, id)?;
    let files = listed(&kernel, &root, &uri, &path)?;
    Ok(Json(files_json(Some(&uri), &files)))
}

/// What a browser gets that names no file.
fn no_path() -> Response {
    const PAGE: &str = "<!doctype html>\n<html lang=en>\n<title>400 Bad Request</title>\n<h1>Bad Request</h1>\n<p>The browser (or proxy) sent a request that this server could not understand.</p>\n";
    (StatusCode::BAD_REQUEST, Html(PAGE)).into_response()
}

pub(super) async fn get(
    Here(kernel): Here,
    root: Root,
    headers: HeaderMap,
    Asked(fields): Asked,
) -> Result<Response, Refuse> {
    let Some(path) = fields.text("path")? else { return Ok(no_path()) };
    let path = safe(path)?;
    // A browser that names no run asks for one that is called so.
    let has_run = fields.has("run_id") || fields.has("run_uuid");
    let uri = run_uri(&kernel, &root, if has_run { fields.run_id()? } else { "None" })?;
    Ok(sent(&tree(&kernel, &root, &uri)?, &path, &headers).await?)
}

pub(super) async fn get_of_version(
    Here(kernel): Here,
    root: Root,
    headers: HeaderMap,
    Asked(fields): Asked,
) -> Result<Response, Refuse> {
    let Some(path) = fields.text("path")? else { return Ok(no_path()) };
    let path = safe(path)?;
    let (name, number) = (fields.text_or_empty("name")?, fields.required("version")?);
    let uri = kernel.read::<_, Refuse>(|world, _| {
        let store = world.stores.at(&root.place);
        root.version_uri(store, state::version(store, name, number)?.0)
    })?;
    Ok(sent(&tree(&kernel, &root, &uri)?, &path, &headers).await?)
}

/// A file of a logged model.
pub(super) async fn get_of_model(
    Here(kernel): Here,
    root: Root,
    headers: HeaderMap,
    Names(of, _): Names<OfModel, Envelope>,
    Asked(fields): Asked,
) -> Result<Response, Refuse> {
    let path = fields.text("artifact_file_path")?.filter(|it| !it.is_empty()).ok_or_else(|| {
        let text = "Request must include the \"artifact_file_path\" query parameter.";
        Refusal::invalid(text).with_code("BAD_REQUEST")
    })?;
    let path = safe(path)?;
    let uri = kernel.read::<_, Refuse>(|world, _| {
        let store = world.stores.at(&root.place);
        Ok(root.model_uri(store, state::logged(store, &of.model_id)?))
    })?;
    Ok(sent(&tree(&kernel, &root, &uri)?, &path, &headers).await?)
}

#[derive(Deserialize)]
pub(super) struct OfModel {
    model_id: String,
}

/// Takes the bytes of a file and puts it in its place.
pub(super) async fn store(
    kernel: &Kernel,
    tree: &Tree,
    path: &str,
    body: Body,
) -> Result<(), Refusal> {
    put(kernel, tree, path, &received(kernel, body).await?)
}

async fn received(kernel: &Kernel, body: Body) -> Result<Received, Refusal> {
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    blob::bodies::receive(unfinished, body).await
}

fn put(kernel: &Kernel, tree: &Tree, path: &str, received: &Received) -> Result<(), Refusal> {
    let name = format!("{}{path}", tree.prefix);
    let _one_at_a_time = kernel.files.writing.lock();
    files::place(&received.path, &tree.folder.locate(&name)).map_err(unusable)
}

/// A small file that a browser uploads.
pub(super) async fn upload(
    Here(kernel): Here,
    root: Root,
    request: axum::extract::Request,
) -> Result<Response, Refuse> {
    const LARGEST: u64 = 10 << 20;
    let query = request.uri().query().unwrap_or_default().to_owned();
    let pairs: BTreeMap<String, String> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let named = |name: &str| {
        let lacks = || {
            let text = format!("Request must specify {name}.");
            Refusal::invalid(text)
        };
        pairs.get(name).filter(|it| !it.is_empty()).ok_or_else(lacks)
    };
    let id = named("run_uuid")?;
    let path = safe(named("path")?)?;
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok());
    if length.and_then(|it| it.parse::<u64>().ok()).is_some_and(|it| LARGEST < it) {
        return Err(Refusal::invalid("Artifact size is too large. Max size is 10MB.").into());
    }
    let uri = run_uri(&kernel, &root, id)?;
    let (tree, body) = (tree(&kernel, &root, &uri)?, request.into_body());
    let received = received(&kernel, body).await?;
    if received.len == 0 {
        return Err(Refusal::invalid("Request must specify data.").into());
    }
    put(&kernel, &tree, &path, &received)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], ()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_root() {
        assert_eq!(safe("a//b/./c").unwrap(), "a/b/c");
        assert_eq!(safe("").unwrap(), "");
        for bad in
            ["..", "a/../b", "/a", "%2e%2e/a", "a%252f..%252fb", "file:/a", "a%00", "c:/a", "a#b"]
        {
            assert!(safe(bad).is_err(), "{bad}");
        }
    }
}
