use std::time::Duration;

use azml_core::Result;
use serde::Serialize;

use super::{
    EmailNotifications, GitSource, JobCluster, JobEnvironment, NotificationSettings, Task,
    WebhookNotifications,
};
use crate::{ExtraFields, clusters::NewCluster, permissions::Principal};

/// A run to start: tasks that are not saved as a job.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SubmitRun {
    /// What people call it.
    pub run_name: String,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// Clusters that its tasks share.
    pub job_clusters: Vec<JobCluster>,
    /// Environments of tasks that run where the service chooses.
    pub environments: Vec<JobEnvironment>,
    /// How long it may take, in whole seconds. `None` sets no limit.
    pub timeout: Option<Duration>,
    /// At most 64 characters. The same token gives the same run. `None` makes a
    /// new one at each submission.
    pub idempotency_token: Option<String>,
    /// Whether it waits for its turn instead of being skipped.
    pub queue: Option<bool>,
    /// Where the code of its tasks is.
    pub git_source: Option<GitSource>,
    /// Who it acts as.
    pub run_as: Option<Principal>,
    /// Who gets a mail.
    pub email_notifications: EmailNotifications,
    /// Which addresses are called.
    pub webhook_notifications: WebhookNotifications,
    /// What nobody needs to hear of.
    pub notification_settings: NotificationSettings,
    /// Whatever else the service knows of a run, for example `access_control_list`.
    pub extra: ExtraFields,
}

impl SubmitRun {
    /// A run of `tasks`.
    pub fn new(run_name: impl Into<String>, tasks: impl IntoIterator<Item = Task>) -> Self {
        Self {
            run_name: run_name.into(),
            tasks: tasks.into_iter().collect(),
            job_clusters: Vec::new(),
            environments: Vec::new(),
            timeout: None,
            idempotency_token: None,
            queue: None,
            git_source: None,
            run_as: None,
            email_notifications: EmailNotifications::default(),
            webhook_notifications: WebhookNotifications::default(),
            notification_settings: NotificationSettings::default(),
            extra: ExtraFields::default(),
        }
    }

    /// Adds a cluster that tasks share by `job_cluster_key`.
    #[must_use]
    pub fn with_job_cluster(mut self, key: impl Into<String>, new_cluster: NewCluster) -> Self {
        self.job_clusters.push(JobCluster::new(key, new_cluster));
        self
    }

    /// Adds an environment of tasks that run where the service chooses.
    #[must_use]
    pub fn with_environment(mut self, environment: JobEnvironment) -> Self {
        self.environments.push(environment);
        self
    }

    /// Ends the run after `timeout`.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Makes all submissions with this token one run.
    #[must_use]
    pub fn with_idempotency_token(self, token: impl Into<String>) -> Self {
        Self { idempotency_token: Some(token.into()), ..self }
    }

    /// Lets it wait for its turn, or skips it.
    #[must_use]
    pub fn with_queue(self, enabled: bool) -> Self {
        Self { queue: Some(enabled), ..self }
    }

    /// Says where the code of its tasks is.
    #[must_use]
    pub fn with_git_source(self, git_source: GitSource) -> Self {
        Self { git_source: Some(git_source), ..self }
    }

    /// Lets it act as somebody else.
    #[must_use]
    pub fn with_run_as(self, run_as: Principal) -> Self {
        Self { run_as: Some(run_as), ..self }
    }

    /// Sets who gets a mail.
    #[must_use]
    pub fn with_email_notifications(self, email_notifications: EmailNotifications) -> Self {
        Self { email_notifications, ..self }
    }

    /// Sets which addresses are called.
    #[must_use]
    pub fn with_webhook_notifications(self, webhook_notifications: WebhookNotifications) -> Self {
        Self { webhook_notifications, ..self }
    }

    /// Sets what nobody needs to hear of.
    #[must_use]
    pub fn with_notification_settings(self, notification_settings: NotificationSettings) -> Self {
        Self { notification_settings, ..self }
    }

    /// Sets a field that this crate has no name for.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when `value`
    /// cannot be written as JSON.
    pub fn with_extra(mut self, name: impl Into<String>, value: impl Serialize) -> Result<Self> {
        self.extra.insert(name, value)?;
        Ok(self)
    }
}
