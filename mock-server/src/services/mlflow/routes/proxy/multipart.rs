//! Large artifacts in parts. A part lies in a folder of its upload until all
//! are joined; the folder is the truth for what has come.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
};

use axum::{
    Json,
    body::Body,
    http::{StatusCode, header::ETAG},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{PathNames, Refuse, file, tree};
use crate::{
    kernel::{Here, Kernel, Kind, Names, Refusal, Site, files},
    services::{
        blob,
        mlflow::{
            routes::{Answer, artifacts::safe, done, root::Root},
            wire::{Asked, Envelope, Fields, missing},
        },
    },
    store::Place,
};

/// How many parts an upload may have.
const MOST_PARTS: i64 = 10_000;

#[derive(Deserialize)]
pub(in super::super) struct Part {
    upload_id: String,
    number: String,
}

fn unusable(err: impl std::fmt::Display) -> Refusal {
    Refusal::new(Kind::Unrecorded, format!("the file could not be used: {err}"))
}

/// Where the parts of an upload lie. An id is one of ours or none.
fn folder(kernel: &Kernel, upload_id: &str) -> Result<PathBuf, Refusal> {
    let id = uuid::Uuid::parse_str(upload_id);
    let id = id.map_err(|_| Refusal::not_found(format!("No upload with id={upload_id}")))?;
    Ok(kernel.files.scratch().join("multipart").join(id.simple().to_string()))
}

fn known(kernel: &Kernel, upload_id: &str) -> Result<PathBuf, Refusal> {
    let found = folder(kernel, upload_id)?;
    let missing = || Refusal::not_found(format!("No upload with id={upload_id}"));
    if found.is_dir() { Ok(found) } else { Err(missing()) }
}

/// Which file is meant: the client says the folder in the path, and the name
/// of its own file in the body.
fn target(folder: &str, fields: &Fields) -> Result<String, Refusal> {
    let local = fields.required("path")?;
    let name = local.rsplit('/').next().unwrap_or_default();
    let folder = safe(folder)?;
    file(&if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
}

pub(in super::super) async fn create(
    Here(kernel): Here,
    root: Root,
    site: Site,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    target(&path.path, &fields)?;
    let count = fields.whole("num_parts")?.ok_or_else(|| missing("num_parts"))?;
    if !(1..=MOST_PARTS).contains(&count) {
        let text = format!("num_parts must be between 1 and {MOST_PARTS}, got {count}");
        return Err(Refusal::invalid(text).into());
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    fs::create_dir_all(folder(&kernel, &id)?).map_err(unusable)?;
    let mount = if root.place == Place::Plain { "/mlflow" } else { "" };
    let origin = site.origin().unwrap_or_default();
    let credential = |number: i64| {
        let url = format!("{origin}{mount}/api/2.0/mlflow-artifacts/mpu/part/{id}/{number}");
        json!({ "url": url, "part_number": number, "headers": {} })
    };
    let credentials: Vec<Value> = (1..=count).map(credential).collect();
    Ok(Json(json!({ "upload_id": id, "credentials": credentials })))
}

pub(in super::super) async fn upload_part(
    Here(kernel): Here,
    Names(part, _): Names<Part, Envelope>,
    body: Body,
) -> Result<Response, Refuse> {
    let folder = known(&kernel, &part.upload_id)?;
    let number: u32 = part
        .number
        .parse()
        .map_err(|_| Refusal::invalid(format!("{:?} is no number of a part", part.number)))?;
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    let received = blob::bodies::receive(unfinished, body).await?;
    files::place(&received.path, &folder.join(number.to_string())).map_err(unusable)?;
    let etag = format!("\"{number}\"");
    Ok((StatusCode::OK, [(ETAG, etag)]).into_response())
}

pub(in super::super) async fn complete(
    Here(kernel): Here,
    root: Root,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    let path = target(&path.path, &fields)?;
    let folder = known(&kernel, fields.required("upload_id")?)?;
    let mut parts = Vec::new();
    for it in fields.objects("parts")? {
        let number = it.whole("part_number")?.ok_or_else(|| missing("part_number"))?;
        let part = folder.join(number.to_string());
        if !part.is_file() {
            return Err(Refusal::invalid(format!("part {number} was not uploaded")).into());
        }
        parts.push((number, part));
    }
    parts.sort();
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    let joined = unfinished.clone();
    let join = move || -> io::Result<()> {
        let mut target = File::create(&joined)?;
        for (_, part) in parts {
            io::copy(&mut File::open(part)?, &mut target)?;
        }
        Ok(())
    };
    spawn_blocking(join).await.map_err(unusable)?.map_err(unusable)?;
    files::place(&unfinished, &tree(&kernel, &root).folder.locate(&path)).map_err(unusable)?;
    fs::remove_dir_all(folder).map_err(unusable)?;
    Ok(done())
}

pub(in super::super) async fn abort(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Asked(fields): Asked,
) -> Answer {
    target(&path.path, &fields)?;
    let folder = known(&kernel, fields.required("upload_id")?)?;
    fs::remove_dir_all(folder).map_err(unusable)?;
    Ok(done())
}
