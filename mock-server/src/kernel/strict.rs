//! Fields and parameters that nobody read: noted for the recorder, and refused
//! by a strict cloud.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{Extensions, request::Parts},
};
use parking_lot::Mutex;
use serde::de::{DeserializeOwned, Deserializer};

use super::{Kernel, Refusal};

/// Parameters that every service of Azure takes and that change nothing here.
const EVERYWHERE: &[&str] = &["api-version"];

/// What one request said that the mock does not know. The dispatcher leaves it
/// in the request, the extractors add to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unknown(Arc<Mutex<Vec<String>>>);

impl Unknown {
    /// The paths of the unknown fields, for example `new_cluster.colour`.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

/// Where an extractor notes what it did not use.
pub(crate) struct Notes {
    unknown: Option<Unknown>,
    is_strict: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Notes {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.extensions))
    }
}

impl Notes {
    pub(crate) fn of(extensions: &Extensions) -> Self {
        let unknown = extensions.get::<Unknown>().cloned();
        let is_strict = extensions.get::<Arc<Kernel>>().is_some_and(|it| it.settings.strict);
        Self { unknown, is_strict }
    }

    /// Reads a value and takes note of the fields that it does not use. Types
    /// with `#[serde(flatten)]` and free-form values use every field.
    pub(super) fn read<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        &self,
        source: D,
    ) -> Result<T, Refusal> {
        let mut unused = Vec::new();
        let value = serde_ignored::deserialize(source, |path| unused.push(path.to_string()))
            .map_err(|err: D::Error| Refusal::malformed(err.to_string()))?;
        self.take(unused)?;
        Ok(value)
    }

    /// Takes note of names that a service does not know.
    pub(crate) fn take(&self, mut unused: Vec<String>) -> Result<(), Refusal> {
        unused.retain(|it| !EVERYWHERE.contains(&it.as_str()));
        if unused.is_empty() {
            return Ok(());
        }
        let text = format!("azml-mock --strict does not know: {}", unused.join(", "));
        if let Some(unknown) = &self.unknown {
            unknown.0.lock().append(&mut unused);
        }
        if self.is_strict { Err(Refusal::invalid(text)) } else { Ok(()) }
    }
}
