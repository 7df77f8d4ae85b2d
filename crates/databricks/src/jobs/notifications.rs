//! Who hears of a run. Each type is written exactly as it is declared here.

use serde::{Deserialize, Serialize};

use crate::ExtraFields;

/// Who gets a mail, by address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EmailNotifications {
    /// When it starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_start: Vec<String>,
    /// When it has succeeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_success: Vec<String>,
    /// When it has failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<String>,
    /// When it takes longer than its health rules say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_duration_warning_threshold_exceeded: Vec<String>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl EmailNotifications {
    /// Whether nobody gets a mail.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Tells `address` when it starts.
    #[must_use]
    pub fn with_on_start(mut self, address: impl Into<String>) -> Self {
        self.on_start.push(address.into());
        self
    }

    /// Tells `address` when it has succeeded.
    #[must_use]
    pub fn with_on_success(mut self, address: impl Into<String>) -> Self {
        self.on_success.push(address.into());
        self
    }

    /// Tells `address` when it has failed.
    #[must_use]
    pub fn with_on_failure(mut self, address: impl Into<String>) -> Self {
        self.on_failure.push(address.into());
        self
    }
}

/// Which notification destinations are called: at most three for each event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WebhookNotifications {
    /// When it starts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_start: Vec<Webhook>,
    /// When it has succeeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_success: Vec<Webhook>,
    /// When it has failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_failure: Vec<Webhook>,
    /// When it takes longer than its health rules say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_duration_warning_threshold_exceeded: Vec<Webhook>,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

/// A notification destination of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: String,
}

impl WebhookNotifications {
    /// Whether none is called.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Calls the destination `id` when it starts.
    #[must_use]
    pub fn with_on_start(mut self, id: impl Into<String>) -> Self {
        self.on_start.push(Webhook { id: id.into() });
        self
    }

    /// Calls the destination `id` when it has succeeded.
    #[must_use]
    pub fn with_on_success(mut self, id: impl Into<String>) -> Self {
        self.on_success.push(Webhook { id: id.into() });
        self
    }

    /// Calls the destination `id` when it has failed.
    #[must_use]
    pub fn with_on_failure(mut self, id: impl Into<String>) -> Self {
        self.on_failure.push(Webhook { id: id.into() });
        self
    }

    pub(super) fn longest(&self) -> usize {
        let them = [
            &self.on_start,
            &self.on_success,
            &self.on_failure,
            &self.on_duration_warning_threshold_exceeded,
        ];
        them.map(Vec::len).into_iter().max().unwrap_or_default()
    }
}

/// What nobody needs to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NotificationSettings {
    /// Runs that were skipped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_alert_for_skipped_runs: bool,
    /// Runs that were canceled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_alert_for_canceled_runs: bool,
    /// Failures of a task that is tried again, and starts of further attempts.
    /// For tasks only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alert_on_last_attempt: bool,
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl NotificationSettings {
    /// Whether everything is told.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Is silent about runs that were skipped.
    #[must_use]
    pub fn without_skipped_runs(self) -> Self {
        Self { no_alert_for_skipped_runs: true, ..self }
    }

    /// Is silent about runs that were canceled.
    #[must_use]
    pub fn without_canceled_runs(self) -> Self {
        Self { no_alert_for_canceled_runs: true, ..self }
    }

    /// Is silent about attempts that are not the last one. For tasks only.
    #[must_use]
    pub fn on_last_attempt(self) -> Self {
        Self { alert_on_last_attempt: true, ..self }
    }
}
