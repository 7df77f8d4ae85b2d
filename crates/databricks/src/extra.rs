use std::fmt;

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Fields of a document that this crate has no name for.
///
/// They are kept as they came, so that a definition that is read, changed and
/// written back loses nothing, and they can be set, so that what the service
/// learns tomorrow can be used today. `Debug` shows the names only: a value may be
/// a secret.
///
/// ```
/// use azml_databricks::jobs::JobSettings;
///
/// let settings = JobSettings::new("nightly", []).with_extra("performance_target", "STANDARD")?;
/// assert_eq!(settings.extra.get::<String>("performance_target")?.as_deref(), Some("STANDARD"));
/// # Ok::<(), azml_core::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExtraFields(Map<String, Value>);

impl ExtraFields {
    pub(crate) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    pub(crate) fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the fields, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Reads a field, if it is there.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) when it has another shape than `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let read = self.0.get(name).map(T::deserialize).transpose();
        read.map_err(|err| Error::local("databricks.extra_fields.get", ErrorKind::Decode, err))
    }

    /// Sets a field, in place of one that is there.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when `value` cannot be
    /// written as JSON.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value).map_err(|err| {
            Error::local("databricks.extra_fields.insert", ErrorKind::InvalidArgument, err)
        })?;
        self.0.insert(name.into(), value);
        Ok(())
    }
}

impl fmt::Debug for ExtraFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_and_not_printed() {
        let mut extra = ExtraFields::default();
        extra.insert("docker_image", [("password", "fake-secret")]).unwrap();
        assert_eq!(format!("{extra:?}"), r#"{"docker_image"}"#);
        let read: Vec<(String, String)> = extra.get("docker_image").unwrap().unwrap();
        assert_eq!(read[0].1, "fake-secret");
        assert_eq!(extra.get::<u32>("docker_image").unwrap_err().kind(), ErrorKind::Decode);
    }
}
