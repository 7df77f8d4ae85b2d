use std::{collections::BTreeMap, fs::File, io};

use axum::{
    Json,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Answer,
    root::{Root, Tree},
};
use crate::{
    kernel::{Here, Kernel, Kind, Refusal, Refused, files},
    services::{
        blob,
        mlflow::{
            state,
            wire::{Asked, Envelope, Fields, FileInfo, files_json},
        },
    },
};

type Refuse = Refused<Envelope>;

/// A relative path that stays where it is. Empty for the root.
pub(super) fn safe(path: &str) -> Result<String, Refusal> {
    let mut path = path.to_owned();
    loop {
        let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if decoded == path {
            break;
        }
        path = decoded;
    }
    let has_drive = path.as_bytes().get(1) == Some(&b':');
    let leaves = path.split('/').any(|it| it == "..");
    if leaves || has_drive || path.starts_with('/') || path.contains(['#', '\\', '\0']) {
        return Err(Refusal::invalid("Invalid path"));
    }
    let parts = path.split('/').filter(|it| !matches!(*it, "" | "."));
    Ok(parts.collect::<Vec<_>>().join("/"))
}

fn unusable(err: impl std::fmt::Display) -> Refusal {
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

fn tree(kernel: &Kernel, root: &Root, uri: &str) -> Result<Tree, Refusal> {
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

/// The bytes of a file, for a browser to save.
pub(super) async fn sent(tree: &Tree, path: &str) -> Result<Response, Refusal> {
    let name = format!("{}{path}", tree.prefix);
    let missing = || Refusal::not_found(format!("No such artifact: '{path}'"));
    if tree.folder.path().join(&name).is_dir() {
        let text = format!("Artifact path refers to a directory, not a file: '{path}'");
        return Err(Refusal::invalid(text));
    }
    let file = match File::open(tree.folder.locate(&name)) {
        Err(err)
            if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            return Err(missing());
        }
        other => other.map_err(unusable)?,
    };
    let data = file.metadata().map_err(unusable)?;
    let body = blob::bodies::send(file, 0, data.len()).await?;
    let base = path.rsplit('/').next().unwrap_or(path);
    let headers = [
        (header::CONTENT_TYPE, kind_of(base).to_owned()),
        (header::CONTENT_LENGTH, data.len().to_string()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_DISPOSITION, attachment(base)),
    ];
    Ok((headers, body).into_response())
}

fn attachment(name: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || "!#$&+-.^_`|~".contains(it);
    if !name.is_empty() && name.chars().all(plain) {
        return format!("attachment; filename={name}");
    }
    let ascii: String =
        name.chars().filter(|it| (' '..='~').contains(it) && !"\"\\".contains(*it)).collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// The kind of a file by the end of its name. What is text is shown as text.
fn kind_of(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, it)| it).to_ascii_lowercase();
    match ending.as_str() {
        "txt" | "log" | "err" | "cfg" | "conf" | "cnf" | "ini" | "properties" | "prop"
        | "hocon" | "toml" | "yaml" | "yml" | "xml" | "json" | "js" | "py" | "py3" | "csv"
        | "tsv" | "md" | "rst" | "jsonnet" => "text/plain",
        _ if matches!(name, "MLmodel" | "MLproject") => "text/plain",
        "html" | "htm" => "text/html",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

fn path_in(fields: &Fields) -> Result<String, Refusal> {
    let lacks = || {
        let text = "Request must specify 'path' as a query parameter";
        Refusal::invalid(text).with_code("BAD_REQUEST")
    };
    safe(fields.text("path")?.filter(|it| !it.is_empty()).ok_or_else(lacks)?)
}

pub(super) async fn get(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Result<Response, Refuse> {
    let path = path_in(&fields)?;
    let uri = run_uri(&kernel, &root, fields.run_id()?)?;
    Ok(sent(&tree(&kernel, &root, &uri)?, &path).await?)
}

pub(super) async fn get_of_version(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Result<Response, Refuse> {
    let path = path_in(&fields)?;
    let (name, number) = (fields.required("name")?, fields.required("version")?);
    let uri = kernel.read::<_, Refuse>(|world, _| {
        let store = world.stores.at(&root.place);
        let uri = state::download_uri(state::version(store, name, number)?.0);
        // `runs:/{id}/{path}` is what clients make of it, too.
        let run = uri.strip_prefix("runs:/").and_then(|it| it.split_once('/'));
        Ok(match run {
            Some((id, path)) => {
                format!("{}/{path}", root.artifact_uri(store, state::run(store, id)?))
            }
            None => uri.to_owned(),
        })
    })?;
    Ok(sent(&tree(&kernel, &root, &uri)?, &path).await?)
}

/// Takes the bytes of a file and puts it in its place.
pub(super) async fn store(
    kernel: &Kernel,
    tree: &Tree,
    path: &str,
    body: Body,
) -> Result<(), Refusal> {
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    let received = blob::bodies::receive(unfinished, body).await?;
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
    store(&kernel, &tree(&kernel, &root, &uri)?, &path, request.into_body()).await?;
    Ok((StatusCode::OK, Json(serde_json::json!({}))).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_root() {
        assert_eq!(safe("a//b/./c").unwrap(), "a/b/c");
        assert_eq!(safe("").unwrap(), "");
        for bad in
            ["..", "a/../b", "/a", "%2e%2e/a", "a%252f..%252fb", "a\\b", "a%00", "c:/a", "a#b"]
        {
            assert!(safe(bad).is_err(), "{bad}");
        }
    }
}
