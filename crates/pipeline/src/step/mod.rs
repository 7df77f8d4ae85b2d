//! The step that runs code on an attached Databricks workspace.

mod builder;
pub(crate) mod defaults;
mod parameters;
mod validate;

use std::{path::PathBuf, time::Duration};

use azml_core::string_id;

pub(crate) use self::parameters::{StepParameter, StepValue, parameters};
pub(crate) use self::validate::problems;
use crate::{Argument, Library, PipelineData, StepInput};

string_id! {
    /// Names a step. Unique within its pipeline.
    StepName
}

/// Code to run on Databricks: what, on which cluster, with which data.
///
/// The fields and their rules are those of the Python class `DatabricksStep`;
/// [`Pipeline::problems`](crate::Pipeline::problems) checks them. Exactly one of
/// four kinds of code is needed:
///
/// ```
/// use azml_pipeline::{DatabricksStep, Library, PipelineData};
///
/// let prepared = PipelineData::new("prepared");
/// let prepare = DatabricksStep::new("prepare")
///     .with_python_script_name("prepare.py")
///     .with_source_directory("scripts/prepare")
///     .with_python_script_params(["--data", "dbfs:/wine.csv"])
///     .with_output(&prepared)
///     .with_existing_cluster_id("0923-164208-meows279");
/// let train = DatabricksStep::new("train")
///     .with_notebook_path("/Shared/train")
///     .with_notebook_param("epochs", 60)
///     .with_input(&prepared)
///     .with_num_workers(2)
///     .with_library(Library::pypi("scikit-learn==1.7.2"));
/// assert_eq!(train.name.as_str(), "train");
/// # let _ = prepare;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DatabricksStep {
    /// Names the step.
    pub name: StepName,
    /// What the step reads.
    pub inputs: Vec<StepInput>,
    /// What the step writes.
    pub outputs: Vec<PipelineData>,
    /// Steps to wait for although no data flows from them.
    pub run_after: Vec<StepName>,
    /// The code to run.
    pub code: StepCode,
    /// The cluster to run it on.
    pub cluster: StepCluster,
    /// What the cluster installs first.
    pub libraries: Vec<Library>,
    /// Name of the run on Databricks.
    pub run_name: Option<String>,
    /// Time after which Databricks ends the run. Whole seconds.
    pub timeout: Option<Duration>,
    /// The attached Databricks workspace. `None` is the pipeline's default.
    pub compute_target: Option<String>,
    /// Whether an earlier output may stand in when nothing has changed.
    pub allow_reuse: bool,
    /// A tag to change when the code behind a path has changed.
    pub version: Option<String>,
}

/// The four kinds of code. A step has exactly one of them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StepCode {
    /// A notebook in the Databricks workspace.
    pub notebook_path: Option<String>,
    /// Values of the notebook's widgets, by name.
    pub notebook_params: Vec<(String, Argument)>,
    /// A Python script that Databricks can read, for example `dbfs:/x/y.py`.
    pub python_script_path: Option<String>,
    /// A Python script on this machine, relative to `source_directory`.
    pub python_script_name: Option<String>,
    /// The folder on this machine that goes along with `python_script_name`.
    pub source_directory: Option<PathBuf>,
    /// Arguments of either Python script.
    pub python_script_params: Vec<Argument>,
    /// The class in a JAR whose `main` runs.
    pub main_class_name: Option<String>,
    /// Arguments of `main`.
    pub jar_params: Vec<Argument>,
}

/// The cluster of a step: an existing one, or the description of a new one.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StepCluster {
    /// A cluster that is there. Excludes everything else but the next field.
    pub existing_cluster_id: Option<String>,
    /// Whether the service may restart the existing cluster.
    pub permit_cluster_restart: Option<bool>,
    /// Runtime of a new cluster. `None` is `10.4.x-scala2.12`, as in Python.
    pub spark_version: Option<String>,
    /// Azure VM size of a new cluster. `None` is `Standard_D3_v2`, as in Python.
    pub node_type: Option<String>,
    /// Pool that the machines come from, instead of `node_type`.
    pub instance_pool_id: Option<String>,
    /// Number of workers of a new cluster of fixed size.
    pub num_workers: Option<u32>,
    /// Fewest workers of a new cluster that scales by itself.
    pub min_workers: Option<u32>,
    /// Most workers of a new cluster that scales by itself.
    pub max_workers: Option<u32>,
    /// Environment of a new cluster. `None` picks Python 3, as in Python.
    pub spark_env_variables: Option<Vec<(String, String)>>,
    /// Spark settings of a new cluster.
    pub spark_conf: Option<Vec<(String, String)>>,
    /// Scripts that a new cluster runs at start.
    pub init_scripts: Option<Vec<String>>,
    /// Where a new cluster puts its logs, for example `dbfs:/logs`.
    pub cluster_log_dbfs_path: Option<String>,
}
