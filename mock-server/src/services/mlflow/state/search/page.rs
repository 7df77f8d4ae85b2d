//! Pages of a listing, and the tokens that lead from one to the next.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::kernel::Refusal;

/// Where a page begins and how long it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::services::mlflow) struct Page {
    pub(in crate::services::mlflow) offset: usize,
    pub(in crate::services::mlflow) size: usize,
}

impl Page {
    pub(in crate::services::mlflow) fn new(
        token: Option<&str>,
        size: usize,
    ) -> Result<Self, Refusal> {
        Ok(Self { offset: offset(token)?, size })
    }

    /// One beyond the last item of the page.
    pub(in crate::services::mlflow) fn end(self) -> usize {
        self.offset.saturating_add(self.size)
    }

    /// The token of the next page of a listing of `count` items.
    pub(in crate::services::mlflow) fn next(self, count: usize) -> Option<String> {
        (self.end() < count).then(|| token(self.end()))
    }
}

fn token(offset: usize) -> String {
    BASE64.encode(json!({ "offset": offset }).to_string())
}

fn offset(token: Option<&str>) -> Result<usize, Refusal> {
    let Some(token) = token.filter(|it| !it.is_empty()) else { return Ok(0) };
    let bytes = BASE64
        .decode(token)
        .map_err(|_| Refusal::invalid("Invalid page token, could not base64-decode"))?;
    let decoded: Value = serde_json::from_slice(&bytes).map_err(|_| {
        let shown = String::from_utf8_lossy(&bytes);
        Refusal::invalid(format!("Invalid page token, decoded value={shown}"))
    })?;
    let offset = decoded.get("offset").and_then(Value::as_u64);
    let offset = offset.and_then(|it| usize::try_from(it).ok());
    offset.ok_or_else(|| Refusal::invalid(format!("Invalid page token, parsed value={decoded}")))
}
