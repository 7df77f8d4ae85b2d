use std::fmt::Display;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{Error, ErrorKind, Request, Result};

/// Everything but the characters that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Names of query parameters also keep `$`, as in `$filter`.
const RESERVED_IN_KEY: &AsciiSet = &RESERVED.remove(b'$');

/// Builds a [`Request`] part by part and escapes what needs it.
///
/// A part that cannot be written is reported by [`build`](Self::build), so that
/// calls can be chained.
#[derive(Debug)]
#[must_use]
pub struct RequestBuilder {
    operation: &'static str,
    method: Method,
    uri: String,
    has_query: bool,
    headers: HeaderMap,
    body: Bytes,
    failure: Option<Error>,
}

impl RequestBuilder {
    /// Starts a request for `operation` at `base`, which may have a path but
    /// neither a query nor a `/` at the end.
    pub fn new(operation: &'static str, method: Method, base: &str) -> Self {
        Self {
            operation,
            method,
            uri: base.to_owned(),
            has_query: false,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            failure: None,
        }
    }

    /// Appends `literal` as it is, for example `/api/2.1/clusters/get`.
    pub fn path(mut self, literal: &str) -> Self {
        self.uri.push_str(literal);
        self
    }

    /// Appends `/` and `value`, escaped. A value that is empty, `.` or `..` is
    /// refused, because the request would go to another address.
    pub fn segment(mut self, value: &str) -> Self {
        if value.is_empty() {
            self.fail("path: a part is empty; give it a value");
        }
        self.push_segment(value);
        self
    }

    /// Appends each part of `path` behind a `/`, escaped: `a/b c` gives `/a/b%20c`.
    pub fn segments(mut self, path: &str) -> Self {
        for part in path.strip_prefix('/').unwrap_or(path).split('/') {
            self.push_segment(part);
        }
        self
    }

    fn push_segment(&mut self, value: &str) {
        if matches!(value, "." | "..") {
            self.fail("path: a part is `.` or `..`; write the path without them");
        }
        self.uri.push('/');
        self.uri.extend(utf8_percent_encode(value, RESERVED));
    }

    /// Appends a parameter to the query, escaped.
    pub fn query(mut self, key: &str, value: impl Display) -> Self {
        self.begin_parameter();
        self.uri.extend(utf8_percent_encode(key, RESERVED_IN_KEY));
        self.uri.push('=');
        self.uri.extend(utf8_percent_encode(&value.to_string(), RESERVED));
        self
    }

    /// Appends a parameter if there is a value.
    pub fn query_opt(self, key: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Appends parameters that are escaped already, for example a signature.
    pub fn raw_query(mut self, parameters: &str) -> Self {
        if !parameters.is_empty() {
            self.begin_parameter();
            self.uri.push_str(parameters);
        }
        self
    }

    fn begin_parameter(&mut self) {
        self.uri.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
    }

    /// Sets a header, given in lower case.
    pub fn header(self, name: &'static str, value: &str) -> Self {
        self.put_header(name, value, false)
    }

    /// Sets a header whose value no `Debug` shows.
    pub fn secret_header(self, name: &'static str, value: &str) -> Self {
        self.put_header(name, value, true)
    }

    fn put_header(mut self, name: &'static str, value: &str, is_sensitive: bool) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(is_sensitive);
                self.headers.insert(name, value);
            }
            _ => self.fail(format!("header {name}: has characters that no header may hold")),
        }
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(text) => self.bytes("application/json", text.into()),
            Err(err) => {
                let err = Error::local(self.operation, ErrorKind::InvalidArgument, err);
                self.failure.get_or_insert(err);
                self
            }
        }
    }

    /// Sends `pairs` as the fields of a form.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let mut body = String::new();
        for (key, value) in pairs {
            if !body.is_empty() {
                body.push('&');
            }
            body.extend(utf8_percent_encode(key, RESERVED));
            body.push('=');
            body.extend(utf8_percent_encode(value, RESERVED));
        }
        self.bytes("application/x-www-form-urlencoded", body.into())
    }

    /// Sends `body` as it is.
    pub fn bytes(mut self, content_type: &str, body: Bytes) -> Self {
        self.body = body;
        self.header("content-type", content_type)
    }

    fn fail(&mut self, reason: impl Into<String>) {
        self.failure.get_or_insert_with(|| Error::invalid(self.operation, reason));
    }

    /// Finishes the request.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) for the first part that
    /// could not be written, or when the whole is no absolute URI.
    pub fn build(self) -> Result<Request> {
        if let Some(err) = self.failure {
            return Err(err);
        }
        let uri: Uri = self
            .uri
            .parse()
            .map_err(|err| Error::local(self.operation, ErrorKind::InvalidArgument, err))?;
        if uri.scheme().is_none() || uri.authority().is_none() {
            let reason = "base: is no absolute URL; it begins with https://";
            return Err(Error::invalid(self.operation, reason));
        }
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn get() -> RequestBuilder {
        RequestBuilder::new("test.get", Method::GET, "https://a.test/base")
    }

    proptest! {
        #[test]
        fn any_text_arrives_as_it_was_meant(segment in ".+", value in ".*") {
            prop_assume!(segment != "." && segment != "..");
            let request = get().segment(&segment).query("key", &value).build().unwrap();
            let path = request.uri().path().strip_prefix("/base/").unwrap();
            prop_assert_eq!(percent_decode_str(path).decode_utf8().unwrap(), segment);
            let query = request.uri().query().unwrap().strip_prefix("key=").unwrap();
            prop_assert_eq!(percent_decode_str(query).decode_utf8().unwrap(), value);
        }
    }

    #[test]
    fn a_path_keeps_its_parts() {
        let request = get()
            .segments("/a/b c/d%e")
            .query("$filter", "x eq 'y'")
            .query_opt("none", None::<u32>)
            .raw_query("sig=a%2Bb")
            .build()
            .unwrap();
        insta::assert_snapshot!(
            request.uri(),
            @"https://a.test/base/a/b%20c/d%25e?$filter=x%20eq%20%27y%27&sig=a%2Bb"
        );
    }

    #[test]
    fn a_part_that_leads_elsewhere_is_refused() {
        for request in [get().segment(""), get().segment(".."), get().segments("a/../b")] {
            assert_eq!(request.build().unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
    }

    #[test]
    fn a_form_is_escaped() {
        let request = get().form(&[("a b", "c&d"), ("e", "")]).build().unwrap();
        assert_eq!(request.body(), "a%20b=c%26d&e=");
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
    }

    #[test]
    fn a_secret_header_is_not_printed() {
        let request = get().secret_header("x-token", "fake-secret").build().unwrap();
        assert!(!format!("{request:?}").contains("fake-secret"));
        assert_eq!(request.headers()["x-token"], "fake-secret");
    }

    #[test]
    fn a_base_without_a_scheme_is_refused() {
        let err = RequestBuilder::new("test.get", Method::GET, "a.test").build().unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }
}
