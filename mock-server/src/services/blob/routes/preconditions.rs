use axum::http::HeaderMap;

use super::super::state::Blob;
use crate::kernel::{Kind, Refusal};

/// What a client wants to be true of a blob before anything happens to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Preconditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

/// What follows from the conditions of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Read {
    Whole,
    NotModified,
}

impl Preconditions {
    pub(in super::super) fn of(headers: &HeaderMap) -> Self {
        let text =
            |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
        Self { if_match: text("if-match"), if_none_match: text("if-none-match") }
    }

    /// Whether the blob must not exist.
    pub(in super::super) fn wants_new(&self) -> bool {
        self.if_none_match.as_deref() == Some("*")
    }

    /// Checks what a write wants of the blob that is there.
    pub(in super::super) fn check_write(&self, blob: Option<&Blob>) -> Result<(), Refusal> {
        if self.wants_new() && blob.is_some() {
            let text = "The specified blob already exists.";
            return Err(Refusal::new(Kind::AlreadyExists, text).with_code("BlobAlreadyExists"));
        }
        let names = |tags: &str| blob.is_some_and(|it| has(tags, &it.etag));
        let fits = self.if_match.as_deref().is_none_or(names)
            && !self.if_none_match.as_deref().is_some_and(names);
        if fits { Ok(()) } else { Err(not_met()) }
    }

    /// Checks what a read wants of the blob.
    pub(in super::super) fn check_read(&self, blob: &Blob) -> Result<Read, Refusal> {
        if self.if_match.as_ref().is_some_and(|it| !has(it, &blob.etag)) {
            return Err(not_met());
        }
        let known = self.if_none_match.as_ref().is_some_and(|it| has(it, &blob.etag));
        Ok(if known { Read::NotModified } else { Read::Whole })
    }
}

/// Whether `tags`, a list of marks or a star, names `etag`. Quotes may be missing.
fn has(tags: &str, etag: &str) -> bool {
    let bare = |it: &str| it.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    tags.split(',').any(|it| it.trim() == "*" || bare(it) == bare(etag))
}

fn not_met() -> Refusal {
    let text = "The condition specified using HTTP conditional header(s) is not met.";
    Refusal::new(Kind::PreconditionFailed, text).with_code("ConditionNotMet")
}
