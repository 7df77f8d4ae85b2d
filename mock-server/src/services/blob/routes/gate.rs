use axum::http::{Method, request::Parts};
use percent_encoding::percent_decode_str;

use super::super::{
    ROOT,
    wire::signature::{
        self, Need,
        shared_key::{self, Signed},
    },
};
use crate::{
    kernel::{Caller, Kernel, Refusal, Site},
    services::azure::{STORAGE_AUDIENCE, bearer, entra_claims},
};

/// What a request is about, read from its path before any handler sees it.
struct Target {
    account: String,
    container: String,
    name: String,
    of_container: bool,
    /// What the path and the method ask for: one of these letters is needed.
    permissions: &'static str,
}

impl Target {
    fn of(parts: &Parts) -> Option<Self> {
        let path = parts.uri.path().strip_prefix(ROOT)?;
        let (kind, rest) = path.split_once('/')?;
        let (account, rest) = rest.split_once('/')?;
        let (container, name) = rest.split_once('/').unwrap_or((rest, ""));
        let decoded = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
        let mut name = decoded(name);
        let of_container = matches!(kind, ".list" | ".container");
        let permissions = match (kind, &parts.method) {
            (".list", _) => {
                name = prefix_of(parts);
                "l"
            }
            (".container", &Method::GET | &Method::HEAD) => "r",
            (".container", &Method::DELETE) => "d",
            (".container", _) => "cw",
            (_, &Method::GET | &Method::HEAD) => "r",
            (_, &Method::DELETE) => "d",
            (".metadata", _) => "w",
            _ => "cw",
        };
        let (account, container) = (decoded(account), decoded(container));
        Some(Self { account, container, name, of_container, permissions })
    }
}

/// What a listing is limited to. Its last part may be unfinished.
fn prefix_of(parts: &Parts) -> String {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let prefix = pairs.find(|(name, _)| name == "prefix");
    prefix.map_or_else(String::new, |(_, value)| value.into_owned())
}

fn has_signature(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "sig")
}

/// Lets in who holds a signature, a token for storage or the account's key.
pub(in super::super) fn gate(_: &Kernel, site: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let target = Target::of(parts).ok_or_else(|| Refusal::not_found("no container is named"))?;
    let query = parts.uri.query().unwrap_or_default();
    if has_signature(query) {
        let Target { account, container, name, of_container, permissions } = &target;
        let need = Need { account, container, name, of_container: *of_container, permissions };
        signature::check(query, &need)?;
        return Ok(named("signature"));
    }
    if let Some(token) = bearer(parts) {
        let accepts = |it: &str| {
            it == STORAGE_AUDIENCE
                || it.strip_prefix("https://").is_some_and(|host| {
                    host.strip_prefix(&target.account).is_some_and(|it| it.starts_with(".blob."))
                })
        };
        let unlike_arm = |it: Refusal| it.with_code("InvalidAuthenticationInfo");
        return entra_claims(token, accepts).map(Caller::from).map_err(unlike_arm);
    }
    if !shared_key::is_claimed(&parts.headers) {
        return Err(shared_key::none());
    }
    let (account, method, headers) = (target.account.as_str(), &parts.method, &parts.headers);
    let path = format!("{}/{}", site.prefix(), path_as_sent(parts));
    shared_key::check(&Signed { account, method, path: &path, query, headers })?;
    Ok(named("account key"))
}

/// The path without the root and the account, which came in the host's name.
fn path_as_sent(parts: &Parts) -> &str {
    let behind = parts.uri.path().splitn(4, '/').nth(3);
    behind.unwrap_or_default()
}

fn named(name: &str) -> Caller {
    let (object_id, tenant_id) = (String::new(), String::new());
    Caller { name: name.to_owned(), object_id, tenant_id, run_id: None }
}
