use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::Uuid;

use crate::RunId;

/// How to start a run. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewRun {
    /// Name for display. The server makes one up.
    pub name: Option<String>,
    /// The run that this one is a part of.
    pub parent_id: Option<RunId>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Properties: set once, never changed. Azure ML only.
    pub properties: BTreeMap<String, String>,
    /// When it began. When the server hears of it, if it is not said.
    pub started_at: Option<OffsetDateTime>,
    /// What the run is known by before the server has answered, so that it is not
    /// made twice when an answer is lost. See
    /// [`Runs::find_started`](crate::Runs::find_started).
    pub local_id: Option<Uuid>,
}

impl NewRun {
    /// A run without a name.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name for display.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Makes it a part of another run of the same experiment.
    #[must_use]
    pub fn with_parent(self, parent_id: RunId) -> Self {
        Self { parent_id: Some(parent_id), ..self }
    }

    /// Adds a tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Sets when it began.
    #[must_use]
    pub fn with_started_at(self, started_at: OffsetDateTime) -> Self {
        Self { started_at: Some(started_at), ..self }
    }

    /// Sets what it is known by before the server has answered.
    #[must_use]
    pub fn with_local_id(self, local_id: Uuid) -> Self {
        Self { local_id: Some(local_id), ..self }
    }
}
