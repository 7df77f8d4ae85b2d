//! What only the MLflow of a Databricks workspace has: artifacts of model
//! versions behind signed addresses, and calls that act on many runs at once.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answer,
    artifacts::{children, safe, tree},
    attachment::sent,
    registry::version,
    root::Root,
    versions::{move_to_stage, show},
};
use crate::{
    kernel::{Caller, Here, Kernel, Kind, Params, Refusal, Refused, Site, clock::wall},
    services::mlflow::{
        state::{self, decide_runs_deleted, decide_runs_restored},
        wire::{
            Asked, Envelope, Fields, FileInfo, at_millis, files_json, missing, registered_json,
        },
    },
};

type Refuse = Refused<Envelope>;

/// How long a signed address leads somewhere.
const SIGNED_FOR: Duration = Duration::from_secs(15 * 60);

/// Signs addresses. Published, as all secrets of the mock: it guards nothing real.
const KEY: &[u8] = b"azml-mock signs the addresses of model artifacts with this";

/// Where the files of the version that `fields` name are.
fn uri(kernel: &Kernel, root: &Root, fields: &Fields) -> Result<String, Refuse> {
    let (name, number) = (fields.required("name")?, version(fields)?);
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        root.version_uri(store, state::version(store, name, &number)?.0)
    })
}

/// The files of a version. A file has itself below it.
pub(super) async fn list_version_artifacts(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let path = safe(fields.text_or_empty("path")?)?;
    let uri = uri(&kernel, &root, &fields)?;
    let tree = tree(&kernel, &root, &uri)?;
    let mut files = children(&tree, &path)?;
    if files.is_empty() {
        let name = format!("{}{path}", tree.prefix);
        let data =
            std::fs::metadata(tree.folder.locate(&name)).ok().filter(std::fs::Metadata::is_file);
        files.extend(data.map(|it| FileInfo { path, size: Some(it.len()) }));
    }
    Ok(Json(files_json(Some(&uri), &files)))
}

/// What a signed address says of the file that it leads to.
#[derive(Deserialize)]
pub(super) struct Signed {
    uri: String,
    path: String,
    expires: i64,
    signature: String,
}

fn signature(root: &Root, uri: &str, path: &str, expires: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY);
    let text = format!("{}\n{uri}\n{path}\n{expires}", root.place);
    URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()))
}

pub(super) async fn signed_download_uri(
    Here(kernel): Here,
    root: Root,
    site: Site,
    Asked(fields): Asked,
) -> Answer {
    let path = safe(fields.required("path")?)?;
    let uri = uri(&kernel, &root, &fields)?;
    // Clients hold what expires to their own clock.
    let expires = (wall() + SIGNED_FOR).unix_timestamp();
    let signature = signature(&root, &uri, &path, expires);
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (origin, uri, path) = (site.origin().unwrap_or_default(), encoded(&uri), encoded(&path));
    let signed = format!(
        "{origin}/__signed/mlflow?uri={uri}&path={path}&expires={expires}&signature={signature}"
    );
    Ok(Json(json!({ "signed_uri": signed, "headers": [] })))
}

/// A file, for whoever has its signed address.
pub(super) async fn download_signed(
    Here(kernel): Here,
    root: Root,
    headers: HeaderMap,
    Params(asked, _): Params<Signed, Envelope>,
) -> Result<Response, Refuse> {
    let wanted = signature(&root, &asked.uri, &asked.path, asked.expires);
    if wanted != asked.signature || asked.expires < wall().unix_timestamp() {
        let text = "The signature of this address is not valid, or no longer";
        return Err(Refusal::new(Kind::Status(StatusCode::FORBIDDEN), text)
            .with_code("PERMISSION_DENIED")
            .into());
    }
    Ok(sent(&tree(&kernel, &root, &asked.uri)?, &safe(&asked.path)?, &headers).await?)
}

/// Adds what the workspace knows of a thing: who may do what with it.
fn with_rights(mut shown: Value, user: &str) -> Value {
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("user_id".to_owned(), user.into());
        fields.insert("permission_level".to_owned(), "CAN_MANAGE".into());
    }
    shown
}

pub(super) async fn get_registered(
    Here(kernel): Here,
    root: Root,
    caller: Caller,
    Asked(fields): Asked,
) -> Answer {
    let name = fields.required("name")?;
    kernel.read(|world, _| {
        let found = state::registered(world.stores.at(&root.place), name)?;
        let mut shown = with_rights(registered_json(found), &caller.name);
        shown["id"] = found.id().into();
        Ok(Json(json!({ "registered_model_databricks": shown })))
    })
}

pub(super) async fn transition_stage(
    Here(kernel): Here,
    root: Root,
    caller: Caller,
    Asked(fields): Asked,
) -> Answer {
    let (name, number) = move_to_stage(&kernel, &root, &fields)?;
    let Json(mut shown) = show(&kernel, &root, &name, &number)?;
    let shown = with_rights(shown["model_version"].take(), &caller.name);
    Ok(Json(json!({ "model_version_databricks": shown })))
}

/// The experiment, the time and the number of runs that a call is about.
fn many<'a>(fields: &'a Fields, time: &str) -> Result<(&'a str, i64, usize), Refusal> {
    const MOST: i64 = 10_000;
    let experiment = fields.required("experiment_id")?;
    let at = fields.whole(time)?.ok_or_else(|| missing(time))?;
    let most = fields.whole("max_runs")?.unwrap_or(MOST);
    if !(1..=MOST).contains(&most) {
        let text = format!("max_runs must be between 1 and {MOST}, got {most}");
        return Err(Refusal::invalid(text));
    }
    Ok((experiment, at, usize::try_from(most).unwrap_or(1)))
}

pub(super) async fn delete_runs(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (experiment, at, most) = many(&fields, "max_timestamp_millis")?;
    let at = at_millis(at).ok_or_else(|| missing("max_timestamp_millis"))?;
    let count = kernel.commit::<_, Refuse>(|world, ctx| {
        decide_runs_deleted(world, &root.place, experiment, at, most, ctx)
    })?;
    Ok(Json(json!({ "runs_deleted": count })))
}

pub(super) async fn restore_runs(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (experiment, at, most) = many(&fields, "min_timestamp_millis")?;
    let at = at_millis(at).ok_or_else(|| missing("min_timestamp_millis"))?;
    let count = kernel.commit::<_, Refuse>(|world, ctx| {
        decide_runs_restored(world, &root.place, experiment, at, most, ctx)
    })?;
    Ok(Json(json!({ "runs_restored": count })))
}
