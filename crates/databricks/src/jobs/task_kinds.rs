//! The kinds of tasks that run code. Each is written exactly as it is declared here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConditionTask, ForEachTask, OtherTask, PipelineTask, RunJobTask, TaskCode};
use crate::ExtraFields;

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
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl NotebookTask {
    /// The notebook at `notebook_path`.
    pub fn new(notebook_path: impl Into<String>) -> Self {
        Self {
            notebook_path: notebook_path.into(),
            base_parameters: BTreeMap::new(),
            source: None,
            warehouse_id: None,
            extra: ExtraFields::default(),
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
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl SparkPythonTask {
    /// The script at `python_file`.
    pub fn new(python_file: impl Into<String>) -> Self {
        Self {
            python_file: python_file.into(),
            parameters: Vec::new(),
            source: None,
            extra: ExtraFields::default(),
        }
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
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl SparkJarTask {
    /// The class `main_class_name`.
    pub fn new(main_class_name: impl Into<String>) -> Self {
        Self {
            main_class_name: main_class_name.into(),
            parameters: Vec::new(),
            extra: ExtraFields::default(),
        }
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
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl PythonWheelTask {
    /// The entry point `entry_point` of `package_name`.
    pub fn new(package_name: impl Into<String>, entry_point: impl Into<String>) -> Self {
        Self {
            package_name: package_name.into(),
            entry_point: entry_point.into(),
            parameters: Vec::new(),
            named_parameters: BTreeMap::new(),
            extra: ExtraFields::default(),
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
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
}

impl SparkSubmitTask {
    /// The arguments `parameters`.
    pub fn new(parameters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            parameters: parameters.into_iter().map(Into::into).collect(),
            extra: ExtraFields::default(),
        }
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
    /// Whatever else the service knows of it.
    #[serde(flatten)]
    pub extra: ExtraFields,
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
        /// Whatever else the service knows of it.
        #[serde(flatten)]
        extra: ExtraFields,
    },
    /// A saved query.
    Query {
        /// Its id.
        query_id: String,
        /// Whatever else the service knows of it.
        #[serde(flatten)]
        extra: ExtraFields,
    },
    /// The check of an alert.
    Alert {
        /// Its id.
        alert_id: String,
        /// Whatever else the service knows of it.
        #[serde(flatten)]
        extra: ExtraFields,
    },
    /// The refresh of a dashboard.
    Dashboard {
        /// Its id.
        dashboard_id: String,
        /// Whatever else the service knows of it.
        #[serde(flatten)]
        extra: ExtraFields,
    },
}

impl SqlTask {
    /// The file at `path`, on a warehouse.
    pub fn file(warehouse_id: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(
            warehouse_id,
            SqlCode::File { path: path.into(), source: None, extra: ExtraFields::default() },
        )
    }

    /// The saved query `query_id`, on a warehouse.
    pub fn query(warehouse_id: impl Into<String>, query_id: impl Into<String>) -> Self {
        Self::new(
            warehouse_id,
            SqlCode::Query { query_id: query_id.into(), extra: ExtraFields::default() },
        )
    }

    /// Any SQL, on a warehouse.
    pub fn new(warehouse_id: impl Into<String>, code: SqlCode) -> Self {
        Self {
            warehouse_id: warehouse_id.into(),
            code,
            parameters: BTreeMap::new(),
            extra: ExtraFields::default(),
        }
    }

    /// Gives a parameter a value.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
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
