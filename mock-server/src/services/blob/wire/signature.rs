//! Signatures, as Azure Storage has them: in URLs (of a service and of an
//! account) and of whole requests (`SharedKey`).
//!
//! Not emulated: signatures of a user's delegation key, stored access policies.
//! Addresses (`sip`) are taken without a check.
//!
//! Reference: "Create a service SAS", "Create an account SAS" and "Authorize
//! with Shared Key" of the documentation of Azure Storage.

mod account;
mod service;
pub(in super::super) mod shared_key;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::LazyLock, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use form_urlencoded::Serializer;
use ring::hmac;
use time::{
    Date, OffsetDateTime, PrimitiveDateTime, Time, format_description::BorrowedFormatItem,
    macros::format_description,
};

use self::service::Scope;
use crate::kernel::{Kind, Refusal, clock};

const VERSION: &str = "2021-08-06";

/// The version that brought encryption scopes into what is signed.
const WITH_ENCRYPTION_SCOPE: &str = "2020-12-06";

/// The key of all storage accounts of all mock clouds. It is published: 64
/// bytes, as long as a real one.
const KEY: &[u8; 64] = b"azml-mock published storage key, worth nothing outside of a test";

static SIGNER: LazyLock<hmac::Key> = LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, KEY));

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const MINUTE: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]Z");
const SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// The account's key as clients get it.
pub(crate) fn account_key() -> String {
    BASE64.encode(KEY)
}

/// What a request is about, and what it has to be allowed.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Need<'a> {
    pub(in super::super) account: &'a str,
    pub(in super::super) container: &'a str,
    /// The blob, or the prefix of a listing.
    pub(in super::super) name: &'a str,
    /// Whether it is about the container and not about a blob in it.
    pub(in super::super) of_container: bool,
    /// One of these letters is needed. None: no signature in a URL of this
    /// service allows it.
    pub(in super::super) permissions: &'a str,
}

/// A signature in the form of a URL's query: opens a blob, a folder (the name
/// ends in a slash) or the container (no name) to `permissions`, which are
/// letters of Azure's: `r`ead, `c`reate, `w`rite, `d`elete, `l`ist.
pub(crate) fn sas(
    account: &str,
    container: &str,
    prefix_or_blob: &str,
    permissions: &str,
    valid_for: Duration,
) -> String {
    let scope = Scope::of(prefix_or_blob);
    let expiry = (clock::wall() + valid_for).format(SECOND).unwrap_or_default();
    let given = [("sv", VERSION), ("se", &expiry), ("sr", scope.letter()), ("sp", permissions)];
    let fields = Fields(given.into_iter().map(|(key, it)| (key.into(), it.into())).collect());
    let signature = signed(&service::to_sign(&fields, account, container, scope));
    let mut query = Serializer::new(String::new());
    query.append_pair("sv", VERSION).append_pair("se", &expiry).append_pair("sr", scope.letter());
    if let Scope::Folder(depth, _) = scope {
        query.append_pair("sdd", &depth.to_string());
    }
    query.append_pair("sp", permissions).append_pair("sig", &signature).finish()
}

/// Checks the signature in `query`.
pub(in super::super) fn check(query: &str, need: &Need<'_>) -> Result<(), Refusal> {
    let fields = Fields::read(query);
    for name in ["skoid", "si"] {
        if !fields.get(name).is_empty() {
            let text = format!("azml-mock does not emulate signatures with {name}");
            return Err(Refusal::new(Kind::NotEmulated, text));
        }
    }
    let is_account = !fields.get("ss").is_empty();
    let text = if is_account {
        account::to_sign(&fields, need.account)
    } else {
        let scope = Scope::claimed(fields.get("sr"), fields.get("sdd"), need.name);
        let scope = scope.ok_or_else(|| failed("Signature did not match."))?;
        service::to_sign(&fields, need.account, need.container, scope)
    };
    if !is_signed(&text, fields.get("sig")) {
        return Err(failed("Signature did not match."));
    }
    check_time(&fields)?;
    let opens = !is_account || account::opens(&fields, need.of_container)?;
    let allows = need.permissions.chars().any(|it| fields.get("sp").contains(it));
    if opens && allows && (is_account || service::may(need)) {
        return Ok(());
    }
    let text = "This request is not authorized to perform this operation using this permission.";
    Err(Refusal::new(Kind::Denied, text).with_code("AuthorizationPermissionMismatch"))
}

/// The fields of a query that belong to its signature.
#[derive(Clone, Debug)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn read(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
    }

    /// Empty when it is not there, as in what is signed.
    fn get(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    /// Fields in this order, each in a line.
    fn lines(&self, keys: &[&str]) -> Vec<&str> {
        keys.iter().map(|it| self.get(it)).collect()
    }

    fn has_encryption_scope(&self) -> bool {
        WITH_ENCRYPTION_SCOPE <= self.get("sv")
    }
}

fn signed(text: &str) -> String {
    BASE64.encode(hmac::sign(&SIGNER, text.as_bytes()))
}

fn is_signed(text: &str, signature: &str) -> bool {
    let signature = BASE64.decode(signature).unwrap_or_default();
    hmac::verify(&SIGNER, text.as_bytes(), &signature).is_ok()
}

fn failed(detail: &str) -> Refusal {
    let text = format!(
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature. {detail}"
    );
    Refusal::new(Kind::Denied, text).with_code("AuthenticationFailed")
}

/// From its start to its end, by the wall clock, because clients judge by theirs.
fn check_time(fields: &Fields) -> Result<(), Refusal> {
    let now = clock::wall();
    let start = fields.get("st");
    let has_begun = start.is_empty() || instant(start).is_some_and(|it| it <= now);
    let goes_on = instant(fields.get("se")).is_some_and(|it| now < it);
    let outside = || failed("Signature not valid in the specified time frame.");
    (has_begun && goes_on).then_some(()).ok_or_else(outside)
}

fn instant(text: &str) -> Option<OffsetDateTime> {
    let day = || Date::parse(text, DAY).map(|it| PrimitiveDateTime::new(it, Time::MIDNIGHT));
    let minute = || PrimitiveDateTime::parse(text, MINUTE);
    let second = PrimitiveDateTime::parse(text, SECOND);
    second.or_else(|_| minute()).or_else(|_| day()).ok().map(PrimitiveDateTime::assume_utc)
}
