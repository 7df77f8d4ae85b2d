//! Reads texts that somebody else has written.

use std::collections::BTreeMap;

use azml_core::{Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use time::OffsetDateTime;

/// The values behind `--AZUREML_*` and `--MLFLOW_*`, also after a `=`.
pub(super) fn arguments(args: impl Iterator<Item = String>) -> BTreeMap<String, String> {
    let (mut found, mut args) = (BTreeMap::new(), args.peekable());
    while let Some(argument) = args.next() {
        let Some(name) = argument.strip_prefix("--") else { continue };
        if !name.starts_with("AZUREML_") && !name.starts_with("MLFLOW_") {
            continue;
        }
        // What looks like the next name is no value.
        let is_name = |it: &String| it.starts_with("--AZUREML_") || it.starts_with("--MLFLOW_");
        if let Some((name, value)) = name.split_once('=') {
            found.insert(name.to_owned(), value.to_owned());
        } else if let Some(value) = args.next_if(|it| !is_name(it)) {
            found.insert(name.to_owned(), value);
        }
    }
    found
}

/// All values, or an error that names all that are missing.
pub(super) fn required<const N: usize>(
    operation: &'static str,
    names: [&str; N],
    value: impl Fn(&str) -> Option<String>,
) -> Result<[String; N]> {
    let values = names.map(value);
    let missing: Vec<&str> =
        names.iter().zip(&values).filter(|it| it.1.is_none()).map(|it| *it.0).collect();
    if missing.is_empty() {
        Ok(values.map(Option::unwrap_or_default))
    } else {
        Err(Error::invalid(operation, format!("environment: set {}", missing.join(", "))))
    }
}

/// The address of a service, without a slash at the end.
///
/// A password in it would be shown wherever the address is: `token` names where
/// to put it instead.
pub(super) fn base(operation: &'static str, name: &str, token: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if has_user(text) {
        let reason = format!(
            "{name}: has a user or a password in it; leave out what is before the @ and set {token}"
        );
        return Err(Error::invalid(operation, reason));
    }
    let text = text.split_once('?').map_or(text, |(base, _)| base).trim_end_matches('/');
    let secure = text.strip_prefix("azureml://").map(|rest| format!("https://{rest}"));
    let base = secure.unwrap_or_else(|| text.to_owned());
    let host = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    if host.is_some_and(|it| !it.is_empty()) {
        Ok(base)
    } else {
        let reason = format!("{name}: {text:?} is no address; it begins with https://");
        Err(Error::invalid(operation, reason))
    }
}

/// Whether there is something before the host. A password that holds a `/` or a
/// `?` itself makes a port of what is before that.
fn has_user(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let is_port = |it: &str| it.bytes().all(|it| it.is_ascii_digit());
    let ends_well = authority.rsplit_once(':').is_none_or(|(_, port)| is_port(port));
    authority.contains('@') || (!ends_well && rest.contains('@'))
}

/// An instant in seconds since 1970, with or without a fraction.
pub(super) fn instant(text: &str) -> Option<OffsetDateTime> {
    let whole = text.trim().split_once('.').map_or(text.trim(), |(whole, _)| whole);
    OffsetDateTime::from_unix_timestamp(whole.parse().ok()?).ok()
}

/// When a JWT ends, as it says itself. Nobody checks its signature here.
pub(super) fn end_of_token(token: &str) -> Option<OffsetDateTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: i64,
    }
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    OffsetDateTime::from_unix_timestamp(claims.exp).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::*;

    #[test]
    fn arguments_are_found_among_others() {
        let args = [
            "train.py",
            "--alpha",
            "0.5",
            "--AZUREML_RUN_ID",
            "r1",
            "--AZUREML_RUN_TOKEN=a=b",
            "--AZUREML_EMPTY",
            "--MLFLOW_RUN_ID",
            "r2",
            "--AZUREML_LAST",
        ];
        let found = arguments(args.map(str::to_owned).into_iter());
        let found: Vec<_> = found.iter().map(|(name, it)| (name.as_str(), it.as_str())).collect();
        let expected =
            [("AZUREML_RUN_ID", "r1"), ("AZUREML_RUN_TOKEN", "a=b"), ("MLFLOW_RUN_ID", "r2")];
        assert_eq!(found, expected);
    }

    #[test]
    fn addresses_are_read() {
        let base = |text| base("test", "X", "X_TOKEN", text).ok();
        assert_eq!(base("https://a.test/x/"), Some("https://a.test/x".to_owned()));
        assert_eq!(base("azureml://a.test/m?"), Some("https://a.test/m".to_owned()));
        for bad in ["", "databricks", "file:///x", "https://"] {
            assert_eq!(base(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_repeating_it() {
        let bad = [
            "https://user:fake-password@a.test/x",
            "https://fake-password@a.test",
            "azureml://user:fake-password@a.test:443/x?y",
            "https://user:fake/password@a.test",
            "https://user:fake?password@a.test",
            "ftp://user:fake-password@a.test",
            "user:fake-password@a.test",
        ];
        for text in bad {
            let err = base("test", "X", "X_TOKEN", text).unwrap_err();
            assert_eq!(
                err.to_string(),
                "test failed: X: has a user or a password in it; leave out what is before the @ and set X_TOKEN"
            );
        }
        for good in ["https://a.test/users/me@b.test", "https://a.test:8080/@", "http://[::1]:80/@"]
        {
            assert_eq!(base("test", "X", "X_TOKEN", good).unwrap(), good);
        }
    }

    #[test]
    fn instants_are_read() {
        assert_eq!(instant("1700000000.5"), Some(datetime!(2023-11-14 22:13:20 UTC)));
        assert_eq!(instant("soon"), None);
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(r#"{"exp":1700000000}"#));
        assert_eq!(end_of_token(&token), Some(datetime!(2023-11-14 22:13:20 UTC)));
        assert_eq!(end_of_token("opaque"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in ".{0,40}", args in prop::collection::vec(".{0,20}", 0..6)) {
            let _ = (instant(&text), end_of_token(&text), base("test", "X", "X_TOKEN", &text));
            let _ = arguments(args.into_iter());
        }

        #[test]
        fn each_pair_is_found(value in "[^-].{0,20}") {
            let args = ["--AZUREML_X".to_owned(), value.clone()];
            prop_assert_eq!(&arguments(args.into_iter())["AZUREML_X"], &value);
        }
    }
}
