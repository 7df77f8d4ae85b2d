use std::{error::Error, fmt, str::FromStr};

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is escaped in an address that was meant to be read; letters of other
/// alphabets are anyway.
const BLANK: &AsciiSet = &AsciiSet::EMPTY.add(b' ');

/// The address of a container or of a blob in it, with or without a signature.
///
/// `Debug` and `Display` leave the signature out.
///
/// Invariant: an absolute `https` or `http` URL with a container.
#[derive(Clone)]
pub struct BlobUrl {
    origin: Box<str>,
    container: Box<str>,
    /// Escaped as in the URL. Empty for the container itself.
    blob: Box<str>,
    /// The query, escaped as in the URL. Empty when there is none.
    signature: SecretString,
}

/// The text is not the URL of a container or blob. Does not repeat the text,
/// which may hold a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseBlobUrlError(&'static str);

impl BlobUrl {
    /// The container `container` of the storage account `account`, for example
    /// with the suffix `core.windows.net`.
    ///
    /// # Errors
    ///
    /// Fails when a part has characters that no URL may hold there.
    pub fn of_container(
        account: &str,
        suffix: &str,
        container: &str,
    ) -> Result<Self, ParseBlobUrlError> {
        format!("https://{account}.blob.{suffix}/{container}").parse()
    }

    /// The blob `path` below this address, which keeps its signature. The path is
    /// given plain: `a b/c` becomes `/a%20b/c`.
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        let mut blob = self.blob.trim_end_matches('/').to_owned();
        for part in path.trim_start_matches('/').split('/') {
            if !blob.is_empty() {
                blob.push('/');
            }
            blob.extend(utf8_percent_encode(part, RESERVED));
        }
        Self { blob: blob.into(), ..self.clone() }
    }

    /// The container that this blob is in, with the same signature.
    #[must_use]
    pub fn to_container(&self) -> Self {
        Self { blob: "".into(), ..self.clone() }
    }

    /// The same address with the signature `signature`, a query such as
    /// `sv=..&sig=..`, in place of the present one.
    #[must_use]
    pub fn with_signature(self, signature: SecretString) -> Self {
        let signature = match signature.expose_secret().strip_prefix('?') {
            Some(rest) => rest.into(),
            None => signature,
        };
        Self { signature, ..self }
    }

    /// Whether the URL carries its own permission.
    pub fn has_signature(&self) -> bool {
        let text = self.signature.expose_secret();
        text.split('&').any(|it| it.starts_with("sig="))
    }

    /// The whole text, signature included. Do not print it.
    pub fn to_secret_text(&self) -> SecretString {
        match self.signature.expose_secret() {
            "" => self.to_string().into(),
            signature => format!("{self}?{signature}").into(),
        }
    }

    /// Scheme and host.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The name of the container.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The name of the blob, not escaped. Empty for a container.
    pub fn name(&self) -> String {
        percent_decode_str(&self.blob).decode_utf8_lossy().into_owned()
    }

    /// `/container/blob`, escaped.
    pub(crate) fn path(&self) -> String {
        match &*self.blob {
            "" => format!("/{}", self.container),
            blob => format!("/{}/{blob}", self.container),
        }
    }

    pub(crate) fn signature(&self) -> &str {
        self.signature.expose_secret()
    }
}

impl FromStr for BlobUrl {
    type Err = ParseBlobUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Some services give addresses in which blanks and letters of other alphabets
        // stand for themselves.
        let escaped: String = utf8_percent_encode(text, BLANK).collect();
        let uri: Uri = escaped
            .parse()
            .map_err(|_| ParseBlobUrlError("has characters that no URL may hold"))?;
        let (Some(scheme @ ("https" | "http")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(ParseBlobUrlError("does not begin with https://HOST/"));
        };
        let path = uri.path().trim_start_matches('/');
        let (container, blob) = path.split_once('/').unwrap_or((path, ""));
        if container.is_empty() {
            return Err(ParseBlobUrlError("names no container"));
        }
        Ok(Self {
            origin: format!("{scheme}://{authority}").into(),
            container: container.into(),
            blob: blob.into(),
            signature: uri.query().unwrap_or_default().into(),
        })
    }
}

impl fmt::Display for BlobUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path())
    }
}

impl fmt::Debug for BlobUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobUrl({self})")
    }
}

impl fmt::Display for ParseBlobUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not the URL of a container or blob: it {}", self.0)
    }
}

impl Error for ParseBlobUrlError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_survives_the_url(name in "[^/]{1,20}(/[^/]{1,20}){0,3}") {
            let base: BlobUrl = "https://a.blob.test/box?sig=fake".parse().unwrap();
            let url: BlobUrl = base.join(&name).to_secret_text().expose_secret().parse().unwrap();
            prop_assert_eq!(url.name(), name);
        }
    }

    #[test]
    fn an_address_with_blanks_and_other_letters_is_escaped() {
        let url: BlobUrl = "https://a.blob.test/c/my file/grün.txt?sig=x%2B".parse().unwrap();
        assert_eq!(url.to_string(), "https://a.blob.test/c/my%20file/gr%C3%BCn.txt");
    }

    #[test]
    fn the_signature_is_kept_and_never_printed() {
        let url: BlobUrl = "https://a.blob.test/box/x?sv=1&sig=fake%2Bsig".parse().unwrap();
        assert!(url.has_signature());
        assert_eq!(
            format!("{url} {url:?}"),
            "https://a.blob.test/box/x BlobUrl(https://a.blob.test/box/x)"
        );
        let text = url.to_secret_text();
        assert_eq!(text.expose_secret(), "https://a.blob.test/box/x?sv=1&sig=fake%2Bsig");
    }

    #[test]
    fn an_account_may_stand_in_the_userinfo() {
        let url = BlobUrl::of_container("acct", "mock@127.0.0.1:4000", "box").unwrap();
        assert_eq!(url.origin(), "https://acct.blob.mock@127.0.0.1:4000");
        assert_eq!(url.join("a b").to_string(), "https://acct.blob.mock@127.0.0.1:4000/box/a%20b");
    }

    #[test]
    fn other_texts_are_refused_without_being_repeated() {
        for text in ["", "box/x?sig=fake", "https://a.test/?sig=fake", "ftp://a.test/box", "\u{1}"]
        {
            let err = text.parse::<BlobUrl>().unwrap_err();
            assert!(!err.to_string().contains("fake"), "{err}");
        }
    }
}
