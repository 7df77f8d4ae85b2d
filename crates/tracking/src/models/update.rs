use std::collections::BTreeMap;

/// What to change about a version of a model. What is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelUpdate {
    /// Free text.
    pub description: Option<String>,
    /// Tags to set, or to remove where there is no value.
    pub tags: BTreeMap<String, Option<String>>,
    /// Properties to add. They never change again.
    pub properties: BTreeMap<String, String>,
}

impl ModelUpdate {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the free text.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Sets a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), Some(value.into()));
        self
    }

    /// Removes a tag.
    #[must_use]
    pub fn without_tag(mut self, key: impl Into<String>) -> Self {
        self.tags.insert(key.into(), None);
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }
}
