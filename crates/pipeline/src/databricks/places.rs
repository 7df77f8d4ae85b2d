//! Where data lies when a pipeline runs on Databricks itself.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    DataName, InputSource, Pipeline, PipelineData, Problem, ProblemKind, StepName, StepOutput,
};

/// The root under which datastores lie that nobody has given a place.
const USUAL_ROOT: &str = "dbfs:/azml/datastores";
/// The datastore of data that names none.
const USUAL_DATASTORE: &str = "workspaceblobstore";

/// Addresses of datastores, and the folder of one run.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    roots: BTreeMap<String, String>,
}

impl Places {
    pub(super) fn with_root(mut self, datastore: String, root: &str) -> Self {
        self.roots.insert(datastore, root.trim_end_matches('/').to_owned());
        self
    }

    /// What is already there, in a datastore whose place is not known.
    pub(super) fn problems(&self, pipeline: &Pipeline) -> Vec<Problem> {
        let mut problems = Vec::new();
        for step in &pipeline.steps {
            for input in &step.inputs {
                let Some((datastore, _)) = stored(&input.source) else { continue };
                let datastore = datastore_of(datastore, pipeline);
                if !self.roots.contains_key(datastore) {
                    let problem = Problem::new(
                        "datastore",
                        ProblemKind::Unsupported,
                        format!(
                            "Databricks does not know where the datastore `{datastore}` of `{}` is",
                            input.data_name()
                        ),
                        "give its address: DatabricksJobs::with_datastore(name, \"dbfs:/mnt/..\")",
                    );
                    problems.push(problem.of_step(&step.name));
                }
            }
        }
        problems
    }

    /// The address of what is already there.
    pub(super) fn of_source(&self, source: &InputSource, pipeline: &Pipeline) -> Option<String> {
        let (datastore, path) = stored(source)?;
        let root = self.root(datastore_of(datastore, pipeline));
        let path = path.trim_start_matches('/');
        Some(if path.is_empty() { root } else { format!("{root}/{path}") })
    }

    /// The address of what a step writes in the run `run`.
    pub(super) fn of_output(
        &self,
        output: &PipelineData,
        step: &str,
        run: &str,
        pipeline: &Pipeline,
    ) -> String {
        let root = self.root(datastore_of(output.datastore.as_ref(), pipeline));
        format!("{root}/{}", path_of(step, run, output.output_name()))
    }

    /// The same as the service of Azure ML tells it.
    pub(super) fn step_output(
        output: &PipelineData,
        step: &str,
        run: &str,
        pipeline: &Pipeline,
    ) -> StepOutput {
        let datastore = datastore_of(output.datastore.as_ref(), pipeline);
        let path = path_of(step, run, output.output_name());
        StepOutput::new(output.output_name().clone(), datastore, path)
    }

    fn root(&self, datastore: &str) -> String {
        let known = self.roots.get(datastore).cloned();
        known.unwrap_or_else(|| format!("{USUAL_ROOT}/{datastore}"))
    }
}

fn path_of(step: &str, run: &str, name: &DataName) -> String {
    format!("azml/{run}/{step}/{name}")
}

fn datastore_of<'a>(own: Option<&'a String>, pipeline: &'a Pipeline) -> &'a str {
    own.or(pipeline.default_datastore.as_ref()).map_or(USUAL_DATASTORE, String::as_str)
}

/// Datastore and path of what is already there.
fn stored(source: &InputSource) -> Option<(Option<&String>, &str)> {
    match source {
        InputSource::Data(_) => None,
        InputSource::Reference(it) => Some((it.datastore.as_ref(), &it.path)),
        InputSource::Dataset(it) => Some((it.datastore.as_ref(), &it.path)),
        InputSource::DataPath(it) => Some((it.datastore.as_ref(), &it.path)),
    }
}

/// Names of tasks, which allow less than names of steps: letters, digits, `_` and `-`,
/// 1 to 100 of them, each once.
pub(super) fn task_keys<'a>(names: impl IntoIterator<Item = &'a StepName>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let keys = names.into_iter().map(|name| {
        let legal = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
        let legal = name.as_str().chars().map(|it| if legal(it) { it } else { '_' });
        let mut stem: String = legal.take(90).collect();
        if stem.is_empty() {
            stem.push('_');
        }
        let (mut key, mut number) = (stem.clone(), 1);
        while !taken.insert(key.clone()) {
            number += 1;
            key = format!("{stem}_{number}");
        }
        key
    });
    keys.collect()
}
