use std::{path::PathBuf, time::Duration};

use super::{DatabricksStep, StepCluster, StepCode, StepName};
use crate::{Argument, Library, PipelineData, StepInput};

impl DatabricksStep {
    /// A step without code, that may be reused.
    pub fn new(name: impl Into<StepName>) -> Self {
        Self {
            name: name.into(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            run_after: Vec::new(),
            code: StepCode::default(),
            cluster: StepCluster::default(),
            libraries: Vec::new(),
            run_name: None,
            timeout: None,
            compute_target: None,
            allow_reuse: true,
            version: None,
        }
    }

    /// Reads `input`; its location arrives under its name.
    #[must_use]
    pub fn with_input(mut self, input: impl Into<StepInput>) -> Self {
        self.inputs.push(input.into());
        self
    }

    /// Writes `output`; its location arrives under its name.
    #[must_use]
    pub fn with_output(mut self, output: impl Into<PipelineData>) -> Self {
        self.outputs.push(output.into());
        self
    }

    /// Waits for the step of this name although no data flows from it.
    #[must_use]
    pub fn with_run_after(mut self, step: impl Into<StepName>) -> Self {
        self.run_after.push(step.into());
        self
    }

    /// Runs a notebook of the Databricks workspace.
    #[must_use]
    pub fn with_notebook_path(mut self, path: impl Into<String>) -> Self {
        self.code.notebook_path = Some(path.into());
        self
    }

    /// Sets one widget of the notebook.
    #[must_use]
    pub fn with_notebook_param(
        mut self,
        key: impl Into<String>,
        value: impl Into<Argument>,
    ) -> Self {
        let (key, value) = (key.into(), value.into());
        match self.code.notebook_params.iter_mut().find(|it| it.0 == key) {
            Some(known) => known.1 = value,
            None => self.code.notebook_params.push((key, value)),
        }
        self
    }

    /// Runs a Python script that is on DBFS already.
    #[must_use]
    pub fn with_python_script_path(mut self, path: impl Into<String>) -> Self {
        self.code.python_script_path = Some(path.into());
        self
    }

    /// Runs a Python script of this machine; needs
    /// [`with_source_directory`](Self::with_source_directory).
    #[must_use]
    pub fn with_python_script_name(mut self, name: impl Into<String>) -> Self {
        self.code.python_script_name = Some(name.into());
        self
    }

    /// Uploads this folder, which contains the Python script.
    #[must_use]
    pub fn with_source_directory(mut self, folder: impl Into<PathBuf>) -> Self {
        self.code.source_directory = Some(folder.into());
        self
    }

    /// Adds arguments of the Python script.
    #[must_use]
    pub fn with_python_script_params<T: Into<Argument>>(
        mut self,
        arguments: impl IntoIterator<Item = T>,
    ) -> Self {
        self.code.python_script_params.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs the `main` of a class in a JAR library.
    #[must_use]
    pub fn with_main_class_name(mut self, class: impl Into<String>) -> Self {
        self.code.main_class_name = Some(class.into());
        self
    }

    /// Adds arguments of the JAR's `main`.
    #[must_use]
    pub fn with_jar_params<T: Into<Argument>>(
        mut self,
        arguments: impl IntoIterator<Item = T>,
    ) -> Self {
        self.code.jar_params.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Runs on a cluster that is there.
    #[must_use]
    pub fn with_existing_cluster_id(mut self, cluster_id: impl Into<String>) -> Self {
        self.cluster.existing_cluster_id = Some(cluster_id.into());
        self
    }

    /// Says whether the service may restart the existing cluster.
    #[must_use]
    pub fn with_permit_cluster_restart(mut self, permit: bool) -> Self {
        self.cluster.permit_cluster_restart = Some(permit);
        self
    }

    /// Sets the runtime of a new cluster, for example `15.4.x-scala2.12`.
    #[must_use]
    pub fn with_spark_version(mut self, version: impl Into<String>) -> Self {
        self.cluster.spark_version = Some(version.into());
        self
    }

    /// Sets the VM size of a new cluster, for example `Standard_DS3_v2`.
    #[must_use]
    pub fn with_node_type(mut self, node_type: impl Into<String>) -> Self {
        self.cluster.node_type = Some(node_type.into());
        self
    }

    /// Takes the machines of a new cluster from a pool.
    #[must_use]
    pub fn with_instance_pool_id(mut self, pool_id: impl Into<String>) -> Self {
        self.cluster.instance_pool_id = Some(pool_id.into());
        self
    }

    /// Gives a new cluster this many workers beside the driver.
    #[must_use]
    pub fn with_num_workers(mut self, workers: u32) -> Self {
        self.cluster.num_workers = Some(workers);
        self
    }

    /// Lets a new cluster scale between these numbers of workers.
    #[must_use]
    pub fn with_autoscale(mut self, min_workers: u32, max_workers: u32) -> Self {
        self.cluster.min_workers = Some(min_workers);
        self.cluster.max_workers = Some(max_workers);
        self
    }

    /// Sets the environment of a new cluster. Replaces the default one.
    #[must_use]
    pub fn with_spark_env_variables<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.cluster.spark_env_variables = Some(pairs(variables));
        self
    }

    /// Sets the Spark settings of a new cluster.
    #[must_use]
    pub fn with_spark_conf<K: Into<String>, V: Into<String>>(
        mut self,
        settings: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.cluster.spark_conf = Some(pairs(settings));
        self
    }

    /// Has a new cluster run these scripts at start. Databricks has given up
    /// scripts on DBFS; global ones are the recommended kind.
    #[must_use]
    pub fn with_init_scripts<T: Into<String>>(
        mut self,
        scripts: impl IntoIterator<Item = T>,
    ) -> Self {
        self.cluster.init_scripts = Some(scripts.into_iter().map(Into::into).collect());
        self
    }

    /// Has a new cluster deliver its logs here, for example `dbfs:/logs`.
    #[must_use]
    pub fn with_cluster_log_dbfs_path(mut self, path: impl Into<String>) -> Self {
        self.cluster.cluster_log_dbfs_path = Some(path.into());
        self
    }

    /// Adds a library that the cluster installs first.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.libraries.push(library);
        self
    }

    /// Names the run on Databricks.
    #[must_use]
    pub fn with_run_name(self, name: impl Into<String>) -> Self {
        Self { run_name: Some(name.into()), ..self }
    }

    /// Has Databricks end the run after this time. Whole seconds.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout: Some(timeout), ..self }
    }

    /// Runs on the attached Databricks workspace of this name.
    #[must_use]
    pub fn with_compute_target(self, name: impl Into<String>) -> Self {
        Self { compute_target: Some(name.into()), ..self }
    }

    /// Says whether an earlier output may stand in when nothing has changed.
    #[must_use]
    pub fn with_allow_reuse(self, allow_reuse: bool) -> Self {
        Self { allow_reuse, ..self }
    }

    /// Tags the step, so that a new tag prevents reuse.
    #[must_use]
    pub fn with_version(self, version: impl Into<String>) -> Self {
        Self { version: Some(version.into()), ..self }
    }
}

fn pairs<K: Into<String>, V: Into<String>>(
    items: impl IntoIterator<Item = (K, V)>,
) -> Vec<(String, String)> {
    items.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}
