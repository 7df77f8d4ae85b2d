//! From a request to an operation: the world by its prefix, then the host,
//! then the first part of the path.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, Uri, header::HOST, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use futures_util::{future::ready, stream};
use http_body_util::BodyExt;

use crate::{
    kernel::{
        Kernel, MockCloud, Site, WorldId,
        addresses::Place,
        admin,
        recorder::{self, BODY_LIMIT, Exchange},
        routes::Answered,
        strict::Unknown,
    },
    services::{self, arm::ACCOUNT},
};

/// Set by the listener on requests that came over TLS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tls;

/// The cloud as one service.
pub(crate) fn router(cloud: MockCloud) -> Router {
    Router::new().fallback(dispatch).with_state(cloud)
}

async fn dispatch(State(cloud): State<MockCloud>, request: Request) -> Response {
    answer(&cloud, request).await
}

/// What the cloud answers.
pub(super) async fn answer(cloud: &MockCloud, mut request: Request) -> Response {
    let (world, path) = match split_world(request.uri().path()) {
        Ok(it) => it,
        Err(name) => {
            let text = format!("{name:?} is no name for a world: 1 to 64 letters, digits, - _ .");
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
    };
    let path = path.to_owned();
    let kernel = match cloud.shared.world(&world) {
        Ok(it) => it,
        Err(refusal) => return (refusal.status(), refusal.message).into_response(),
    };
    if path == "/_mock" || path.starts_with("/_mock/") {
        return admin::answer(&kernel, &path, request).await;
    }
    let host = host_of(request.uri(), request.headers());
    let tls = request.extensions().get::<Tls>().is_some();
    let site = Site::new(request.uri(), request.headers(), tls, &world.prefix());
    let place = Place::of(&host);
    let is_container =
        |name: &str| kernel.inspect(|world| world.blobs.has_container(ACCOUNT, name));
    let path = services::internal_path(&place, &path, is_container);
    request.extensions_mut().insert(place);
    recorded(cloud, kernel, site, path, request).await
}

/// The world's name and the path behind it.
fn split_world(path: &str) -> Result<(WorldId, &str), &str> {
    let Some(rest) = path.strip_prefix("/__tenant/") else {
        return Ok((WorldId::default(), path));
    };
    let (name, path) =
        rest.split_once('/').map_or((rest, "/"), |(name, _)| (name, &rest[name.len()..]));
    if WorldId::is_legal(name) { Ok((WorldId(name.to_owned()), path)) } else { Err(name) }
}

fn host_of(uri: &Uri, headers: &HeaderMap) -> String {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let host = text("x-forwarded-host")
        .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
        .or_else(|| text(HOST.as_str()));
    host.and_then(|it| it.rsplit('@').next()).unwrap_or_default().to_owned()
}

/// Hands the request to its operation and writes both down for the journal.
async fn recorded(
    cloud: &MockCloud,
    kernel: Arc<Kernel>,
    site: Site,
    path: String,
    request: Request,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let (method, shown) = (parts.method.to_string(), parts.uri.path().to_owned());
    let query = parts.uri.query().map(str::to_owned);
    let path = services::path_by_query(path, &parts.method, query.as_deref());
    // Most paths are what they are in the tables.
    if parts.uri.authority().is_some() || parts.uri.path() != path {
        parts.uri = rewritten(&path, query.as_deref());
    }
    parts.extensions.insert(kernel.clone());
    parts.extensions.insert(site);
    let unknown = Unknown::default();
    parts.extensions.insert(unknown.clone());

    let (body, request_body) = peek(&parts.headers, body).await;
    let request = Request::from_parts(parts, body);
    let mut response = cloud.operations().answer(request).await;
    let answered = response.extensions().get::<Answered>().copied();
    if answered.is_none() {
        response = services::unknown(&path, &method, response.status());
    }

    let keeps_bodies = answered.is_none_or(|it| it.recorded);
    let (parts, body) = response.into_parts();
    let (body, response_body) =
        if keeps_bodies { peek(&parts.headers, body).await } else { (body, None) };
    kernel.recorder.add(Exchange {
        at: kernel.clock.now(),
        operation: answered.map(|it| it.operation),
        method,
        path: shown,
        query: query.as_deref().map(recorder::masked_query),
        request_body: request_body
            .filter(|_| keeps_bodies)
            .and_then(|it| recorder::masked_body(&it)),
        status: parts.status.as_u16(),
        response_body: response_body.and_then(|it| recorder::masked_body(&it)),
        unknown: unknown.all(),
    });
    Response::from_parts(parts, body)
}

fn rewritten(path: &str, query: Option<&str>) -> Uri {
    let whole = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::try_from(whole).map(Uri::from).unwrap_or_default()
}

/// Looks into a small body without taking it away. A large one passes unseen.
async fn peek(headers: &HeaderMap, body: Body) -> (Body, Option<Bytes>) {
    use axum::body::HttpBody;
    let length = headers
        .get(axum::http::header::CONTENT_LENGTH)
        .and_then(|it| it.to_str().ok()?.parse().ok())
        .or_else(|| body.size_hint().exact());
    if length.is_none_or(|it: u64| (BODY_LIMIT as u64) < it) {
        return (body, None);
    }
    match body.collect().await {
        Ok(it) => {
            let bytes = it.to_bytes();
            (Body::from(bytes.clone()), Some(bytes))
        }
        // Whoever reads the body next meets the break, as it would have without us.
        Err(err) => (Body::from_stream(stream::once(ready(Err::<Bytes, _>(err)))), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_named_by_the_first_two_parts_of_the_path() {
        let named = |name: &str| WorldId(name.to_owned());
        assert_eq!(split_world("/api/2.0"), Ok((WorldId::default(), "/api/2.0")));
        assert_eq!(split_world("/__tenant/t1/api"), Ok((named("t1"), "/api")));
        assert_eq!(split_world("/__tenant/t1"), Ok((named("t1"), "/")));
        assert_eq!(split_world("/__tenant/../api"), Err(".."));
    }

    #[tokio::test]
    async fn a_small_body_that_breaks_off_is_no_empty_one() {
        let broken = stream::once(ready(Err::<Bytes, _>(std::io::Error::other("gone"))));
        let mut headers = HeaderMap::new();
        headers.insert(axum::http::header::CONTENT_LENGTH, 7.into());
        let (body, seen) = peek(&headers, Body::from_stream(broken)).await;
        assert_eq!(seen, None);
        assert!(body.collect().await.is_err());
    }
}
