use std::{collections::BTreeMap, fs, io};

use axum::{Json, http::Method};
use serde::Deserialize;
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    state::decide_snapshot,
    wire::{self, PlacesBody, SnapshotBody},
};
use crate::{
    kernel::{Body, Here, Names, Refusal, Refused, Route, Service, Site, files, on},
    services::{
        azure::{AtWorkspace, DataPlaneEnvelope as Envelope, data_plane_gate, workspace_path},
        blob::ARTIFACTS,
    },
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("content", data_plane_gate, ROUTES);

type Answer = Result<Json<Value>, Refused<Envelope>>;

/// Small, and read once.
const AS_IT_IS: SimpleFileOptions =
    SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Stored);

/// Where archives are in the container of artifacts.
const ZIPS: &str = "snapshotzips";

macro_rules! v1 {
    ($rest:literal) => {
        workspace_path!("/content/v1.0", $rest)
    };
}
macro_rules! v2 {
    ($rest:literal) => {
        workspace_path!("/content/v2.0", $rest)
    };
}

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::get("content.snapshots.latest", v1!("/snapshots/latest/metadata"), |it| on(it, latest)),
    Route::post("content.snapshots.get_blob", v2!("/snapshots/getblob"), |it| on(it, places)).without_bodies(),
    Route::post("content.snapshots.create", v2!("/snapshots/{id}"), |it| on(it, create)).without_bodies(),
    Route::get("content.snapshots.metadata", v1!("/snapshots/{id}/metadata"), |it| on(it, metadata)),
    Route::post("content.snapshots.zip", v2!("/snapshots/{id}/zip"), |it| on(it, zip)).without_bodies(),
    Route::absent(Method::POST, "content.snapshots.create_from_git", v2!("/snapshots/uri/{id}")),
    Route::absent(Method::POST, "content.snapshots.diff", v1!("/snapshots/diff")),
];

async fn latest(Here(kernel): Here, at: AtWorkspace) -> Answer {
    kernel.read(|world, _| {
        let latest = world.content.latest(&at.workspace_id);
        Ok(Json(latest.map_or_else(wire::empty_json, |(id, it)| wire::snapshot_json(id, it))))
    })
}

async fn metadata(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    kernel.read(|world, _| {
        world
            .content
            .snapshot(&at.workspace_id, &path.id)
            .map(|it| Json(wire::snapshot_json(&path.id, it)))
    })
}

async fn places(
    at: AtWorkspace,
    site: Site,
    Body(body, _): Body<PlacesBody, Envelope>,
) -> Json<Value> {
    // Each upload has a folder of its own, so none meets the files of another.
    // It is drawn from no world: nothing is recorded until the snapshot is made.
    let id = uuid::Uuid::new_v4().simple().to_string();
    let nodes = body.file_names.iter().map(|it| wire::place_json(&at.account, &id, it, &site));
    Json(json!({ "fileNodes": nodes.collect::<Vec<_>>() }))
}

#[derive(Deserialize)]
struct Path {
    id: String,
}

async fn create(
    Here(kernel): Here,
    at: AtWorkspace,
    Names(path, _): Names<Path, Envelope>,
    Body(body, _): Body<SnapshotBody, Envelope>,
) -> Answer {
    let new = body.into_new(path.id).map_err(Refusal::invalid)?;
    let folder = kernel.files.container(&at.account, ARTIFACTS);
    let size_of = |blob: &String| {
        let file = fs::metadata(folder.locate(blob)).ok().filter(fs::Metadata::is_file)?;
        Some((blob.clone(), file.len()))
    };
    let sizes: BTreeMap<String, u64> = new.sent.values().filter_map(size_of).collect();
    kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_snapshot(&world.content, &at.workspace_id, new, &sizes, ctx)
    })?;
    Ok(Json(Value::Null))
}

/// Puts all files of a snapshot into an archive, once.
async fn zip(
    Here(kernel): Here,
    at: AtWorkspace,
    site: Site,
    Names(path, _): Names<Path, Envelope>,
) -> Answer {
    let files: BTreeMap<String, String> = kernel.read::<_, Refused<Envelope>>(|world, _| {
        world.content.snapshot(&at.workspace_id, &path.id).map(|it| it.files.clone())
    })?;
    // Workspaces may share an account, and choose ids by themselves.
    let blob = format!("{ZIPS}/{}/{}.zip", at.workspace_id, path.id);
    let folder = kernel.files.container(&at.account, ARTIFACTS);
    let target = folder.locate(&blob);
    if !target.is_file() {
        let packed = tokio::task::spawn_blocking(move || -> io::Result<()> {
            let unfinished = kernel.files.unfinished()?;
            let mut archive = ZipWriter::new(fs::File::create(&unfinished)?);
            for (name, blob) in &files {
                archive.start_file(name.as_str(), AS_IT_IS)?;
                io::copy(&mut fs::File::open(folder.locate(blob))?, &mut archive)?;
            }
            archive.finish()?;
            files::place(&unfinished, &target)
        });
        let packed = packed.await.map_err(io::Error::other).flatten();
        packed.map_err(|err| {
            Refusal::not_found(format!("Snapshot {} cannot be packed: {err}", path.id))
        })?;
    }
    Ok(Json(wire::zip_json(&at.account, &blob, &site)))
}
