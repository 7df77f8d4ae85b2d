use std::collections::BTreeMap;

use crate::RunStatus;

/// Which runs of an experiment to list: at first those without a parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunQuery {
    /// Tags that the runs must have.
    pub tags: BTreeMap<String, String>,
    /// Properties that the runs must have. Azure ML only.
    pub properties: BTreeMap<String, String>,
    /// How the runs must be doing.
    pub status: Option<RunStatus>,
    /// Whether runs that are part of another are listed too.
    pub has_children: bool,
    /// A further condition in the server's own language.
    pub filter: Option<String>,
    /// How many runs to ask for at once. The server's most if it is not said.
    pub page_size: Option<u32>,
}

impl RunQuery {
    /// All runs without a parent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only runs with this tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Only runs with this property. Azure ML only.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Only runs that are doing so.
    #[must_use]
    pub fn with_status(self, status: RunStatus) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Sets how many runs to ask for at once, at least 1.
    #[must_use]
    pub fn with_page_size(self, page_size: u32) -> Self {
        Self { page_size: Some(page_size.max(1)), ..self }
    }

    /// Also runs that are part of another.
    #[must_use]
    pub fn with_children(self) -> Self {
        Self { has_children: true, ..self }
    }

    /// Adds a condition in the server's own language.
    #[must_use]
    pub fn with_filter(self, filter: impl Into<String>) -> Self {
        Self { filter: Some(filter.into()), ..self }
    }
}
