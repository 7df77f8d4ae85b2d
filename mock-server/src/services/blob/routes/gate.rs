use axum::http::{Method, header::AUTHORIZATION, request::Parts};
use percent_encoding::percent_decode_str;

use super::super::{ROOT, wire::signature};
use crate::{
    kernel::{Caller, Kernel, Kind, Refusal, Site},
    services::azure::{STORAGE_AUDIENCE, bearer, entra_claims},
};

/// What a request is about, read from its path before any handler sees it.
struct Target {
    account: String,
    container: String,
    name: String,
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
        let permissions = match (kind, &parts.method) {
            (".list", _) => {
                name = prefix_of(parts);
                "l"
            }
            // No signature for a blob or a folder opens its container.
            (".container", _) => "",
            (_, &Method::GET | &Method::HEAD) => "r",
            (_, &Method::DELETE) => "d",
            (".metadata", _) => "w",
            _ => "cw",
        };
        Some(Self { account: decoded(account), container: decoded(container), name, permissions })
    }
}

/// What a listing is limited to. Its last part may be unfinished.
fn prefix_of(parts: &Parts) -> String {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let prefix = pairs.find(|(name, _)| name == "prefix");
    prefix.map_or_else(String::new, |(_, value)| value.into_owned())
}

fn has_signature(parts: &Parts) -> bool {
    let query = parts.uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "sig")
}

/// Lets in who holds a signature, a token for storage or the account's key.
pub(in super::super) fn gate(_: &Kernel, _: &Site, parts: &Parts) -> Result<Caller, Refusal> {
    let target = Target::of(parts).ok_or_else(|| Refusal::not_found("no container is named"))?;
    if has_signature(parts) {
        let query = parts.uri.query().unwrap_or_default();
        let Target { account, container, name, permissions } = &target;
        signature::check(query, account, container, name, permissions)?;
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
    let header = parts.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    let key = header.and_then(|it| it.strip_prefix("SharedKey ")?.split_once(':'));
    match key {
        Some((account, _)) if account == target.account => Ok(named("account key")),
        Some(_) => {
            let text =
                "Server failed to authenticate the request. The key belongs to another account.";
            Err(Refusal::new(Kind::Denied, text).with_code("AuthenticationFailed"))
        }
        None => {
            let text = "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
            Err(Refusal::new(Kind::Unauthenticated, text).with_code("NoAuthenticationInformation"))
        }
    }
}

fn named(name: &str) -> Caller {
    let (object_id, tenant_id) = (String::new(), String::new());
    Caller { name: name.to_owned(), object_id, tenant_id, run_id: None }
}
