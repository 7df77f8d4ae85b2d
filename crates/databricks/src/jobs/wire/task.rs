use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    ExtraFields,
    clusters::{ClusterId, NewCluster, wire::ClusterSpec},
    jobs::{
        Dependency, EmailNotifications, ForEachTask, MaxRetries, NotificationSettings, OtherTask,
        RunIf, Task, TaskCode, TaskCompute, TaskKey, WebhookNotifications,
    },
    libraries::wire::WireLibrary,
    wire::{Integer, whole_seconds},
};

#[derive(Serialize, Deserialize)]
pub(in super::super) struct WireTask {
    #[serde(default)]
    task_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    existing_cluster_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new_cluster: Option<ClusterSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job_cluster_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment_key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    libraries: Vec<WireLibrary>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<WireDependency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run_if: Option<RunIf>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout_seconds: Option<Integer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_retries: Option<Integer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_retry_interval_millis: Option<Integer>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    retry_on_timeout: bool,
    #[serde(default, skip_serializing_if = "EmailNotifications::is_empty")]
    email_notifications: EmailNotifications,
    #[serde(default, skip_serializing_if = "WebhookNotifications::is_empty")]
    webhook_notifications: WebhookNotifications,
    #[serde(default, skip_serializing_if = "NotificationSettings::is_empty")]
    notification_settings: NotificationSettings,
    /// What it runs, and what has no name here.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireDependency {
    task_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct WireForEach {
    inputs: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    concurrency: Option<Integer>,
    task: WireTask,
}

impl WireTask {
    /// Writes a task down that has been checked.
    pub(super) fn new(operation: &'static str, task: &Task) -> Result<Self> {
        let (kind, body) = write_code(operation, &task.code)?;
        let mut rest = task.extra.fields().clone();
        rest.insert(kind, body);
        let mut wire = Self {
            task_key: task.task_key.as_str().to_owned(),
            description: task.description.clone(),
            existing_cluster_id: None,
            new_cluster: None,
            job_cluster_key: None,
            environment_key: None,
            libraries: task.libraries.iter().map(Into::into).collect(),
            depends_on: task.depends_on.iter().map(Into::into).collect(),
            run_if: task.run_if.clone(),
            disabled: task.is_disabled,
            timeout_seconds: task.timeout.map(whole_seconds),
            max_retries: match task.max_retries {
                MaxRetries::Times(0) => None,
                MaxRetries::Times(times) => Some(times.into()),
                MaxRetries::Unlimited => Some(Integer(-1)),
            },
            min_retry_interval_millis: task
                .min_retry_interval
                .map(|it| Integer(i64::try_from(it.as_millis()).unwrap_or(i64::MAX))),
            retry_on_timeout: task.retry_on_timeout,
            email_notifications: task.email_notifications.clone(),
            webhook_notifications: task.webhook_notifications.clone(),
            notification_settings: task.notification_settings.clone(),
            rest,
        };
        match &task.compute {
            TaskCompute::Serverless => (),
            TaskCompute::Environment(key) => wire.environment_key = Some(key.clone()),
            TaskCompute::New(new) => wire.new_cluster = Some(ClusterSpec::new(operation, new)?),
            TaskCompute::JobCluster(key) => wire.job_cluster_key = Some(key.clone()),
            TaskCompute::Existing(id) => {
                wire.existing_cluster_id = Some(id.as_str().to_owned());
            }
        }
        Ok(wire)
    }

    pub(super) fn into_domain(mut self, operation: &'static str) -> Result<Task> {
        let code = take_code(operation, &mut self.rest)?.ok_or_else(|| {
            let reason = format!("task {} runs nothing", self.task_key);
            Error::explained(operation, ErrorKind::Decode, reason)
        })?;
        let libraries = self.libraries.into_iter().map(|it| it.into_domain(operation));
        let compute = match (self.existing_cluster_id, self.new_cluster) {
            (Some(id), _) => TaskCompute::Existing(ClusterId::from(id)),
            (None, Some(new)) => TaskCompute::New(Box::new(NewCluster::from(new))),
            (None, None) => match (self.job_cluster_key, self.environment_key) {
                (Some(key), _) => TaskCompute::JobCluster(key),
                (None, Some(key)) => TaskCompute::Environment(key),
                (None, None) => TaskCompute::Serverless,
            },
        };
        Ok(Task {
            task_key: TaskKey::new(self.task_key),
            description: self.description,
            code,
            compute,
            libraries: libraries.collect::<Result<_>>()?,
            depends_on: self.depends_on.into_iter().map(Into::into).collect(),
            run_if: self.run_if,
            is_disabled: self.disabled,
            timeout: self.timeout_seconds.and_then(Integer::seconds),
            max_retries: match self.max_retries {
                Some(Integer(times)) if times < 0 => MaxRetries::Unlimited,
                times => MaxRetries::Times(times.and_then(Integer::count).unwrap_or_default()),
            },
            min_retry_interval: self.min_retry_interval_millis.map(Integer::millis),
            retry_on_timeout: self.retry_on_timeout,
            email_notifications: self.email_notifications,
            webhook_notifications: self.webhook_notifications,
            notification_settings: self.notification_settings,
            extra: ExtraFields::new(self.rest),
        })
    }
}

impl From<&Dependency> for WireDependency {
    fn from(it: &Dependency) -> Self {
        Self {
            task_key: it.task_key.as_str().to_owned(),
            outcome: it.outcome.map(|it| it.to_string()),
        }
    }
}

impl From<WireDependency> for Dependency {
    fn from(it: WireDependency) -> Self {
        Self { task_key: TaskKey::new(it.task_key), outcome: it.outcome.as_deref().and_then(truth) }
    }
}

pub(super) fn truth(word: &str) -> Option<bool> {
    match word {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn write_code(operation: &'static str, code: &TaskCode) -> Result<(String, Value)> {
    let (kind, body) = match code {
        TaskCode::Notebook(it) => ("notebook_task", serde_json::to_value(it)),
        TaskCode::SparkPython(it) => ("spark_python_task", serde_json::to_value(it)),
        TaskCode::SparkJar(it) => ("spark_jar_task", serde_json::to_value(it)),
        TaskCode::PythonWheel(it) => ("python_wheel_task", serde_json::to_value(it)),
        TaskCode::SparkSubmit(it) => ("spark_submit_task", serde_json::to_value(it)),
        TaskCode::Sql(it) => ("sql_task", serde_json::to_value(it)),
        TaskCode::Condition(it) => ("condition_task", serde_json::to_value(it)),
        TaskCode::RunJob(it) => ("run_job_task", serde_json::to_value(it)),
        TaskCode::Pipeline(it) => ("pipeline_task", serde_json::to_value(it)),
        TaskCode::ForEach(it) => {
            let task = WireTask::new(operation, &it.task)?;
            let concurrency = it.concurrency.map(Into::into);
            let wire = WireForEach { inputs: it.inputs.clone(), concurrency, task };
            ("for_each_task", serde_json::to_value(wire))
        }
        TaskCode::Other(it) => return Ok((it.kind.clone(), it.body.clone())),
    };
    let body = body.map_err(|err| Error::local(operation, ErrorKind::InvalidArgument, err))?;
    Ok((kind.to_owned(), body))
}

/// Takes what is run out of the fields of a task. What does not have the known
/// shape stays as it is.
pub(super) fn take_code(
    operation: &'static str,
    fields: &mut Map<String, Value>,
) -> Result<Option<TaskCode>> {
    let Some(kind) = fields.keys().find(|it| it.ends_with("_task")).cloned() else {
        return Ok(None);
    };
    let body = fields.remove(&kind).unwrap_or_default();
    let known = match kind.as_str() {
        "notebook_task" => read(&body).map(TaskCode::Notebook),
        "spark_python_task" => read(&body).map(TaskCode::SparkPython),
        "spark_jar_task" => read(&body).map(TaskCode::SparkJar),
        "python_wheel_task" => read(&body).map(TaskCode::PythonWheel),
        "spark_submit_task" => read(&body).map(TaskCode::SparkSubmit),
        "sql_task" => read(&body).map(TaskCode::Sql),
        "condition_task" => read(&body).map(TaskCode::Condition),
        "run_job_task" => read(&body).map(TaskCode::RunJob),
        "pipeline_task" => read(&body).map(TaskCode::Pipeline),
        "for_each_task" => match read::<WireForEach>(&body) {
            Some(it) => Some(TaskCode::ForEach(ForEachTask {
                inputs: it.inputs,
                concurrency: it.concurrency.and_then(Integer::count),
                task: Box::new(it.task.into_domain(operation)?),
            })),
            None => None,
        },
        _ => None,
    };
    Ok(Some(known.unwrap_or(TaskCode::Other(OtherTask { kind, body }))))
}

fn read<T: DeserializeOwned>(body: &Value) -> Option<T> {
    T::deserialize(body).ok()
}
