//! Whole requests, signed with the account's key.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, header::AUTHORIZATION};
use time::{Duration, PrimitiveDateTime};

use super::{super::HTTP_DATE, failed, is_signed};
use crate::kernel::{Kind, Refusal, clock};

/// Headers that are signed by their place, without their names.
const BY_PLACE: &[&str] = &[
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// How far a request's date may be from the server's.
const SKEW: Duration = Duration::minutes(15);

/// A request as its client has signed it.
#[derive(Clone, Copy, Debug)]
pub(in super::super::super) struct Signed<'a> {
    pub(in super::super::super) account: &'a str,
    pub(in super::super::super) method: &'a Method,
    /// As it was sent, escapes included.
    pub(in super::super::super) path: &'a str,
    pub(in super::super::super) query: &'a str,
    pub(in super::super::super) headers: &'a HeaderMap,
}

/// Whether the request claims to be signed with an account's key.
pub(in super::super::super) fn is_claimed(headers: &HeaderMap) -> bool {
    credentials(headers).is_some()
}

/// `SharedKey {account}:{signature}`.
fn credentials(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("SharedKey ")?.split_once(':')
}

/// Checks the signature of a request.
pub(in super::super::super) fn check(request: &Signed<'_>) -> Result<(), Refusal> {
    let (account, signature) = credentials(request.headers).unwrap_or_default();
    if account != request.account {
        return Err(failed("The key belongs to another account."));
    }
    let text = to_sign(request);
    if !is_signed(&text, signature) {
        let shown = text.replace('\n', "\\n");
        return Err(failed(&format!(
            "The MAC signature found in the HTTP request is not the same as any computed signature. Server used following string to sign: '{shown}'."
        )));
    }
    let date = ["x-ms-date", "date"].iter().find_map(|it| request.headers.get(*it)?.to_str().ok());
    let date = date.and_then(|it| PrimitiveDateTime::parse(it, HTTP_DATE).ok());
    let is_recent = date.is_some_and(|it| (it.assume_utc() - clock::wall()).abs() <= SKEW);
    if is_recent {
        return Ok(());
    }
    Err(failed("Request date header too old or missing."))
}

fn to_sign(request: &Signed<'_>) -> String {
    let has_date = request.headers.contains_key("x-ms-date");
    let mut lines = vec![request.method.as_str().to_owned()];
    for name in BY_PLACE {
        let value = text(request.headers, name);
        let counts = !(*name == "content-length" && value == "0" || *name == "date" && has_date);
        lines.push(if counts { value } else { String::new() });
    }
    let own = request.headers.keys().map(axum::http::HeaderName::as_str);
    let own: std::collections::BTreeSet<_> = own.filter(|it| it.starts_with("x-ms-")).collect();
    lines.extend(own.into_iter().map(|it| format!("{it}:{}", text(request.headers, it))));
    lines.push(format!("/{}{}", request.account, request.path));
    let mut pairs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(request.query.as_bytes()) {
        pairs.entry(name.to_lowercase()).or_default().push(value.into_owned());
    }
    lines.extend(pairs.into_iter().map(|(name, mut values)| {
        values.sort_unstable();
        format!("{name}:{}", values.join(","))
    }));
    lines.join("\n")
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|it| String::from_utf8_lossy(it.as_bytes()));
    values.map(|it| it.trim().to_owned()).collect::<Vec<_>>().join(",")
}

/// The refusal of a request that has no proof of any kind.
pub(in super::super::super) fn none() -> Refusal {
    let text = "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.";
    Refusal::new(Kind::Unauthenticated, text).with_code("NoAuthenticationInformation")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn put_block(headers: &HeaderMap) -> Signed<'_> {
        let (path, query) = ("/azureml/x/a%20b.txt", "comp=block&blockid=QUFB&timeout=30");
        Signed { account: "acct", method: &Method::PUT, path, query, headers }
    }

    #[test]
    fn what_the_official_client_has_signed_is_signed() {
        // Made by azure-storage-blob 12.27.1 with the published key.
        let signature = "wG/jod3jve0NXElZrAagnmXGtB2fYflLkY30XcOx2rQ=";
        let sent = headers(&[
            ("x-ms-version", "2021-08-06"),
            ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("content-length", "5"),
            ("content-type", "application/octet-stream"),
            ("if-none-match", "*"),
            ("x-ms-meta-k", "v"),
        ]);
        assert!(
            is_signed(&to_sign(&put_block(&sent)), signature),
            "{}",
            to_sign(&put_block(&sent))
        );
    }

    #[test]
    fn an_old_request_is_refused_though_it_is_signed() {
        let date = ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT");
        let signature = super::super::signed(&to_sign(&put_block(&headers(&[date]))));
        let mut sent = headers(&[date]);
        let claim = format!("SharedKey acct:{signature}");
        sent.insert(AUTHORIZATION, HeaderValue::from_str(&claim).unwrap());
        let text = check(&put_block(&sent)).unwrap_err().message;
        assert!(text.contains("too old"), "{text}");
    }
}
