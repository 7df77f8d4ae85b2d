//! What a run of the Jobs API has besides what others can ask for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::spec::{CodeSpec, Submission, TaskSpec};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    pub(in super::super) parameters: Vec<JobParameter>,
    pub(in super::super) overrides: Overrides,
    /// What of the settings is shown with the run.
    pub(in super::super) shown: Map<String, Value>,
    /// The task run that waits for this run.
    pub(in super::super) caller: Option<i64>,
    /// Whether the one task was described without a list of tasks.
    pub(in super::super) is_single: bool,
    /// Whether a run waits when its job has as many runs as it may have.
    pub(in super::super) is_queued: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobParameter {
    pub(in super::super) name: String,
    pub(in super::super) default: Option<String>,
    pub(in super::super) value: String,
}

/// The parameters that a run gives in place of those of its job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Overrides {
    pub(in super::super) job_parameters: BTreeMap<String, String>,
    pub(in super::super) notebook_params: BTreeMap<String, String>,
    pub(in super::super) python_named_params: BTreeMap<String, String>,
    pub(in super::super) sql_params: BTreeMap<String, String>,
    pub(in super::super) python_params: Option<Vec<String>>,
    pub(in super::super) jar_params: Option<Vec<String>>,
    pub(in super::super) spark_submit_params: Option<Vec<String>>,
}

impl Overrides {
    /// These, and over them the later ones.
    pub(in super::super) fn followed_by(&self, later: &Self) -> Self {
        let merged = |first: &BTreeMap<String, String>, second: &BTreeMap<String, String>| {
            let mut it = first.clone();
            it.extend(second.clone());
            it
        };
        let or = |first: &Option<Vec<String>>, second: &Option<Vec<String>>| {
            second.clone().or_else(|| first.clone())
        };
        Self {
            job_parameters: merged(&self.job_parameters, &later.job_parameters),
            notebook_params: merged(&self.notebook_params, &later.notebook_params),
            python_named_params: merged(&self.python_named_params, &later.python_named_params),
            sql_params: merged(&self.sql_params, &later.sql_params),
            python_params: or(&self.python_params, &later.python_params),
            jar_params: or(&self.jar_params, &later.jar_params),
            spark_submit_params: or(&self.spark_submit_params, &later.spark_submit_params),
        }
    }

    /// Those that are given, by the names that they have in a request.
    pub(in super::super) fn fields(&self) -> Map<String, Value> {
        let maps = [
            ("job_parameters", &self.job_parameters),
            ("notebook_params", &self.notebook_params),
            ("python_named_params", &self.python_named_params),
            ("sql_params", &self.sql_params),
        ];
        let lists = [
            ("python_params", &self.python_params),
            ("jar_params", &self.jar_params),
            ("spark_submit_params", &self.spark_submit_params),
        ];
        let maps = maps.into_iter().filter(|(_, it)| !it.is_empty());
        let maps = maps.map(|(name, it)| (name.to_owned(), json!(it)));
        let lists =
            lists.into_iter().filter_map(|(name, it)| Some((name.to_owned(), json!(it.as_ref()?))));
        maps.chain(lists).collect()
    }

    fn apply(&self, task: &mut TaskSpec, parameters: &[JobParameter]) {
        let all = parameters.iter().map(|it| (it.name.clone(), it.value.clone()));
        match &mut task.code {
            CodeSpec::Notebook { .. } => {
                task.widgets.extend(self.notebook_params.clone());
                task.widgets.extend(all);
            }
            CodeSpec::SqlFile { .. } => {
                task.widgets.extend(self.sql_params.clone());
                task.widgets.extend(all);
            }
            CodeSpec::Wheel { named_parameters, .. } => {
                named_parameters.extend(self.python_named_params.clone());
                // Job parameters reach only wheels that are called with names.
                if !named_parameters.is_empty() {
                    named_parameters.extend(all);
                }
                task.parameters = self.python_params.clone().unwrap_or(task.parameters.clone());
            }
            CodeSpec::PythonFile { .. } | CodeSpec::LocalScript { .. } => {
                task.parameters = self.python_params.clone().unwrap_or(task.parameters.clone());
            }
            CodeSpec::Jar { .. } => {
                task.parameters = self.jar_params.clone().unwrap_or(task.parameters.clone());
            }
            CodeSpec::SparkSubmit => {
                task.parameters =
                    self.spark_submit_params.clone().unwrap_or(task.parameters.clone());
            }
            CodeSpec::ForEach { task, .. } => self.apply(task, parameters),
            CodeSpec::Condition { .. } | CodeSpec::RunJob { .. } | CodeSpec::Other { .. } => (),
        }
    }
}

impl Terms {
    /// Lets the parameters of a run take the place of those of its job.
    pub(in super::super) fn override_with(&mut self, it: Overrides, submission: &mut Submission) {
        for (name, value) in &it.job_parameters {
            match self.parameters.iter_mut().find(|it| it.name == *name) {
                Some(it) => it.value.clone_from(value),
                None => self.parameters.push(JobParameter {
                    name: name.clone(),
                    default: None,
                    value: value.clone(),
                }),
            }
        }
        for task in &mut submission.tasks {
            it.apply(task, &self.parameters);
        }
        self.overrides = it;
    }
}
