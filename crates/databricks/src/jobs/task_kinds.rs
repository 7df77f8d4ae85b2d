//! The kinds of tasks. Each is written exactly as it is declared here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{JobId, RunParameters, Task, TaskCode};

word_enum! {
    /// Where code is taken from.
    CodeSource {
        /// The workspace.
        Workspace = "WORKSPACE",
        /// The [`GitSource`](super::GitSource) of the job.
        Git = "GIT",
    }
}

/// A notebook of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotebookTask {
    /// Its absolute path, without an extension; relative, if it is in Git.
    pub notebook_path: String,
    /// Values of its widgets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub base_parameters: BTreeMap<String, String>,
    /// Where it is. `None` is Git if the job has a Git source, else the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CodeSource>,
    /// The warehouse that a notebook of SQL alone runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse_id: Option<String>,
}

impl NotebookTask {
    /// The notebook at `notebook_path`.
    pub fn new(notebook_path: impl Into<String>) -> Self {
        Self {
            notebook_path: notebook_path.into(),
            base_parameters: BTreeMap::new(),
            source: None,
            warehouse_id: None,
        }
    }

    /// Gives a widget a value.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.base_parameters.insert(name.into(), value.into());
        self
    }

    /// Says where it is.
    #[must_use]
    pub fn with_source(self, source: CodeSource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Runs it on a warehouse.
    #[must_use]
    pub fn with_warehouse_id(self, warehouse_id: impl Into<String>) -> Self {
        Self { warehouse_id: Some(warehouse_id.into()), ..self }
    }
}

/// A Python script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SparkPythonTask {
    /// Where it is, for example `dbfs:/scripts/train.py`.
    pub python_file: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// Where it is, if the path does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CodeSource>,
}

impl SparkPythonTask {
    /// The script at `python_file`.
    pub fn new(python_file: impl Into<String>) -> Self {
        Self { python_file: python_file.into(), parameters: Vec::new(), source: None }
    }

    /// Sets its arguments.
    #[must_use]
    pub fn with_parameters(self, parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect(), ..self }
    }

    /// Says where it is.
    #[must_use]
    pub fn with_source(self, source: CodeSource) -> Self {
        Self { source: Some(source), ..self }
    }
}

/// A class in a JAR, which is one of the libraries of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SparkJarTask {
    /// The full name of the class with `main`.
    pub main_class_name: String,
    /// Its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
}

impl SparkJarTask {
    /// The class `main_class_name`.
    pub fn new(main_class_name: impl Into<String>) -> Self {
        Self { main_class_name: main_class_name.into(), parameters: Vec::new() }
    }

    /// Sets its arguments.
    #[must_use]
    pub fn with_parameters(self, parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect(), ..self }
    }
}

/// An entry point of a Python wheel, which is one of the libraries of the task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PythonWheelTask {
    /// The name of the package.
    pub package_name: String,
    /// The name of the entry point.
    pub entry_point: String,
    /// Its arguments. Not together with `named_parameters`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// Its arguments as `--name=value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub named_parameters: BTreeMap<String, String>,
}

impl PythonWheelTask {
    /// The entry point `entry_point` of `package_name`.
    pub fn new(package_name: impl Into<String>, entry_point: impl Into<String>) -> Self {
        Self {
            package_name: package_name.into(),
            entry_point: entry_point.into(),
            parameters: Vec::new(),
            named_parameters: BTreeMap::new(),
        }
    }

    /// Sets its arguments.
    #[must_use]
    pub fn with_parameters(self, parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect(), ..self }
    }

    /// Adds an argument `--name=value`.
    #[must_use]
    pub fn with_named_parameter(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.named_parameters.insert(name.into(), value.into());
        self
    }
}

/// The arguments of `spark-submit`. Runs on a new cluster only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SparkSubmitTask {
    /// For example `--class`, `com.example.Main`, `dbfs:/jars/a.jar`, `10`.
    #[serde(default)]
    pub parameters: Vec<String>,
}

impl SparkSubmitTask {
    /// The arguments `parameters`.
    pub fn new(parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { parameters: parameters.into_iter().map(Into::into).collect() }
    }
}

/// SQL on a warehouse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SqlTask {
    /// The warehouse.
    pub warehouse_id: String,
    /// The SQL.
    #[serde(flatten)]
    pub code: SqlCode,
    /// Values of its parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

/// Which SQL a task runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SqlCode {
    /// A file of statements.
    File {
        /// Where it is, for example `/Shared/load.sql`.
        path: String,
        /// Where it is taken from. `None` is the workspace.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<CodeSource>,
    },
    /// A saved query.
    Query {
        /// Its id.
        query_id: String,
    },
    /// The check of an alert.
    Alert {
        /// Its id.
        alert_id: String,
    },
    /// The refresh of a dashboard.
    Dashboard {
        /// Its id.
        dashboard_id: String,
    },
}

impl SqlTask {
    /// The file at `path`, on a warehouse.
    pub fn file(warehouse_id: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(warehouse_id, SqlCode::File { path: path.into(), source: None })
    }

    /// The saved query `query_id`, on a warehouse.
    pub fn query(warehouse_id: impl Into<String>, query_id: impl Into<String>) -> Self {
        Self::new(warehouse_id, SqlCode::Query { query_id: query_id.into() })
    }

    /// Any SQL, on a warehouse.
    pub fn new(warehouse_id: impl Into<String>, code: SqlCode) -> Self {
        Self { warehouse_id: warehouse_id.into(), code, parameters: BTreeMap::new() }
    }

    /// Gives a parameter a value.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }
}

word_enum! {
    /// How two values are compared. The order is that of numbers, where both are.
    Comparison {
        /// They are equal.
        EqualTo = "EQUAL_TO",
        /// They differ.
        NotEqual = "NOT_EQUAL",
        /// The left one is greater.
        GreaterThan = "GREATER_THAN",
        /// The left one is not smaller.
        GreaterThanOrEqual = "GREATER_THAN_OR_EQUAL",
        /// The left one is smaller.
        LessThan = "LESS_THAN",
        /// The left one is not greater.
        LessThanOrEqual = "LESS_THAN_OR_EQUAL",
    }
}

/// A comparison, on whose outcome other tasks depend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ConditionTask {
    /// How the values are compared.
    pub op: Comparison,
    /// A value or a reference, for example `{{job.parameters.size}}`.
    pub left: String,
    /// A value or a reference.
    pub right: String,
}

impl ConditionTask {
    /// Compares `left` with `right`.
    pub fn new(left: impl Into<String>, op: Comparison, right: impl Into<String>) -> Self {
        Self { op, left: left.into(), right: right.into() }
    }
}

/// A task that runs once for each input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ForEachTask {
    /// A JSON array, or a reference to one. The task sees each as `{{input}}`.
    pub inputs: String,
    /// How many run at the same time: 1 to 100. `None` is 1.
    pub concurrency: Option<u32>,
    /// What runs for each of them.
    pub task: Box<Task>,
}

impl ForEachTask {
    /// Runs `task` for each element of `inputs`, a JSON array or a reference to one.
    pub fn new(inputs: impl Into<String>, task: Task) -> Self {
        Self { inputs: inputs.into(), concurrency: None, task: Box::new(task) }
    }

    /// Sets how many run at the same time.
    #[must_use]
    pub fn with_concurrency(self, concurrency: u32) -> Self {
        Self { concurrency: Some(concurrency), ..self }
    }
}

/// Another job, which runs as a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunJobTask {
    /// The job.
    pub job_id: JobId,
    /// What it is given.
    #[serde(flatten)]
    pub parameters: RunParameters,
}

impl RunJobTask {
    /// The job `job_id`.
    pub fn new(job_id: JobId) -> Self {
        Self { job_id, parameters: RunParameters::default() }
    }

    /// Sets what it is given.
    #[must_use]
    pub fn with_parameters(self, parameters: RunParameters) -> Self {
        Self { parameters, ..self }
    }
}

/// An update of a pipeline of tables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PipelineTask {
    /// The pipeline.
    pub pipeline_id: String,
    /// Whether all tables are made anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full_refresh: bool,
    /// The tables to bring up to date. Empty stands for all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refresh_selection: BTreeSet<String>,
    /// The tables to make anew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub full_refresh_selection: BTreeSet<String>,
}

impl PipelineTask {
    /// The pipeline `pipeline_id`.
    pub fn new(pipeline_id: impl Into<String>) -> Self {
        Self {
            pipeline_id: pipeline_id.into(),
            full_refresh: false,
            refresh_selection: BTreeSet::new(),
            full_refresh_selection: BTreeSet::new(),
        }
    }

    /// Makes all tables anew.
    #[must_use]
    pub fn with_full_refresh(self, full_refresh: bool) -> Self {
        Self { full_refresh, ..self }
    }
}

/// A task of a kind that this version of the crate does not know. It is written as
/// it was read. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherTask {
    pub(super) kind: String,
    pub(super) body: Value,
}

impl OtherTask {
    /// A task of `kind`, for example `dbt_task`.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when `kind` does not end in
    /// `_task`, or `body` cannot be written as JSON.
    pub fn new(kind: impl Into<String>, body: impl Serialize) -> Result<Self> {
        const NAME: &str = "databricks.jobs.other_task";
        let kind = kind.into();
        if !kind.ends_with("_task") {
            let reason = format!("kind: {kind} is none; name the field, for example dbt_task");
            return Err(Error::invalid(NAME, reason));
        }
        let body = serde_json::to_value(body)
            .map_err(|err| Error::local(NAME, ErrorKind::InvalidArgument, err))?;
        Ok(Self { kind, body })
    }

    /// The name of its field, for example `dbt_task`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// What it says, as JSON.
    pub fn json(&self) -> String {
        self.body.to_string()
    }
}

impl fmt::Debug for OtherTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherTask").field("kind", &self.kind).finish_non_exhaustive()
    }
}

macro_rules! codes {
    ($($variant:ident($kind:ident))*) => {$(
        impl From<$kind> for TaskCode {
            fn from(it: $kind) -> Self {
                Self::$variant(it)
            }
        }
    )*};
}

codes! {
    Notebook(NotebookTask)
    SparkPython(SparkPythonTask)
    SparkJar(SparkJarTask)
    PythonWheel(PythonWheelTask)
    SparkSubmit(SparkSubmitTask)
    Sql(SqlTask)
    Condition(ConditionTask)
    ForEach(ForEachTask)
    RunJob(RunJobTask)
    Pipeline(PipelineTask)
    Other(OtherTask)
}
