//! Azure blob storage: block blobs.
//!
//! Emulated: blobs (put whole or in blocks, get in ranges, head, delete),
//! listings with prefix, delimiter and marker, metadata, containers; conditions
//! on `ETag`; MD5 of what is sent.
//! Not emulated: append and page blobs, copies, leases, snapshots, tags, tiers.
//!
//! The files are the truth for existence, size and bytes, because Spark shares
//! them. A file that did not come through this API is a blob, too.
//!
//! Three ways to be let in: a signature in the URL (this mock's own, [`sas`],
//! or any other made with the account's key, which is published), a token for
//! storage, or a request signed with the key.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

use axum::http::Method;

pub(crate) use self::{
    routes::{SERVICE, bodies},
    state::{Blobs, Event, decide_container, decide_containers},
    wire::Envelope,
    wire::signature::{account_key, sas},
};
use crate::kernel::effects::Effect;

/// The container of everything that belongs to runs.
pub(crate) const ARTIFACTS: &str = "azureml";

const DEFAULT_PREFIX: &str = "azureml-blobstore-";

/// The container of a workspace's default datastore.
pub(crate) fn default_container(workspace_id: &str) -> String {
    format!("{DEFAULT_PREFIX}{workspace_id}")
}

pub(crate) fn effect_of(event: Event) -> Option<Effect> {
    match event {
        Event::Written { account, container, name, text } => {
            Some(Effect::WriteBlob { account, container, name, text })
        }
        _ => None,
    }
}

/// Whether a path on a host without a telling name begins with a container.
pub(crate) fn is_blob_path(path: &str) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    first == ARTIFACTS || first.starts_with(DEFAULT_PREFIX)
}

/// The root of all paths of this service, as the tables have them.
pub(super) const ROOT: &str = "/__blob";

/// The path with what the query makes of it: operations on blobs differ in
/// `comp` alone, and a table tells them apart by their paths.
pub(crate) fn path_by_query(path: &str, method: &Method, query: Option<&str>) -> String {
    let Some(rest) = path.strip_prefix("/__blob/") else { return path.to_owned() };
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let (mut comp, mut is_container) = (String::new(), false);
    for (name, value) in pairs {
        match name.as_ref() {
            "comp" => comp = value.chars().filter(char::is_ascii_alphanumeric).collect(),
            "restype" => is_container = value == "container",
            _ => (),
        }
    }
    // HEAD and GET of metadata are those of the blob itself, without its bytes.
    let comp = match (comp.as_str(), is_container, method) {
        ("metadata", false, &Method::GET | &Method::HEAD) => "getmetadata",
        ("", true, _) => "container",
        (comp, ..) => comp,
    };
    let rest = if is_container { rest.trim_end_matches('/') } else { rest };
    if comp.is_empty() { path.to_owned() } else { format!("{ROOT}.{comp}/{rest}") }
}
