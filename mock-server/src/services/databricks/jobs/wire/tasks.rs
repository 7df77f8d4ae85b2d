use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use super::requests::{ParametersBody, text, texts};
use crate::{
    kernel::Refusal,
    services::databricks::{
        clusters::NewCluster,
        jobs::state::spec::{ClusterChoice, CodeSpec, Dependency, Operator, RunIf, TaskSpec},
        libraries::Library,
        wire::{flag, number, required, seconds},
    },
};

/// What Databricks runs and the mock does not.
const OTHERS: [&str; 12] = [
    "ai_runtime_task",
    "alert_task",
    "clean_rooms_notebook_task",
    "dashboard_task",
    "dbt_cloud_task",
    "dbt_platform_task",
    "dbt_task",
    "gen_ai_compute_task",
    "pipeline_task",
    "power_bi_task",
    "python_operator_task",
    "sql_task",
];

#[derive(Deserialize)]
pub(super) struct JobCluster {
    job_cluster_key: String,
    new_cluster: Value,
}

#[derive(Deserialize)]
pub(super) struct TaskBody {
    task_key: Option<String>,
    #[serde(default)]
    depends_on: Vec<DependencyBody>,
    #[serde(default)]
    run_if: RunIf,
    #[serde(default, deserialize_with = "flag")]
    disabled: bool,
    #[serde(skip)]
    shown: Value,
    #[serde(flatten)]
    what: SingleTask,
}

#[derive(Deserialize)]
struct DependencyBody {
    task_key: String,
    outcome: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct SingleTask {
    notebook_task: Option<NotebookTask>,
    spark_python_task: Option<SparkPythonTask>,
    spark_jar_task: Option<SparkJarTask>,
    python_wheel_task: Option<PythonWheelTask>,
    spark_submit_task: Option<SparkSubmitTask>,
    condition_task: Option<ConditionTask>,
    for_each_task: Option<ForEachTask>,
    run_job_task: Option<RunJobTask>,
    existing_cluster_id: Option<String>,
    new_cluster: Option<Value>,
    job_cluster_key: Option<String>,
    #[serde(default)]
    libraries: Vec<Library>,
    #[serde(default, deserialize_with = "number")]
    timeout_seconds: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    max_retries: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    min_retry_interval_millis: Option<i64>,
    #[serde(default, deserialize_with = "flag")]
    retry_on_timeout: bool,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct NotebookTask {
    notebook_path: Option<String>,
    #[serde(default)]
    base_parameters: BTreeMap<String, Value>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct SparkPythonTask {
    python_file: Option<String>,
    #[serde(default)]
    parameters: Vec<Value>,
}

#[derive(Deserialize)]
struct SparkJarTask {
    main_class_name: Option<String>,
    jar_uri: Option<String>,
    #[serde(default)]
    parameters: Vec<Value>,
}

#[derive(Deserialize)]
struct PythonWheelTask {
    package_name: Option<String>,
    entry_point: Option<String>,
    #[serde(default)]
    named_parameters: BTreeMap<String, Value>,
    #[serde(default)]
    parameters: Vec<Value>,
}

#[derive(Deserialize)]
struct SparkSubmitTask {
    #[serde(default)]
    parameters: Vec<Value>,
}

#[derive(Deserialize)]
struct ConditionTask {
    op: Option<Operator>,
    left: Option<Value>,
    right: Option<Value>,
}

#[derive(Deserialize)]
struct ForEachTask {
    inputs: Option<Value>,
    #[serde(default, deserialize_with = "number")]
    concurrency: Option<i64>,
    task: Option<Value>,
}

#[derive(Deserialize)]
struct RunJobTask {
    #[serde(default, deserialize_with = "number")]
    job_id: Option<i64>,
    #[serde(flatten)]
    parameters: ParametersBody,
}

/// What a task is to run, taken apart.
#[derive(Default)]
struct Parts {
    codes: Vec<CodeSpec>,
    widgets: BTreeMap<String, String>,
    parameters: Vec<String>,
    libraries: Vec<Library>,
}

impl TaskBody {
    pub(super) fn read(value: Value) -> Result<Self, Refusal> {
        let it: Result<Self, _> = serde_json::from_value(value.clone());
        let it = it.map_err(|err| Refusal::malformed(err.to_string()))?;
        Ok(Self { shown: value, ..it })
    }

    pub(super) fn into_spec(self, clusters: &[JobCluster]) -> Result<TaskSpec, Refusal> {
        let key = required(self.task_key, "task_key")?;
        let is_legal = |it: char| it.is_ascii_alphanumeric() || "_-".contains(it);
        if key.is_empty() || 100 < key.len() || !key.chars().all(is_legal) {
            let text = format!(
                "Task key '{key}' must have 1 to 100 letters, digits, underscores and hyphens"
            );
            return Err(Refusal::invalid(text));
        }
        let mut spec = self.what.into_spec(key, clusters)?;
        spec.run_if = self.run_if;
        spec.is_disabled = self.disabled;
        spec.shown = self.shown;
        for it in self.depends_on {
            let outcome = match it.outcome.map(text).as_deref() {
                None => None,
                Some("true") => Some(true),
                Some("false") => Some(false),
                Some(it) => {
                    let text = format!("An outcome is 'true' or 'false', and not '{it}'");
                    return Err(Refusal::invalid(text));
                }
            };
            spec.depends_on.push(Dependency { task_key: it.task_key, outcome });
        }
        Ok(spec)
    }
}

impl SingleTask {
    /// Whether nothing is to be run.
    pub(super) fn is_nothing(&self) -> bool {
        self.notebook_task.is_none()
            && self.spark_python_task.is_none()
            && self.spark_jar_task.is_none()
            && self.python_wheel_task.is_none()
            && self.spark_submit_task.is_none()
            && !self.others.keys().any(|it| it.ends_with("_task"))
    }

    pub(super) fn into_spec(
        mut self,
        task_key: String,
        clusters: &[JobCluster],
    ) -> Result<TaskSpec, Refusal> {
        let mut parts =
            Parts { libraries: std::mem::take(&mut self.libraries), ..Parts::default() };
        self.simple(&mut parts)?;
        self.control(&mut parts, clusters)?;
        let (Some(code), true) = (parts.codes.pop(), parts.codes.is_empty()) else {
            let text = format!(
                "Task '{task_key}' must have exactly one kind of code, for example notebook_task"
            );
            return Err(Refusal::invalid(text));
        };
        let cluster =
            cluster(self.existing_cluster_id, self.new_cluster, self.job_cluster_key, clusters)?;
        let millis = self.min_retry_interval_millis.and_then(|it| u64::try_from(it).ok());
        Ok(TaskSpec {
            widgets: parts.widgets,
            parameters: parts.parameters,
            libraries: parts.libraries,
            timeout: seconds(self.timeout_seconds),
            max_retries: match self.max_retries {
                Some(it) if it < 0 => None,
                it => it.map_or(Some(0), |it| u32::try_from(it).ok()),
            },
            min_retry_interval: millis.map_or(Duration::ZERO, Duration::from_millis),
            retry_on_timeout: self.retry_on_timeout,
            ..TaskSpec::new(task_key, code, cluster)
        })
    }

    /// What is code of the user.
    fn simple(&mut self, parts: &mut Parts) -> Result<(), Refusal> {
        let list = |it: Vec<Value>| it.into_iter().map(text).collect::<Vec<_>>();
        if let Some(it) = self.notebook_task.take() {
            let path = required(it.notebook_path, "notebook_task.notebook_path")?;
            let is_elsewhere = path.starts_with("{{") || it.source.as_deref() == Some("GIT");
            if !path.starts_with('/') && !is_elsewhere {
                let text = format!(
                    "Only absolute paths are currently supported. Paths must begin with '/'. Found: {path}"
                );
                return Err(Refusal::invalid(text));
            }
            parts.widgets = texts(it.base_parameters);
            parts.codes.push(CodeSpec::Notebook { path });
        }
        if let Some(it) = self.spark_python_task.take() {
            let path = required(it.python_file, "spark_python_task.python_file")?;
            parts.parameters = list(it.parameters);
            parts.codes.push(CodeSpec::PythonFile { path });
        }
        if let Some(it) = self.spark_jar_task.take() {
            let main_class = required(it.main_class_name, "spark_jar_task.main_class_name")?;
            parts.libraries.extend(it.jar_uri.map(Library::Jar));
            parts.parameters = list(it.parameters);
            parts.codes.push(CodeSpec::Jar { main_class });
        }
        if let Some(it) = self.python_wheel_task.take() {
            parts.parameters = list(it.parameters);
            parts.codes.push(CodeSpec::Wheel {
                package: required(it.package_name, "python_wheel_task.package_name")?,
                entry_point: required(it.entry_point, "python_wheel_task.entry_point")?,
                named_parameters: texts(it.named_parameters),
            });
        }
        if let Some(it) = self.spark_submit_task.take() {
            parts.parameters = list(it.parameters);
            parts.codes.push(CodeSpec::SparkSubmit);
        }
        for (kind, body) in self.others.iter().filter(|(it, _)| OTHERS.contains(&it.as_str())) {
            let file = body.get("file").and_then(|it| it.get("path")).and_then(Value::as_str);
            parts.codes.push(match file {
                Some(path) if kind == "sql_task" => {
                    let given = body.get("parameters").cloned().unwrap_or_default();
                    parts.widgets = texts(serde_json::from_value(given).unwrap_or_default());
                    let warehouse = body.get("warehouse_id").and_then(Value::as_str);
                    CodeSpec::SqlFile {
                        path: path.to_owned(),
                        warehouse_id: required(warehouse, "sql_task.warehouse_id")?.to_owned(),
                    }
                }
                _ => CodeSpec::Other { kind: kind.clone() },
            });
        }
        Ok(())
    }

    /// What the service itself carries out.
    fn control(&mut self, parts: &mut Parts, clusters: &[JobCluster]) -> Result<(), Refusal> {
        if let Some(it) = self.condition_task.take() {
            parts.codes.push(CodeSpec::Condition {
                operator: required(it.op, "condition_task.op")?,
                left: text(required(it.left, "condition_task.left")?),
                right: text(required(it.right, "condition_task.right")?),
            });
        }
        if let Some(it) = self.for_each_task.take() {
            let task = TaskBody::read(required(it.task, "for_each_task.task")?)?;
            let task = Box::new(task.into_spec(clusters)?);
            if task.is_control() && !matches!(task.code, CodeSpec::RunJob { .. }) {
                let text = "for_each_task.task must be neither a loop nor a condition";
                return Err(Refusal::invalid(text));
            }
            let concurrency = it.concurrency.unwrap_or(1);
            if !(1..=100).contains(&concurrency) {
                let text = format!(
                    "for_each_task.concurrency must be from 1 to 100, and not {concurrency}"
                );
                return Err(Refusal::invalid(text));
            }
            parts.codes.push(CodeSpec::ForEach {
                inputs: text(required(it.inputs, "for_each_task.inputs")?),
                concurrency: usize::try_from(concurrency).unwrap_or(1),
                task,
            });
        }
        if let Some(it) = self.run_job_task.take() {
            let job_id = required(it.job_id, "run_job_task.job_id")?;
            let overrides = Box::new(it.parameters.read()?);
            parts.codes.push(CodeSpec::RunJob { job_id, overrides });
        }
        Ok(())
    }
}

fn cluster(
    existing: Option<String>,
    new: Option<Value>,
    key: Option<String>,
    clusters: &[JobCluster],
) -> Result<ClusterChoice, Refusal> {
    let made = |it: Value| {
        let it: NewCluster =
            serde_json::from_value(it).map_err(|err| Refusal::malformed(err.to_string()))?;
        it.into_spec().map(Box::new)
    };
    match (existing, new, key) {
        (Some(id), None, None) => Ok(ClusterChoice::Existing(id)),
        (None, Some(it), None) => made(it).map(ClusterChoice::New),
        (None, None, Some(key)) => {
            let found = clusters.iter().find(|it| it.job_cluster_key == key);
            let missing = || Refusal::invalid(format!("job_cluster_key '{key}' is not defined"));
            let spec = made(found.ok_or_else(missing)?.new_cluster.clone())?;
            Ok(ClusterChoice::Shared { key, spec })
        }
        (None, None, None) => Ok(ClusterChoice::Serverless),
        _ => Err(Refusal::invalid(
            "Only one of job_cluster_key, new_cluster and existing_cluster_id may be specified",
        )),
    }
}
