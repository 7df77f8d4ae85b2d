pub(super) mod tree;

use std::{fs, path::Path};

use axum::{
    Json,
    body::Body as Bytes,
    extract::{FromRequestParts, Request},
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use self::tree::{Spot, modified_at};
use super::wire::{self, ListQuery, PutQuery};
use crate::{
    kernel::{Here, Params, PathNames, Refusal, Refused, Route, Service, on},
    services::{
        blob::bodies,
        databricks::{
            Envelope,
            gate::{AtDatabricks, finish, gate},
            io_error,
        },
    },
};

#[rustfmt::skip]
static ROUTES: &[Route] = &[
    Route::put("databricks.files.upload", "/api/2.0/fs/files/{*path}", |it| on(it, upload)).without_bodies(),
    Route::get("databricks.files.download", "/api/2.0/fs/files/{*path}", |it| on(it, download)).without_bodies(),
    Route::new(Method::HEAD, "databricks.files.get_metadata", "/api/2.0/fs/files/{*path}", |it| on(it, get_metadata)).without_bodies(),
    Route::delete("databricks.files.delete", "/api/2.0/fs/files/{*path}", |it| on(it, delete)),
    Route::put("databricks.files.create_directory", "/api/2.0/fs/directories/{*path}", |it| on(it, create_directory)),
    Route::get("databricks.files.list_directory_contents", "/api/2.0/fs/directories/{*path}", |it| on(it, list)),
    Route::new(Method::HEAD, "databricks.files.get_directory_metadata", "/api/2.0/fs/directories/{*path}", |it| on(it, get_directory_metadata)),
    Route::delete("databricks.files.delete_directory", "/api/2.0/fs/directories/{*path}", |it| on(it, delete_directory)),
];

pub(crate) static SERVICE: Service =
    Service::new::<Envelope>("databricks.files", gate, ROUTES).finished_by(finish);

type Answer = Result<Response, Refused<Envelope>>;

#[derive(Deserialize)]
struct FilePath {
    path: String,
}

/// The place that the path of the request leads to.
struct At(Spot);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Refused<Envelope>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let Ok(Here(kernel)) = Here::from_request_parts(parts, state).await;
        let AtDatabricks(workspace) = AtDatabricks::from_request_parts(parts, state).await?;
        let path: FilePath = PathNames::of(&parts.extensions).read()?;
        Ok(Self(tree::spot(&kernel, workspace, &path.path)?))
    }
}

fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

async fn upload(
    Here(kernel): Here,
    At(spot): At,
    Params(query, _): Params<PutQuery, Envelope>,
    request: Request,
) -> Answer {
    // Whoever may not write need not send.
    spot.check_free(query.overwrite)?;
    let unfinished = kernel.files.unfinished().map_err(|err| io_error(&err))?;
    let received = bodies::receive(unfinished, request.into_body()).await;
    let received = received.map_err(|it| Refusal { code: None, ..it })?;
    spot.put(&kernel, &received, query.overwrite)?;
    Ok(done())
}

async fn download(At(spot): At, headers: HeaderMap) -> Answer {
    let it = spot.file()?;
    wire::check_unmodified(&headers, modified_at(&it))?;
    let len = it.len();
    let range = wire::range(&headers, len)?;
    let mut shown = wire::headers(len, modified_at(&it));
    let (offset, part) = range.unwrap_or((0, len));
    let status = match range {
        Some(range) => {
            wire::of_part(&mut shown, range, len);
            StatusCode::PARTIAL_CONTENT
        }
        None => StatusCode::OK,
    };
    let body = bodies::send(open(&spot.file)?, offset, part).await?;
    Ok((status, shown, body).into_response())
}

fn open(file: &Path) -> Result<fs::File, Refusal> {
    fs::File::open(file).map_err(|err| io_error(&err))
}

async fn get_metadata(At(spot): At, headers: HeaderMap) -> Answer {
    let it = spot.file()?;
    wire::check_unmodified(&headers, modified_at(&it))?;
    Ok((wire::headers(it.len(), modified_at(&it)), Bytes::empty()).into_response())
}

async fn delete(At(spot): At) -> Answer {
    spot.delete_file()?;
    Ok(done())
}

async fn create_directory(At(spot): At) -> Answer {
    spot.make_directory()?;
    Ok(done())
}

async fn list(At(spot): At, Params(query, _): Params<ListQuery, Envelope>) -> Answer {
    Ok(Json(query.page(&spot, &spot.entries()?)?).into_response())
}

async fn get_directory_metadata(At(spot): At) -> Answer {
    spot.check_directory()?;
    Ok(StatusCode::OK.into_response())
}

async fn delete_directory(At(spot): At) -> Answer {
    spot.delete_directory()?;
    Ok(done())
}
