//! Signatures in URLs, in a form of our own: who holds the published key could
//! make them, and nobody needs to.

use std::{sync::LazyLock, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use form_urlencoded::Serializer;
use ring::hmac;
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    macros::format_description,
};

use crate::kernel::{Kind, Refusal, clock};

const VERSION: &str = "2021-08-06";

/// The key of all storage accounts of all mock clouds. It is published: 64
/// bytes, as long as a real one.
const KEY: &[u8; 64] = b"azml-mock published storage key, worth nothing outside of a test";

static SIGNER: LazyLock<hmac::Key> = LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, KEY));

const INSTANT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// The account's key as clients get it.
pub(crate) fn account_key() -> String {
    BASE64.encode(KEY)
}

/// What a signature opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope<'a> {
    Container,
    /// Everything below a folder of this many parts.
    Folder(usize, &'a str),
    Blob(&'a str),
}

impl<'a> Scope<'a> {
    /// A folder ends in a slash; the empty name is the container.
    fn of(prefix_or_blob: &'a str) -> Self {
        match prefix_or_blob.strip_suffix('/') {
            None if prefix_or_blob.is_empty() => Self::Container,
            None => Self::Blob(prefix_or_blob),
            Some(folder) => Self::Folder(folder.split('/').count(), folder),
        }
    }

    /// The scope that a request for `name` claims to have.
    fn claimed(resource: &str, depth: Option<&str>, name: &'a str) -> Option<Self> {
        match resource {
            "c" => Some(Self::Container),
            "b" => Some(Self::Blob(name)),
            "d" => {
                let depth: usize = depth?.parse().ok()?;
                let end = match name.match_indices('/').nth(depth.checked_sub(1)?) {
                    Some((at, _)) => at,
                    None if name.split('/').count() == depth => name.len(),
                    None => return None,
                };
                Some(Self::Folder(depth, &name[..end]))
            }
            _ => None,
        }
    }

    fn letter(self) -> &'static str {
        match self {
            Self::Container => "c",
            Self::Folder(..) => "d",
            Self::Blob(_) => "b",
        }
    }

    fn path(self) -> &'a str {
        match self {
            Self::Container => "",
            Self::Folder(_, path) | Self::Blob(path) => path,
        }
    }
}

fn to_sign(
    account: &str,
    container: &str,
    scope: Scope<'_>,
    sp: &str,
    se: &str,
    sv: &str,
) -> String {
    format!("{sp}\n{se}\n{}\n/{account}/{container}/{}\n{sv}\n", scope.letter(), scope.path())
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
    let expiry = (clock::wall() + valid_for).format(INSTANT).unwrap_or_default();
    let text = to_sign(account, container, scope, permissions, &expiry, VERSION);
    let signature = BASE64.encode(hmac::sign(&SIGNER, text.as_bytes()));
    let mut query = Serializer::new(String::new());
    query.append_pair("sv", VERSION).append_pair("se", &expiry).append_pair("sr", scope.letter());
    if let Scope::Folder(depth, _) = scope {
        query.append_pair("sdd", &depth.to_string());
    }
    query.append_pair("sp", permissions).append_pair("sig", &signature).finish()
}

/// Checks the signature in `query`. One of `wanted` must be among its
/// permissions. `name` is the blob, or the prefix of a listing.
pub(in super::super) fn check(
    query: &str,
    account: &str,
    container: &str,
    name: &str,
    wanted: &str,
) -> Result<(), Refusal> {
    let mut fields = [const { String::new() }; 6];
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let at = ["sv", "se", "sr", "sdd", "sp", "sig"].iter().position(|it| *it == key);
        if let Some(at) = at {
            fields[at] = value.into_owned();
        }
    }
    let [sv, se, sr, sdd, sp, sig] = &fields;
    let failed = |detail: &str| {
        let text = format!(
            "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature. {detail}"
        );
        Refusal::new(Kind::Denied, text.trim_end()).with_code("AuthenticationFailed")
    };
    let depth = Some(sdd.as_str()).filter(|it| !it.is_empty());
    let scope =
        Scope::claimed(sr, depth, name).ok_or_else(|| failed("Signature did not match."))?;
    let text = to_sign(account, container, scope, sp, se, sv);
    let signature = BASE64.decode(sig).map_err(|_| failed("Signature is not well formed."))?;
    hmac::verify(&SIGNER, text.as_bytes(), &signature)
        .map_err(|_| failed("Signature did not match."))?;
    let expiry = PrimitiveDateTime::parse(se, INSTANT).map(PrimitiveDateTime::assume_utc);
    // By the wall clock, because clients judge by theirs.
    if expiry.unwrap_or(OffsetDateTime::UNIX_EPOCH) <= clock::wall() {
        return Err(failed("Signature not valid in the specified time frame."));
    }
    if wanted.chars().any(|it| sp.contains(it)) {
        return Ok(());
    }
    let text = "This request is not authorized to perform this operation using this permission.";
    Err(Refusal::new(Kind::Denied, text).with_code("AuthorizationPermissionMismatch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn code(outcome: Result<(), Refusal>) -> Option<String> {
        outcome.err().map(|it| it.code.unwrap_or_default().into_owned())
    }

    #[test]
    fn a_signature_opens_what_it_was_made_for_and_nothing_else() {
        let blob = sas("acct", "c", "a/b", "r", HOUR);
        assert_eq!(check(&blob, "acct", "c", "a/b", "r"), Ok(()));
        let elsewhere = [("acct", "c", "a/c"), ("acct", "d", "a/b"), ("other", "c", "a/b")];
        for (account, container, name) in elsewhere {
            let outcome = check(&blob, account, container, name, "r");
            assert_eq!(code(outcome).as_deref(), Some("AuthenticationFailed"));
        }
        let outcome = check(&blob, "acct", "c", "a/b", "cw");
        assert_eq!(code(outcome).as_deref(), Some("AuthorizationPermissionMismatch"));
    }

    #[test]
    fn a_folder_and_a_container_open_what_is_in_them() {
        let folder = sas("acct", "c", "a/b/", "rl", HOUR);
        assert_eq!(check(&folder, "acct", "c", "a/b/x/y", "r"), Ok(()));
        assert_eq!(check(&folder, "acct", "c", "a/b", "l"), Ok(()));
        assert!(check(&folder, "acct", "c", "a/bc/x", "r").is_err());
        assert!(check(&folder, "acct", "c", "a", "r").is_err());
        let container = sas("acct", "c", "", "r", HOUR);
        assert_eq!(check(&container, "acct", "c", "anything", "r"), Ok(()));
    }

    #[test]
    fn a_signature_ends_and_cannot_be_made_longer() {
        let past = sas("acct", "c", "a", "r", Duration::ZERO);
        assert_eq!(
            code(check(&past, "acct", "c", "a", "r")).as_deref(),
            Some("AuthenticationFailed")
        );
        let longer = past.replacen("se=20", "se=21", 1);
        assert!(check(&longer, "acct", "c", "a", "r").is_err());
    }
}
