use std::collections::BTreeMap;

use azml_core::Result;
use serde::{Deserialize, Serialize};

use super::{Queue, task::WireTask};
use crate::{
    ExtraFields,
    clusters::wire::ClusterSpec,
    jobs::{
        Continuous, CronSchedule, EmailNotifications, GitSource, Job, JobCluster, JobEnvironment,
        JobId, JobParameter, JobSettings, NotificationSettings, SubmitRun, WebhookNotifications,
    },
    permissions::Principal,
    wire::{Integer, Millis, whole_seconds},
};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(in super::super) struct WireSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tasks: Vec<WireTask>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    job_clusters: Vec<WireJobCluster>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    environments: Vec<JobEnvironment>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<JobParameter>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_concurrent_runs: Option<Integer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Queue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<CronSchedule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuous: Option<Continuous>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_source: Option<GitSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_as: Option<Principal>,
    #[serde(skip_serializing_if = "EmailNotifications::is_empty")]
    email_notifications: EmailNotifications,
    #[serde(skip_serializing_if = "WebhookNotifications::is_empty")]
    webhook_notifications: WebhookNotifications,
    #[serde(skip_serializing_if = "NotificationSettings::is_empty")]
    notification_settings: NotificationSettings,
    #[serde(flatten)]
    extra: ExtraFields,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireJobCluster {
    job_cluster_key: String,
    #[serde(default)]
    new_cluster: ClusterSpec,
}

impl WireJobCluster {
    fn new(operation: &'static str, it: &JobCluster) -> Result<Self> {
        let new_cluster = ClusterSpec::new(operation, &it.new_cluster)?;
        Ok(Self { job_cluster_key: it.job_cluster_key.clone(), new_cluster })
    }
}

impl WireSettings {
    /// Writes settings down that have been checked.
    pub(in super::super) fn new(operation: &'static str, it: &JobSettings) -> Result<Self> {
        let tasks = it.tasks.iter().map(|it| WireTask::new(operation, it));
        let clusters = it.job_clusters.iter().map(|it| WireJobCluster::new(operation, it));
        Ok(Self {
            name: it.name.clone(),
            description: it.description.clone(),
            tasks: tasks.collect::<Result<_>>()?,
            job_clusters: clusters.collect::<Result<_>>()?,
            environments: it.environments.clone(),
            parameters: it.parameters.clone(),
            tags: it.tags.clone(),
            timeout_seconds: it.timeout.map(whole_seconds),
            max_concurrent_runs: it.max_concurrent_runs.map(Into::into),
            queue: it.queue.map(|enabled| Queue { enabled }),
            schedule: it.schedule.clone(),
            continuous: it.continuous.clone(),
            git_source: it.git_source.clone(),
            run_as: it.run_as.clone(),
            email_notifications: it.email_notifications.clone(),
            webhook_notifications: it.webhook_notifications.clone(),
            notification_settings: it.notification_settings.clone(),
            extra: it.extra.clone(),
        })
    }

    fn into_domain(self, operation: &'static str) -> Result<JobSettings> {
        let tasks = self.tasks.into_iter().map(|it| it.into_domain(operation));
        let cluster = |it: WireJobCluster| JobCluster {
            job_cluster_key: it.job_cluster_key,
            new_cluster: it.new_cluster.into(),
        };
        Ok(JobSettings {
            name: self.name,
            description: self.description,
            tasks: tasks.collect::<Result<_>>()?,
            job_clusters: self.job_clusters.into_iter().map(cluster).collect(),
            environments: self.environments,
            parameters: self.parameters,
            tags: self.tags,
            timeout: self.timeout_seconds.and_then(Integer::seconds),
            max_concurrent_runs: self.max_concurrent_runs.and_then(Integer::count),
            queue: self.queue.map(|it| it.enabled),
            schedule: self.schedule,
            continuous: self.continuous,
            git_source: self.git_source,
            run_as: self.run_as,
            email_notifications: self.email_notifications,
            webhook_notifications: self.webhook_notifications,
            notification_settings: self.notification_settings,
            extra: self.extra,
        })
    }
}

#[derive(Serialize)]
pub(in super::super) struct SubmitBody<'a> {
    run_name: &'a str,
    tasks: Vec<WireTask>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    job_clusters: Vec<WireJobCluster>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    environments: &'a [JobEnvironment],
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<Integer>,
    idempotency_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Queue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_source: Option<&'a GitSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_as: Option<&'a Principal>,
    #[serde(skip_serializing_if = "EmailNotifications::is_empty")]
    email_notifications: &'a EmailNotifications,
    #[serde(skip_serializing_if = "WebhookNotifications::is_empty")]
    webhook_notifications: &'a WebhookNotifications,
    #[serde(skip_serializing_if = "NotificationSettings::is_empty")]
    notification_settings: &'a NotificationSettings,
    #[serde(flatten)]
    extra: &'a ExtraFields,
}

impl<'a> SubmitBody<'a> {
    /// Writes a run down that has been checked.
    pub(in super::super) fn new(
        operation: &'static str,
        it: &'a SubmitRun,
        idempotency_token: &'a str,
    ) -> Result<Self> {
        let tasks = it.tasks.iter().map(|it| WireTask::new(operation, it));
        let clusters = it.job_clusters.iter().map(|it| WireJobCluster::new(operation, it));
        Ok(Self {
            run_name: &it.run_name,
            tasks: tasks.collect::<Result<_>>()?,
            job_clusters: clusters.collect::<Result<_>>()?,
            environments: &it.environments,
            timeout_seconds: it.timeout.map(whole_seconds),
            idempotency_token,
            queue: it.queue.map(|enabled| Queue { enabled }),
            git_source: it.git_source.as_ref(),
            run_as: it.run_as.as_ref(),
            email_notifications: &it.email_notifications,
            webhook_notifications: &it.webhook_notifications,
            notification_settings: &it.notification_settings,
            extra: &it.extra,
        })
    }
}

#[derive(Deserialize)]
pub(in super::super) struct WireJob {
    job_id: Integer,
    #[serde(default)]
    creator_user_name: String,
    #[serde(default)]
    run_as_user_name: String,
    #[serde(default)]
    created_time: Millis,
    #[serde(default)]
    settings: WireSettings,
    #[serde(default)]
    has_more: bool,
    #[serde(default)]
    pub(in super::super) next_page_token: String,
}

#[derive(Deserialize)]
pub(in super::super) struct ListJobsResponse {
    #[serde(default)]
    pub(in super::super) jobs: Vec<WireJob>,
    #[serde(default)]
    pub(in super::super) next_page_token: String,
}

impl WireJob {
    pub(in super::super) fn into_domain(self, operation: &'static str) -> Result<Job> {
        Ok(Job {
            job_id: JobId::new(self.job_id.0),
            creator_user_name: self.creator_user_name,
            run_as_user_name: self.run_as_user_name,
            created_at: self.created_time.instant(),
            settings: self.settings.into_domain(operation)?,
            has_more: self.has_more,
        })
    }
}

#[cfg(test)]
mod tests {
    use azml_fixtures::load;

    use super::*;

    /// Documents as the official SDK writes them: what is read and written back is
    /// the same, field by field.
    #[test]
    fn a_definition_that_is_read_and_written_back_loses_nothing() {
        for name in [
            "create",
            "create-continuous",
            "create-triggered",
            "reset",
            "runs-submit",
            "runs-submit-condition",
            "runs-submit-dbt",
            "runs-submit-for-each",
            "runs-submit-notebook",
            "runs-submit-options",
            "runs-submit-pipeline",
            "runs-submit-python-wheel",
            "runs-submit-run-job",
            "runs-submit-serverless",
            "runs-submit-spark-jar",
            "runs-submit-spark-python",
            "runs-submit-spark-submit",
            "runs-submit-sql-alert",
            "runs-submit-sql-dashboard",
            "runs-submit-sql-file",
            "runs-submit-sql-query",
        ] {
            let body = load(&format!("databricks/jobs/{name}")).request.body.unwrap();
            let document = body.get("new_settings").unwrap_or(&body);
            let settings = WireSettings::deserialize(document).unwrap().into_domain("op").unwrap();
            let written = WireSettings::new("op", &settings).unwrap();
            assert_eq!(serde_json::to_value(written).unwrap(), *document, "{name}");
        }
    }
}
