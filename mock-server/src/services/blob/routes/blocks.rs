//! Blobs that are put in blocks.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;

use super::{
    super::{
        state::{At, Stored, Waiting, assemble, decide_block},
        wire::{self, Envelope, xml},
    },
    Answer, PathNames,
    bodies::{self, unusable},
    check_container, missing, open, place,
    preconditions::Preconditions,
    remove_blocks, xml_body,
};
use crate::kernel::{Here, Names, Params, Raw, Refusal, Refused, files};

#[derive(Deserialize)]
pub(super) struct BlockQuery {
    #[serde(default, rename = "blockid")]
    id: String,
}

pub(super) async fn put_block(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Params(query, _): Params<BlockQuery, Envelope>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let at = At::from(path);
    let decoded = BASE64.decode(&query.id).map(|it| it.len());
    if query.id.is_empty() || !decoded.is_ok_and(|it| it <= 64) {
        let text = "Value for one of the query parameters specified in the request URI is invalid: blockid.";
        return Err(Refusal::invalid(text).with_code("InvalidQueryParameterValue").into());
    }
    check_container(&kernel, &at)?;
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    let received = bodies::receive(unfinished, body).await?;
    wire::check_md5(&headers, received.md5)?;
    let (folder, file) = (kernel.files.blocks(), uuid::Uuid::new_v4().simple().to_string());
    files::place(&received.path, &folder.join(&file)).map_err(unusable)?;
    let block = Waiting { len: received.len, file: file.clone() };
    let recorded: Result<Option<String>, Refusal> =
        kernel.commit(|world, _| decide_block(&world.blobs, &at, &query.id, block));
    let stale = recorded.as_ref().map_or_else(|_| Some(file), Clone::clone);
    remove_blocks(&kernel, stale.as_slice());
    recorded?;
    let shown = wire::with_md5(wire::common(&headers), received.md5);
    Ok((StatusCode::CREATED, shown).into_response())
}

pub(super) async fn put_block_list(
    Here(kernel): Here,
    Names(path, _): PathNames,
    headers: HeaderMap,
    Raw(body, _): Raw<Envelope>,
) -> Answer {
    let at = At::from(path);
    let list = xml::block_list(&String::from_utf8_lossy(&body))
        .map_err(|text| Refusal::malformed(text).with_code("InvalidXmlDocument"))?;
    let present = open(&kernel, &at)?.map(|(_, it)| it);
    let parts = kernel.read::<_, Refused<Envelope>>(|world, _| {
        let container = world.blobs.container(&at.account, &at.container)?;
        assemble(container, &at, present.as_ref(), &list)
    })?;
    let blocks = parts.iter().map(|(block, _)| block.clone()).collect();
    let unfinished = kernel.files.unfinished().map_err(unusable)?;
    let file = kernel.files.container(&at.account, &at.container).locate(&at.name);
    let joined = bodies::join(unfinished, parts, file, kernel.files.blocks()).await?;
    let (stored, metadata) = (wire::stored_of_list(&headers), wire::metadata_of(&headers));
    let stored = Stored { headers: stored, metadata, blocks };
    let blob = place(&kernel, &at, &joined, &Preconditions::of(&headers), stored)?;
    let shown = wire::written(&headers, &blob.etag, blob.modified_at);
    Ok((StatusCode::CREATED, shown).into_response())
}

#[derive(Deserialize)]
pub(super) struct BlockListQuery {
    #[serde(default, rename = "blocklisttype")]
    kind: String,
}

pub(super) async fn get_block_list(
    Here(kernel): Here,
    Names(path, _): PathNames,
    Params(query, _): Params<BlockListQuery, Envelope>,
    headers: HeaderMap,
) -> Answer {
    let at = At::from(path);
    let present = open(&kernel, &at)?.map(|(_, it)| it);
    let (committed, uncommitted) = match query.kind.as_str() {
        "uncommitted" => (false, true),
        "all" => (true, true),
        _ => (true, false),
    };
    let body = kernel.read::<_, Refused<Envelope>>(|world, _| {
        let container = world.blobs.container(&at.account, &at.container)?;
        let waiting: Vec<_> = container.waiting(&at.name).collect();
        if present.is_none() && waiting.is_empty() {
            return Err(missing());
        }
        let blocks = present.as_ref().map_or(&[][..], |it| &it.blocks);
        Ok(wire::block_list_xml(committed.then_some(blocks), uncommitted.then_some(&waiting)))
    })?;
    let mut shown = wire::common(&headers);
    if let Some(blob) = &present {
        shown.extend(wire::written(&headers, &blob.etag, blob.modified_at));
        shown.insert("x-ms-blob-content-length", blob.stamp.len.into());
    }
    Ok((shown, xml_body(body)).into_response())
}
