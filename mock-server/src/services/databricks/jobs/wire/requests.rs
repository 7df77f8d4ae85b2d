use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    kernel::{Kind, Refusal},
    services::databricks::{
        clusters::NewCluster,
        jobs::state::spec::{ClusterChoice, CodeSpec, RunIf, Submission, TaskSpec},
        libraries::Library,
        wire::{flag, number, required, seconds},
    },
};

/// A one-time run, or the settings of a saved job.
#[derive(Deserialize)]
pub(crate) struct SubmitBody {
    /// Jobs have names, runs have run names.
    name: Option<String>,
    run_name: Option<String>,
    idempotency_token: Option<String>,
    #[serde(default, deserialize_with = "number")]
    timeout_seconds: Option<i64>,
    #[serde(default)]
    job_clusters: Vec<JobCluster>,
    #[serde(default)]
    tasks: Vec<TaskBody>,
    /// Version 2.0 has the fields of its only task here.
    #[serde(flatten)]
    single: SingleTask,
}

#[derive(Deserialize)]
struct JobCluster {
    job_cluster_key: String,
    new_cluster: Value,
}

#[derive(Deserialize)]
struct TaskBody {
    task_key: Option<String>,
    #[serde(default)]
    depends_on: Vec<Dependency>,
    #[serde(default)]
    run_if: RunIf,
    #[serde(default, deserialize_with = "number")]
    timeout_seconds: Option<i64>,
    #[serde(flatten)]
    what: SingleTask,
}

#[derive(Deserialize)]
struct Dependency {
    task_key: String,
}

#[derive(Deserialize)]
struct SingleTask {
    notebook_task: Option<NotebookTask>,
    spark_python_task: Option<SparkPythonTask>,
    spark_jar_task: Option<SparkJarTask>,
    python_wheel_task: Option<PythonWheelTask>,
    existing_cluster_id: Option<String>,
    new_cluster: Option<Value>,
    job_cluster_key: Option<String>,
    #[serde(default)]
    libraries: Vec<Library>,
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
}

#[derive(Deserialize)]
struct SparkPythonTask {
    python_file: Option<String>,
    #[serde(default)]
    parameters: Vec<String>,
}

#[derive(Deserialize)]
struct SparkJarTask {
    main_class_name: Option<String>,
    jar_uri: Option<String>,
    #[serde(default)]
    parameters: Vec<String>,
}

#[derive(Deserialize)]
struct PythonWheelTask {
    package_name: Option<String>,
    entry_point: Option<String>,
    #[serde(default)]
    named_parameters: BTreeMap<String, Value>,
    #[serde(default)]
    parameters: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct RunNowBody {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
    pub(crate) idempotency_token: Option<String>,
    #[serde(default)]
    notebook_params: BTreeMap<String, Value>,
    #[serde(default)]
    job_parameters: BTreeMap<String, Value>,
    python_params: Option<Vec<String>>,
    jar_params: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(crate) struct RunBody {
    #[serde(default, deserialize_with = "number")]
    pub(crate) run_id: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct JobBody {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct GetQuery {
    #[serde(default, deserialize_with = "number")]
    pub(crate) run_id: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct RunsQuery {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) limit: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) offset: Option<i64>,
    pub(crate) page_token: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) active_only: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) completed_only: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) expand_tasks: bool,
    pub(crate) run_type: Option<String>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) start_time_from: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) start_time_to: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct JobsQuery {
    #[serde(default, deserialize_with = "number")]
    pub(crate) limit: Option<i64>,
    pub(crate) page_token: Option<String>,
    pub(crate) name: Option<String>,
}

fn text(value: Value) -> String {
    match value {
        Value::String(it) => it,
        other => other.to_string(),
    }
}

fn texts(map: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    map.into_iter().map(|(key, value)| (key, text(value))).collect()
}

impl SubmitBody {
    /// Checks what the client wrote.
    pub(crate) fn into_submission(self, user: String) -> Result<Submission, Refusal> {
        let clusters = self.job_clusters;
        let tasks = if self.tasks.is_empty() {
            vec![self.single.into_spec("main".to_owned(), &clusters)?]
        } else {
            let specs = self.tasks.into_iter().map(|it| it.into_spec(&clusters));
            specs.collect::<Result<_, _>>()?
        };
        Ok(Submission {
            run_name: self.run_name.or(self.name).unwrap_or_else(|| "Untitled".to_owned()),
            user,
            tasks,
            idempotency_token: self.idempotency_token.filter(|it| !it.is_empty()),
            timeout: seconds(self.timeout_seconds),
            job_names: Vec::new(),
        })
    }
}

impl TaskBody {
    fn into_spec(self, clusters: &[JobCluster]) -> Result<TaskSpec, Refusal> {
        let mut spec = self.what.into_spec(required(self.task_key, "task_key")?, clusters)?;
        spec.depends_on = self.depends_on.into_iter().map(|it| it.task_key).collect();
        spec.run_if = self.run_if;
        spec.timeout = seconds(self.timeout_seconds);
        Ok(spec)
    }
}

impl SingleTask {
    fn into_spec(self, task_key: String, clusters: &[JobCluster]) -> Result<TaskSpec, Refusal> {
        if let Some(it) = self.others.keys().find(|it| it.ends_with("_task")) {
            let text = format!("azml-mock does not emulate {it}");
            return Err(Refusal::new(Kind::NotEmulated, text));
        }
        let (mut widgets, mut parameters) = (BTreeMap::new(), Vec::new());
        let mut libraries = self.libraries;
        let mut codes = Vec::new();
        if let Some(it) = self.notebook_task {
            let path = required(it.notebook_path, "notebook_task.notebook_path")?;
            if !path.starts_with('/') {
                let text = format!(
                    "Only absolute paths are currently supported. Paths must begin with '/'. Found: {path}"
                );
                return Err(Refusal::invalid(text));
            }
            widgets = texts(it.base_parameters);
            codes.push(CodeSpec::Notebook { path });
        }
        if let Some(it) = self.spark_python_task {
            let path = required(it.python_file, "spark_python_task.python_file")?;
            parameters = it.parameters;
            codes.push(CodeSpec::PythonFile { path });
        }
        if let Some(it) = self.spark_jar_task {
            let main_class = required(it.main_class_name, "spark_jar_task.main_class_name")?;
            libraries.extend(it.jar_uri.map(Library::Jar));
            parameters = it.parameters;
            codes.push(CodeSpec::Jar { main_class });
        }
        if let Some(it) = self.python_wheel_task {
            parameters = it.parameters;
            codes.push(CodeSpec::Wheel {
                package: required(it.package_name, "python_wheel_task.package_name")?,
                entry_point: required(it.entry_point, "python_wheel_task.entry_point")?,
                named_parameters: texts(it.named_parameters),
            });
        }
        let (Some(code), true) = (codes.pop(), codes.is_empty()) else {
            let text = format!(
                "Task '{task_key}' must have exactly one kind of code, for example notebook_task"
            );
            return Err(Refusal::invalid(text));
        };
        let cluster =
            cluster(self.existing_cluster_id, self.new_cluster, self.job_cluster_key, clusters)?;
        let millis = self.min_retry_interval_millis.and_then(|it| u64::try_from(it).ok());
        Ok(TaskSpec {
            widgets,
            parameters,
            libraries,
            max_retries: match self.max_retries {
                Some(it) if it < 0 => None,
                it => it.map_or(Some(0), |it| u32::try_from(it).ok()),
            },
            min_retry_interval: millis.map_or(Duration::ZERO, Duration::from_millis),
            retry_on_timeout: self.retry_on_timeout,
            ..TaskSpec::new(task_key, code, cluster)
        })
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
        Ok(ClusterChoice::New(Box::new(it.into_spec()?)))
    };
    match (existing, new, key) {
        (Some(id), None, None) => Ok(ClusterChoice::Existing(id)),
        (None, Some(it), None) => made(it),
        (None, None, Some(key)) => {
            let found = clusters.iter().find(|it| it.job_cluster_key == key);
            let missing = || Refusal::invalid(format!("job_cluster_key '{key}' is not defined"));
            made(found.ok_or_else(missing)?.new_cluster.clone())
        }
        (None, None, None) => Ok(ClusterChoice::Serverless),
        _ => Err(Refusal::invalid(
            "Only one of job_cluster_key, new_cluster and existing_cluster_id may be specified",
        )),
    }
}

impl RunNowBody {
    /// Lets the parameters of this run take the place of those of the job.
    pub(crate) fn apply(self, submission: &mut Submission) {
        submission.idempotency_token = self.idempotency_token.filter(|it| !it.is_empty());
        let (widgets, all) = (texts(self.notebook_params), texts(self.job_parameters));
        for task in &mut submission.tasks {
            match &task.code {
                CodeSpec::Notebook { .. } => {
                    task.widgets.extend(widgets.clone());
                    task.widgets.extend(all.clone());
                }
                CodeSpec::Jar { .. } => {
                    task.parameters = self.jar_params.clone().unwrap_or(task.parameters.clone());
                }
                _ => {
                    task.parameters = self.python_params.clone().unwrap_or(task.parameters.clone());
                }
            }
        }
    }
}
