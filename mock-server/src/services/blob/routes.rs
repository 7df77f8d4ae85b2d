mod blocks;
pub(crate) mod bodies;
pub(super) mod gate;
pub(super) mod preconditions;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::PathBuf,
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;

use self::{
    bodies::{Received, unusable},
    gate::gate,
    preconditions::{Preconditions, Read},
};
use super::{
    state::{
        At, Blob, Stamp, Stored, decide_container, decide_deletion, decide_metadata, decide_put,
    },
    wire::{self, Entry, Envelope, Listing},
};
use crate::kernel::{
    Here, Kernel, Kind, Names, Params, Refusal, Refused, Route, Service, Site,
    files::{self, Folder},
    on,
};

pub(crate) static SERVICE: Service = Service::new::<Envelope>("storage.blob", gate, ROUTES);

type Answer = Result<Response, Refused<Envelope>>;

/// How many entries a page of a listing has at most.
const PAGE: usize = 5000;

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route::put("storage.blob.put", "/__blob/{account}/{container}/{*name}", |it| on(it, put)).without_bodies(),
    Route::put("storage.blob.put_block", "/__blob.block/{account}/{container}/{*name}", |it| on(it, blocks::put_block)).without_bodies(),
    Route::put("storage.blob.put_block_list", "/__blob.blocklist/{account}/{container}/{*name}", |it| on(it, blocks::put_block_list)).without_bodies(),
    Route::get("storage.blob.get_block_list", "/__blob.blocklist/{account}/{container}/{*name}", |it| on(it, blocks::get_block_list)).without_bodies(),
    Route::get("storage.blob.get", "/__blob/{account}/{container}/{*name}", |it| on(it, get)).without_bodies(),
    Route::new(Method::HEAD, "storage.blob.head", "/__blob/{account}/{container}/{*name}", |it| on(it, head)).without_bodies(),
    Route::delete("storage.blob.delete", "/__blob/{account}/{container}/{*name}", |it| on(it, delete)).without_bodies(),
    Route::get("storage.blob.get_metadata", "/__blob.getmetadata/{account}/{container}/{*name}", |it| on(it, head)).without_bodies(),
    Route::put("storage.blob.set_metadata", "/__blob.metadata/{account}/{container}/{*name}", |it| on(it, set_metadata)).without_bodies(),
    Route::get("storage.blob.list", "/__blob.list/{account}/{container}", |it| on(it, list)).without_bodies(),
    Route::get("storage.container.get", "/__blob.container/{account}/{container}", |it| on(it, get_container)),
    Route::put("storage.container.create", "/__blob.container/{account}/{container}", |it| on(it, create_container)),
    Route::absent(Method::DELETE, "storage.container.delete", "/__blob.container/{account}/{container}"),
    Route::absent(Method::PUT, "storage.blob.set_properties", "/__blob.properties/{account}/{container}/{*name}"),
    Route::absent(Method::PUT, "storage.blob.append_block", "/__blob.appendblock/{account}/{container}/{*name}"),
    Route::absent(Method::PUT, "storage.blob.put_page", "/__blob.page/{account}/{container}/{*name}"),
    Route::absent(Method::PUT, "storage.blob.lease", "/__blob.lease/{account}/{container}/{*name}"),
    Route::absent(Method::PUT, "storage.blob.snapshot", "/__blob.snapshot/{account}/{container}/{*name}"),
    Route::absent(Method::PUT, "storage.blob.set_tags", "/__blob.tags/{account}/{container}/{*name}"),
    Route::absent(Method::PUT, "storage.blob.set_tier", "/__blob.tier/{account}/{container}/{*name}"),
];

/// The named parts of all paths of this service.
#[derive(Deserialize)]
struct Path {
    account: String,
    container: String,
    #[serde(default)]
    name: String,
}

type PathNames = Names<Path, Envelope>;

impl From<Path> for At {
    fn from(it: Path) -> Self {
        Self { account: it.account, container: it.container, name: it.name }
    }
}

fn missing() -> Refusal {
    Refusal::not_found("The specified blob does not exist.").with_code("BlobNotFound")
}

/// The blob's file, if there is one, and what is known of it.
fn open(kernel: &Kernel, at: &At) -> Result<Option<(File, Blob)>, Refusal> {
    let path = kernel.files.container(&at.account, &at.container).locate(&at.name);
    let file = match File::open(path) {
        Ok(it) => Some(it),
        Err(err)
            if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            None
        }
        Err(err) => return Err(unusable(err)),
    };
    let file = match file {
        Some(it) => {
            let data = it.metadata().map_err(unusable)?;
            data.is_file().then(|| (it, Stamp::of(&data)))
        }
        None => None,
    };
    kernel.read(|world, _| {
        let container = world.blobs.container(&at.account, &at.container)?;
        Ok(file.map(|(file, stamp)| (file, container.blob(&at.name, stamp))))
    })
}

/// Refuses early what cannot be written, before a large body has come in.
fn check_container(kernel: &Kernel, at: &At) -> Result<(), Refusal> {
    kernel.read(|world, _| world.blobs.container(&at.account, &at.container).map(drop))
}

/// Moves what came in to its place and records it.
fn place(
    kernel: &Kernel,
    at: &At,
    received: &Received,
    conditions: &Preconditions,
    stored: Stored,
) -> Result<Blob, Refusal> {
    let _one_at_a_time = kernel.files.writing.lock();
    conditions.check_write(open(kernel, at)?.map(|(_, it)| it).as_ref())?;
    let path = kernel.files.container(&at.account, &at.container).locate(&at.name);
    let stamp = Stamp::of(&fs::metadata(&received.path).map_err(unusable)?);
    let previous = kernel.files.unfinished().map_err(unusable)?;
    let previous = set_aside(&path, previous).map_err(unusable)?;
    let placed = files::place(&received.path, &path).map_err(unusable);
    let recorded = placed.and_then(|()| {
        kernel.commit(|world, ctx| decide_put(&world.blobs, at, stamp, stored, world.seed, ctx))
    });
    // What the log does not have has not happened.
    let undone = match (&recorded, &previous) {
        (Ok(_), Some(previous)) => fs::remove_file(previous),
        (Ok(_), None) => Ok(()),
        (Err(_), Some(previous)) => fs::rename(previous, &path),
        (Err(_), None) => remove(&kernel.files.container(&at.account, &at.container), &path),
    };
    if let Err(err) = undone {
        tracing::warn!(%err, file = %path.display(), "a file is not as the log has it");
    }
    let (blob, forgotten) = recorded?;
    remove_blocks(kernel, &forgotten);
    Ok(blob)
}

/// Removes files of blocks that the world has forgotten.
fn remove_blocks(kernel: &Kernel, forgotten: &[String]) {
    for file in forgotten {
        let _ = fs::remove_file(kernel.files.blocks().join(file));
    }
}

/// Gives the file at `path` a second name, if there is one.
fn set_aside(path: &std::path::Path, aside: PathBuf) -> io::Result<Option<PathBuf>> {
    if !path.is_file() {
        return Ok(None);
    }
    // Not every file system has second names.
    fs::hard_link(path, &aside).or_else(|_| fs::rename(path, &aside))?;
    Ok(Some(aside))
}

/// Removes a file, and the folders that are empty then: folders are nothing in
/// a container.
fn remove(folder: &Folder, path: &std::path::Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => (),
    }
    for it in path.ancestors().skip(1).take_while(|it| *it != folder.path()) {
        if fs::remove_dir(it).is_err() {
            break;
        }
    }
    Ok(())
}

async fn put(
    Here(kernel): Here,
    Names(path, _): PathNames,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let at = At::from(path);
    check_kind(&headers)?;
    check_container(&kernel, &at)?;
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    let received = bodies::receive(unfinished, body).await?;
    wire::check_md5(&headers, received.md5)?;
    let md5 = received.md5;
    let mut stored = wire::stored_of(&headers);
    stored.content_md5.get_or_insert_with(|| BASE64.encode(md5));
    let stored =
        Stored { headers: stored, metadata: wire::metadata_of(&headers), blocks: Vec::new() };
    let blob = place(&kernel, &at, &received, &Preconditions::of(&headers), stored)?;
    let shown = wire::with_md5(wire::written(&headers, &blob.etag, blob.modified_at), md5);
    Ok((StatusCode::CREATED, shown).into_response())
}

/// Only block blobs that come with their bytes.
fn check_kind(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key("x-ms-copy-source") {
        let text = "azml-mock does not emulate copies of blobs";
        return Err(Refusal::new(Kind::NotEmulated, text));
    }
    match headers.get("x-ms-blob-type").map(HeaderValue::as_bytes) {
        Some(b"BlockBlob") => Ok(()),
        Some(b"AppendBlob" | b"PageBlob") => {
            let text = "azml-mock does not emulate append and page blobs";
            Err(Refusal::new(Kind::NotEmulated, text))
        }
        Some(_) => {
            let text = "The value for one of the HTTP headers is not in the correct format.";
            Err(Refusal::invalid(text).with_code("InvalidHeaderValue"))
        }
        None => {
            let text = "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type.";
            Err(Refusal::invalid(text).with_code("MissingRequiredHeader"))
        }
    }
}

fn xml_body(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/xml")], text)
}

async fn get(Here(kernel): Here, Names(path, _): PathNames, headers: HeaderMap) -> Answer {
    let at = At::from(path);
    let (file, blob) = open(&kernel, &at)?.ok_or_else(missing)?;
    let mut shown = wire::described(&headers, &blob);
    if Preconditions::of(&headers).check_read(&blob)? == Read::NotModified {
        return Ok((StatusCode::NOT_MODIFIED, shown).into_response());
    }
    let len = blob.stamp.len;
    let range = wire::range_of(&headers, len)?;
    let (offset, part) = range.unwrap_or((0, len));
    shown.insert(header::CONTENT_LENGTH, part.into());
    let status = match range {
        Some(range) => {
            wire::of_part(&mut shown, range, len);
            StatusCode::PARTIAL_CONTENT
        }
        None => StatusCode::OK,
    };
    let body = bodies::send(file, offset, part).await?;
    Ok((status, shown, body).into_response())
}

async fn head(Here(kernel): Here, Names(path, _): PathNames, headers: HeaderMap) -> Answer {
    let at = At::from(path);
    let (_, blob) = open(&kernel, &at)?.ok_or_else(missing)?;
    let mut shown = wire::described(&headers, &blob);
    if Preconditions::of(&headers).check_read(&blob)? == Read::NotModified {
        return Ok((StatusCode::NOT_MODIFIED, shown).into_response());
    }
    shown.insert(header::CONTENT_LENGTH, blob.stamp.len.into());
    Ok((shown, Body::empty()).into_response())
}

async fn delete(Here(kernel): Here, Names(path, _): PathNames, headers: HeaderMap) -> Answer {
    let at = At::from(path);
    let _one_at_a_time = kernel.files.writing.lock();
    let (_, blob) = open(&kernel, &at)?.ok_or_else(missing)?;
    Preconditions::of(&headers).check_write(Some(&blob))?;
    let folder = kernel.files.container(&at.account, &at.container);
    let path = folder.locate(&at.name);
    // First: what the log does not take must not cost the bytes.
    let forgotten =
        kernel.commit::<_, Refused<Envelope>>(|world, _| decide_deletion(&world.blobs, &at))?;
    remove_blocks(&kernel, &forgotten);
    remove(&folder, &path).map_err(unusable)?;
    Ok((StatusCode::ACCEPTED, wire::common(&headers)).into_response())
}

async fn set_metadata(Here(kernel): Here, Names(path, _): PathNames, headers: HeaderMap) -> Answer {
    let at = At::from(path);
    let _one_at_a_time = kernel.files.writing.lock();
    let (_, blob) = open(&kernel, &at)?.ok_or_else(missing)?;
    Preconditions::of(&headers).check_write(Some(&blob))?;
    let metadata = wire::metadata_of(&headers);
    let blob = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        decide_metadata(&world.blobs, &at, blob.stamp, metadata, world.seed, ctx)
    })?;
    Ok(wire::written(&headers, &blob.etag, blob.modified_at).into_response())
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ListQuery {
    prefix: String,
    delimiter: String,
    marker: String,
    maxresults: Option<usize>,
    include: String,
}

async fn list(
    Here(kernel): Here,
    site: Site,
    Names(path, _): PathNames,
    Params(query, _): Params<ListQuery, Envelope>,
    headers: HeaderMap,
) -> Answer {
    let max_results = query.maxresults.unwrap_or(PAGE);
    if max_results == 0 {
        let text = "One of the query parameters specified in the request URI is outside the permissible range: maxresults.";
        return Err(Refusal::invalid(text).with_code("OutOfRangeQueryParameterValue").into());
    }
    let mut entries = entries(&kernel, &path, &query)?;
    let mut page: Vec<_> = entries.split_off(&query.marker).into_iter().collect();
    let next = page.get(max_results.min(PAGE)).map(|(name, _)| name.clone());
    page.truncate(max_results.min(PAGE));
    let listing = Listing {
        endpoint: format!("https://{}.blob.{}/", path.account, site.storage_suffix()),
        container: &path.container,
        prefix: &query.prefix,
        marker: &query.marker,
        delimiter: &query.delimiter,
        max_results,
        with_metadata: query.include.split(',').any(|it| it == "metadata"),
        entries: page,
        next,
    };
    Ok((wire::common(&headers), xml_body(wire::listing_xml(&listing))).into_response())
}

/// All blobs below the prefix by their names, with the folders of the delimiter.
fn entries(
    kernel: &Kernel,
    path: &Path,
    query: &ListQuery,
) -> Result<BTreeMap<String, Entry>, Refused<Envelope>> {
    let folder = kernel.files.container(&path.account, &path.container);
    let mut found: BTreeMap<String, Stamp> = BTreeMap::new();
    for (name, data) in folder.walk_below(&query.prefix).map_err(unusable)? {
        found.insert(name, Stamp::of(&data));
    }
    kernel.read(|world, _| {
        let container = world.blobs.container(&path.account, &path.container)?;
        // Names that are no paths are not met on a walk.
        let hidden = container.blobs.keys().filter(|it| it.starts_with(&query.prefix));
        for name in hidden {
            if !found.contains_key(name)
                && let Ok(data) = fs::metadata(folder.locate(name))
                && data.is_file()
            {
                found.insert(name.clone(), Stamp::of(&data));
            }
        }
        let shown = found.into_iter().map(|(name, stamp)| {
            let below = &name[query.prefix.len()..];
            let fold = below.find(&query.delimiter).filter(|_| !query.delimiter.is_empty());
            if let Some(at) = fold {
                let end = query.prefix.len() + at + query.delimiter.len();
                return (name[..end].to_owned(), Entry::Prefix);
            }
            let blob = container.blob(&name, stamp);
            (name, Entry::Blob(Box::new(blob)))
        });
        Ok(shown.collect())
    })
}

async fn get_container(
    Here(kernel): Here,
    Names(path, _): PathNames,
    headers: HeaderMap,
) -> Answer {
    kernel.read(|world, _| {
        let container = world.blobs.container(&path.account, &path.container)?;
        let mut shown = wire::written(&headers, &container.etag, container.modified_at);
        wire::with_metadata(&mut shown, &container.metadata);
        Ok(shown.into_response())
    })
}

async fn create_container(
    Here(kernel): Here,
    Names(path, _): PathNames,
    headers: HeaderMap,
) -> Answer {
    let metadata = wire::metadata_of(&headers);
    let (etag, at) = kernel.commit::<_, Refused<Envelope>>(|world, ctx| {
        let (account, name) = (&path.account, &path.container);
        let (events, etag) =
            decide_container(&world.blobs, account, name, metadata, world.seed, ctx)?;
        Ok((events, (etag, ctx.now)))
    })?;
    Ok((StatusCode::CREATED, wire::written(&headers, &etag, at)).into_response())
}
