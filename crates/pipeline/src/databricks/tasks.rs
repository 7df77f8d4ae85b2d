//! From a valid pipeline to the tasks of one run on Databricks. Pure.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use azml_databricks::{
    clusters::{ClusterId, NewCluster},
    jobs::{NotebookTask, SparkJarTask, SparkPythonTask, SubmitRun, Task, TaskCode},
    libraries::Library as JobLibrary,
};

use super::places::{Places, task_keys};
use crate::{
    Argument, DatabricksStep, InputSource, Library, Pipeline, StepName, choices::Chosen,
    step::defaults,
};

/// All that the tasks of a run are made of.
pub(super) struct Tasks<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) chosen: &'a Chosen,
    pub(super) places: &'a Places,
    /// Names the folder of the run.
    pub(super) run: &'a str,
    /// Address of the uploaded folder of each step; `None` for steps without one.
    pub(super) folders: &'a [Option<String>],
    /// What tells the code of each step which run it belongs to, by name.
    pub(super) identities: &'a [Vec<(String, String)>],
    pub(super) keys: Vec<String>,
}

impl<'a> Tasks<'a> {
    pub(super) fn new(
        pipeline: &'a Pipeline,
        chosen: &'a Chosen,
        places: &'a Places,
        run: &'a str,
        folders: &'a [Option<String>],
        identities: &'a [Vec<(String, String)>],
    ) -> Self {
        let keys = task_keys(pipeline.steps.iter().map(|it| &it.name));
        Self { pipeline, chosen, places, run, folders, identities, keys }
    }

    /// One run with a task for each step.
    pub(super) fn submission(&self) -> SubmitRun {
        let by_name: HashMap<&StepName, usize> =
            self.pipeline.steps.iter().enumerate().map(|(at, it)| (&it.name, at)).collect();
        let mut producers = HashMap::new();
        for (index, step) in self.pipeline.steps.iter().enumerate() {
            for (number, output) in step.outputs.iter().enumerate() {
                producers.insert(output.name.as_str(), (index, number));
            }
        }
        let wiring = Wiring { by_name, producers };
        let tasks = (0..self.pipeline.steps.len()).map(|index| self.task(index, &wiring));
        SubmitRun::new(&self.pipeline.name, tasks)
    }

    /// Folders of this run that steps write into.
    pub(super) fn folders_to_write(&self) -> Vec<String> {
        let steps = self.pipeline.steps.iter().zip(&self.keys);
        let outputs = steps.flat_map(|(step, key)| step.outputs.iter().map(move |it| (it, key)));
        let folders: BTreeSet<_> = outputs
            .map(|(output, key)| {
                let address = self.places.of_output(output, key, self.run, self.pipeline);
                address.rsplit_once('/').map_or(String::new(), |it| it.0.to_owned())
            })
            .collect();
        folders.into_iter().collect()
    }

    fn task(&self, index: usize, wiring: &Wiring<'_>) -> Task {
        let step = &self.pipeline.steps[index];
        let data = self.data(index, wiring);
        let mut task = Task::new(&self.keys[index], self.code(index, step, data));
        task = match &step.cluster.existing_cluster_id {
            Some(id) => task.on_cluster(ClusterId::new(id.as_str())),
            None => task.on_new_cluster(new_cluster(step)),
        };
        task.description = Some(step.run_name.clone().unwrap_or_else(|| step.name.to_string()));
        task.libraries = step.libraries.iter().map(library).collect();
        task.timeout = step.timeout.filter(|it| !it.is_zero());
        for earlier in wiring.before(step) {
            task = task.with_dependency(self.keys[earlier].as_str());
        }
        task
    }

    /// What the step reads and writes: name and address.
    fn data(&self, index: usize, wiring: &Wiring<'_>) -> Vec<(String, String)> {
        let step = &self.pipeline.steps[index];
        let mut data = Vec::new();
        for input in &step.inputs {
            let address = match &input.source {
                InputSource::Data(it) => {
                    wiring.producers.get(it.name.as_str()).map(|&(at, number)| {
                        let output = &self.pipeline.steps[at].outputs[number];
                        self.places.of_output(output, &self.keys[at], self.run, self.pipeline)
                    })
                }
                source => self.places.of_source(&self.chosen.source(source), self.pipeline),
            };
            data.extend(address.map(|it| (input.name().to_string(), it)));
        }
        for output in &step.outputs {
            let key = &self.keys[index];
            let address = self.places.of_output(output, key, self.run, self.pipeline);
            data.push((output.output_name().to_string(), address));
        }
        data
    }

    fn code(&self, index: usize, step: &DatabricksStep, data: Vec<(String, String)>) -> TaskCode {
        let code = &step.code;
        let mut identity = self.identities.get(index).cloned().unwrap_or_default();
        let folder = self.folders.get(index).and_then(Option::as_deref);
        if let Some(folder) = folder {
            let path = folder.strip_prefix("dbfs:/").unwrap_or(folder);
            identity.push(("AZUREML_SCRIPT_DIRECTORY_NAME".to_owned(), path.to_owned()));
        }
        if let Some(path) = &code.notebook_path {
            // As in Azure ML: widgets of data have plain names, the run's have dashes.
            let mut task = NotebookTask::new(path);
            for (name, value) in &code.notebook_params {
                task = task.with_parameter(name, self.text(value));
            }
            for (name, value) in data {
                task = task.with_parameter(name, value);
            }
            for (name, value) in identity {
                task = task.with_parameter(format!("--{name}"), value);
            }
            return task.into();
        }
        let own = if code.main_class_name.is_some() {
            &code.jar_params
        } else {
            &code.python_script_params
        };
        let mut arguments = self.arguments(own);
        for (name, value) in data.into_iter().chain(identity) {
            arguments.extend([format!("--{name}"), value]);
        }
        if let Some(class) = &code.main_class_name {
            return SparkJarTask::new(class).with_parameters(arguments).into();
        }
        let file = match (&code.python_script_path, &code.python_script_name, folder) {
            (Some(path), _, _) => path.clone(),
            (None, Some(name), Some(folder)) => format!("{folder}/{name}"),
            (None, name, _) => name.clone().unwrap_or_default(),
        };
        SparkPythonTask::new(file).with_parameters(arguments).into()
    }

    /// A parameter of the pipeline is two arguments, as in Azure ML: name and value.
    fn arguments(&self, arguments: &[Argument]) -> Vec<String> {
        let mut texts = Vec::with_capacity(arguments.len());
        for argument in arguments {
            if let Argument::Parameter(name) = argument {
                texts.push(name.to_string());
            }
            texts.push(self.text(argument));
        }
        texts
    }

    fn text(&self, argument: &Argument) -> String {
        match argument {
            Argument::Value(value) => value.to_string(),
            Argument::Parameter(name) => self.chosen.value(self.pipeline, name).to_string(),
        }
    }
}

/// Which step has which name, and which writes what.
struct Wiring<'a> {
    by_name: HashMap<&'a StepName, usize>,
    producers: HashMap<&'a str, (usize, usize)>,
}

impl Wiring<'_> {
    /// Steps that `step` waits for, each once.
    fn before(&self, step: &DatabricksStep) -> Vec<usize> {
        let mut before = Vec::new();
        let data = step.inputs.iter().filter_map(|input| match &input.source {
            InputSource::Data(it) => self.producers.get(it.name.as_str()).map(|it| it.0),
            _ => None,
        });
        let order = step.run_after.iter().filter_map(|it| self.by_name.get(it).copied());
        for earlier in data.chain(order) {
            if !before.contains(&earlier) {
                before.push(earlier);
            }
        }
        before
    }
}

/// A cluster for one task, with the defaults of the Python class.
fn new_cluster(step: &DatabricksStep) -> NewCluster {
    let it = &step.cluster;
    let version = it.spark_version.as_deref().unwrap_or(defaults::SPARK_VERSION);
    let mut cluster = match &it.instance_pool_id {
        Some(pool) => NewCluster::in_pool(version, pool),
        None => NewCluster::new(version, it.node_type.as_deref().unwrap_or(defaults::NODE_TYPE)),
    };
    cluster = match (it.num_workers, it.min_workers, it.max_workers) {
        (None, Some(min), Some(max)) => cluster.with_autoscale(min, max),
        (workers, _, _) => cluster.with_num_workers(workers.unwrap_or(0)),
    };
    if let Some(variables) = &it.spark_env_variables {
        cluster.spark_env_vars.extend(variables.iter().cloned());
    } else {
        let (key, value) = defaults::ENVIRONMENT;
        cluster.spark_env_vars.insert(key.to_owned(), value.to_owned());
    }
    cluster.spark_conf.extend(it.spark_conf.iter().flatten().cloned());
    cluster.init_scripts = it.init_scripts.clone().unwrap_or_default();
    cluster.log_destination.clone_from(&it.cluster_log_dbfs_path);
    cluster
}

fn library(library: &Library) -> JobLibrary {
    let is_wheel =
        |path: &str| Path::new(path).extension().is_some_and(|it| it.eq_ignore_ascii_case("whl"));
    match library.clone() {
        Library::Pypi { package, repo } => JobLibrary::Pypi { package, repo },
        Library::Rcran { package, repo } => JobLibrary::Cran { package, repo },
        Library::Maven { coordinates, repo, exclusions } => {
            JobLibrary::Maven { coordinates, exclusions, repo }
        }
        Library::Jar(path) => JobLibrary::Jar(path),
        // The Python class has no parameter for wheels, so that they come as eggs.
        Library::Egg(path) if is_wheel(&path) => JobLibrary::Whl(path),
        Library::Egg(path) => JobLibrary::Egg(path),
        Library::Wheel(path) => JobLibrary::Whl(path),
    }
}
