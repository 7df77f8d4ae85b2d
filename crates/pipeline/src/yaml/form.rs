//! The YAML form, key by key. Keys of a step are the names of the Python class.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error, de::IgnoredAny};

use super::scalar::{Count, Flag, NameOr, Pairs, Scalar, ScalarOr, Text};

/// A pipeline of Databricks steps
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Pipeline")]
pub(super) struct PipelineForm {
    /// Names the pipeline
    pub(super) name: Text,
    /// What it is for; the experiment's name if it is missing
    pub(super) description: Option<Text>,
    /// The experiment to run under; the pipeline's name if it is missing
    pub(super) experiment: Option<Text>,
    /// The attached Databricks workspace of steps without `compute_target`
    pub(super) default_compute: Option<Text>,
    /// The datastore of data that names none
    pub(super) default_datastore: Option<Text>,
    /// Whether steps that do not depend on a failed one still run
    pub(super) continue_on_step_failure: Option<Flag>,
    /// What a submission may choose: name and default, which fixes the type
    pub(super) parameters: Option<Pairs<ScalarOr<DataPathForm>>>,
    /// Data that is there already
    pub(super) data: Option<Vec<DataForm>>,
    /// The steps, in any order
    pub(super) steps: Vec<StepForm>,
}

/// A path in a datastore as the default of a parameter
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DataPathForm {
    /// Where it is kept
    pub(super) datastore: Option<Text>,
    /// Path below the datastore's root
    pub(super) path_on_datastore: Text,
}

/// A path in a datastore
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DataForm {
    /// Names the data: letters, digits and underscores
    pub(super) name: Text,
    /// Where it is kept
    pub(super) datastore: Option<Text>,
    /// Path below the datastore's root; the whole datastore if it is missing
    pub(super) path: Option<Text>,
    /// Records the files as a dataset
    pub(super) dataset: Option<DatasetKind>,
    /// How steps get it
    pub(super) mode: Option<InputModeForm>,
    /// Where it is put on the machine
    pub(super) path_on_compute: Option<Text>,
    /// Whether a download may overwrite what is there
    pub(super) overwrite: Option<Flag>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum DatasetKind {
    /// Files as they are
    File,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum InputModeForm {
    /// The datastore is there like a folder
    Mount,
    /// It is copied to the machine first
    Download,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutputModeForm {
    /// The datastore is there like a folder
    Mount,
    /// It is copied from the machine afterwards
    Upload,
}

/// What a step reads, and how
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InputForm {
    /// Data, or another step's output
    pub(super) name: Option<Text>,
    /// A parameter whose default is a data path
    pub(super) parameter: Option<Text>,
    /// Another name under which this step gets the location
    pub(super) input_name: Option<Text>,
    /// How the step gets it
    pub(super) mode: Option<InputModeForm>,
    /// Where it is put on the machine
    pub(super) path_on_compute: Option<Text>,
    /// Whether a download may overwrite what is there
    pub(super) overwrite: Option<Flag>,
}

/// What a step writes
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OutputForm {
    /// Names the data: letters, digits and underscores
    pub(super) name: Text,
    /// Where it is kept
    pub(super) datastore: Option<Text>,
    /// Whether it is a folder rather than one file
    pub(super) is_directory: Option<Flag>,
    /// What it is, in the service's words: `AnyFile`, `AnyDirectory` ...
    pub(super) data_type: Option<Text>,
    /// Another name under which the step gets the location
    pub(super) output_name: Option<Text>,
    /// How what the step writes gets into the datastore
    pub(super) output_mode: Option<OutputModeForm>,
    /// Where the step writes it before it is uploaded
    pub(super) output_path_on_compute: Option<Text>,
    /// Whether an upload may overwrite what is there
    pub(super) output_overwrite: Option<Flag>,
    /// The name under which the whole pipeline gives it away
    pub(super) pipeline_output_name: Option<Text>,
}

/// A parameter of the pipeline in place of a value
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterReference {
    /// Its name
    pub(super) parameter: Text,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) enum StepType {
    /// Code on an attached Databricks workspace
    DatabricksStep,
}

/// Code to run on Databricks: what, on which cluster, with which data
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StepForm {
    /// The kind of step
    #[serde(rename = "type")]
    pub(super) step_type: StepType,
    /// Names the step
    pub(super) name: Text,
    /// What it reads: names of data, or of another step's outputs
    pub(super) inputs: Option<Vec<NameOr<InputForm>>>,
    /// What it writes
    pub(super) outputs: Option<Vec<NameOr<OutputForm>>>,
    /// Steps to wait for although no data flows from them
    pub(super) run_after: Option<Vec<Text>>,
    /// A cluster that is there; excludes all that describes a new one
    pub(super) existing_cluster_id: Option<Text>,
    /// Whether the service may restart the existing cluster
    pub(super) permit_cluster_restart: Option<Flag>,
    /// Runtime of a new cluster
    pub(super) spark_version: Option<Text>,
    /// VM size of a new cluster
    pub(super) node_type: Option<Text>,
    /// Pool that the machines come from, instead of `node_type`
    pub(super) instance_pool_id: Option<Text>,
    /// Number of workers of a new cluster of fixed size
    pub(super) num_workers: Option<Count<u32>>,
    /// Fewest workers of a new cluster that scales by itself
    pub(super) min_workers: Option<Count<u32>>,
    /// Most workers of a new cluster that scales by itself
    pub(super) max_workers: Option<Count<u32>>,
    /// Environment of a new cluster
    pub(super) spark_env_variables: Option<Pairs<Scalar>>,
    /// Spark settings of a new cluster
    pub(super) spark_conf: Option<Pairs<Scalar>>,
    /// Scripts that a new cluster runs at start
    pub(super) init_scripts: Option<Vec<Text>>,
    /// Where a new cluster puts its logs: `dbfs:/logs`
    pub(super) cluster_log_dbfs_path: Option<Text>,
    /// A notebook of the Databricks workspace, from the root
    pub(super) notebook_path: Option<Text>,
    /// Values of the notebook's widgets
    pub(super) notebook_params: Option<Pairs<ScalarOr<ParameterReference>>>,
    /// A Python script that Databricks can read: `dbfs:/x/y.py`
    pub(super) python_script_path: Option<Text>,
    /// Arguments of either Python script: text only
    pub(super) python_script_params: Option<Vec<NameOr<ParameterReference>>>,
    /// The class in a JAR whose `main` runs
    pub(super) main_class_name: Option<Text>,
    /// Arguments of `main`: text only
    pub(super) jar_params: Option<Vec<NameOr<ParameterReference>>>,
    /// A Python script below `source_directory`
    pub(super) python_script_name: Option<Text>,
    /// The folder that goes along with `python_script_name`, relative to this file
    pub(super) source_directory: Option<Text>,
    /// Name of the run on Databricks
    pub(super) run_name: Option<Text>,
    /// Time after which Databricks ends the run
    pub(super) timeout_seconds: Option<Count<u64>>,
    /// Maven artifacts to install
    pub(super) maven_libraries: Option<Vec<NameOr<MavenForm>>>,
    /// Python packages to install
    pub(super) pypi_libraries: Option<Vec<NameOr<PackageForm>>>,
    /// R packages to install
    pub(super) rcran_libraries: Option<Vec<NameOr<PackageForm>>>,
    /// Python eggs to install: `dbfs:/a.egg`
    pub(super) egg_libraries: Option<Vec<NameOr<FileForm>>>,
    /// JARs to install: `dbfs:/a.jar`
    pub(super) jar_libraries: Option<Vec<NameOr<FileForm>>>,
    /// The attached Databricks workspace
    pub(super) compute_target: Option<Text>,
    /// Whether an earlier output may stand in when nothing has changed
    pub(super) allow_reuse: Option<Flag>,
    /// A tag to change when the code behind a path has changed
    pub(super) version: Option<Text>,
    #[serde(default, rename = "runconfig", deserialize_with = "no_runconfig")]
    #[schemars(skip)]
    _runconfig: (),
    #[serde(default, rename = "hash_paths", deserialize_with = "no_hash_paths")]
    #[schemars(skip)]
    _hash_paths: (),
}

/// A package of Python or R
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PackageForm {
    /// Name and version: `scikit-learn==1.0`
    pub(super) package: Text,
    /// The index or repository to take it from
    pub(super) repo: Option<Text>,
}

/// A Maven artifact
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MavenForm {
    /// `group:artifact:version`
    pub(super) coordinates: Text,
    /// The repository to take it from
    pub(super) repo: Option<Text>,
    /// Dependencies to leave out: `group:artifact`
    pub(super) exclusions: Option<Vec<Text>>,
}

/// A file that Databricks can read
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileForm {
    /// Its path: `dbfs:/a.jar`
    pub(super) library: Text,
}

fn no_runconfig<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    refuse(
        deserializer,
        "a run configuration holds the libraries and the cluster of a step a second time: use \
         the keys of the step",
    )
}

fn no_hash_paths<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    refuse(
        deserializer,
        "the SDK ignores it, and always hashes the whole source_directory: exclude files in \
         .amlignore",
    )
}

fn refuse<'de, D: Deserializer<'de>>(deserializer: D, reason: &str) -> Result<(), D::Error> {
    IgnoredAny::deserialize(deserializer)?;
    Err(D::Error::custom(reason))
}
