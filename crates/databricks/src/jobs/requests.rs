//! What is asked of saved jobs and their runs.

use std::collections::BTreeMap;

use azml_core::int_id;
use serde::{Deserialize, Serialize};

use super::{JobSettings, TaskKey};

int_id! {
    /// Identifies a repair of a run.
    RepairId
}

/// What a run is given in place of what its job says. Each is at most 10,000 bytes
/// as JSON. Written exactly as it is declared here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunParameters {
    /// Values of the parameters of the job.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub job_parameters: BTreeMap<String, String>,
    /// Values of the widgets of all notebooks. Not together with `jar_params`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notebook_params: BTreeMap<String, String>,
    /// Arguments of all Python scripts and wheels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub python_params: Vec<String>,
    /// Named arguments of all wheels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub python_named_params: BTreeMap<String, String>,
    /// Arguments of all JARs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jar_params: Vec<String>,
    /// Arguments of all `spark-submit` tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spark_submit_params: Vec<String>,
    /// Values of the parameters of all SQL.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sql_params: BTreeMap<String, String>,
    /// Commands of all dbt tasks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dbt_commands: Vec<String>,
}

impl RunParameters {
    /// Gives a parameter of the job a value.
    #[must_use]
    pub fn with_job_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.job_parameters.insert(name.into(), value.into());
        self
    }

    /// Gives a widget of all notebooks a value.
    #[must_use]
    pub fn with_notebook_param(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.notebook_params.insert(name.into(), value.into());
        self
    }

    /// Sets the arguments of all Python scripts and wheels.
    #[must_use]
    pub fn with_python_params(self, them: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { python_params: them.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets the arguments of all JARs.
    #[must_use]
    pub fn with_jar_params(self, them: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { jar_params: them.into_iter().map(Into::into).collect(), ..self }
    }
}

/// A run of a saved job to start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunNow {
    /// What it is given in place of what the job says.
    pub parameters: RunParameters,
    /// Only these tasks run. Empty stands for all.
    pub only: Vec<TaskKey>,
    /// Whether it waits for its turn instead of being skipped. `None` is as the job
    /// says.
    pub queue: Option<bool>,
    /// At most 64 characters. The same token gives the same run. `None` makes a
    /// new one at each call.
    pub idempotency_token: Option<String>,
}

impl RunNow {
    /// Sets what it is given in place of what the job says.
    #[must_use]
    pub fn with_parameters(self, parameters: RunParameters) -> Self {
        Self { parameters, ..self }
    }

    /// Runs only these tasks.
    #[must_use]
    pub fn with_only(self, tasks: impl IntoIterator<Item = impl Into<TaskKey>>) -> Self {
        Self { only: tasks.into_iter().map(Into::into).collect(), ..self }
    }

    /// Lets it wait for its turn, or skips it.
    #[must_use]
    pub fn with_queue(self, enabled: bool) -> Self {
        Self { queue: Some(enabled), ..self }
    }

    /// Makes all calls with this token one run.
    #[must_use]
    pub fn with_idempotency_token(self, token: impl Into<String>) -> Self {
        Self { idempotency_token: Some(token.into()), ..self }
    }
}

/// Which tasks of a run that is over to run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairRun {
    /// These. Not together with `rerun_all_failed_tasks`.
    pub rerun_tasks: Vec<TaskKey>,
    /// All that did not succeed.
    pub rerun_all_failed_tasks: bool,
    /// Also those that depend on them, even if they have succeeded.
    pub rerun_dependent_tasks: bool,
    /// The repair before, which has to be named from the second one on. See
    /// [`JobRun::latest_repair_id`](super::JobRun::latest_repair_id).
    pub latest_repair_id: Option<RepairId>,
    /// What they are given in place of what the job says.
    pub parameters: RunParameters,
}

impl RepairRun {
    /// Runs all tasks again that did not succeed.
    pub fn all_failed() -> Self {
        Self { rerun_all_failed_tasks: true, ..Self::default() }
    }

    /// Runs these tasks again.
    pub fn tasks(tasks: impl IntoIterator<Item = impl Into<TaskKey>>) -> Self {
        Self { rerun_tasks: tasks.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Runs also those again that depend on them.
    #[must_use]
    pub fn with_dependent_tasks(self) -> Self {
        Self { rerun_dependent_tasks: true, ..self }
    }

    /// Names the repair before.
    #[must_use]
    pub fn after(self, latest: Option<RepairId>) -> Self {
        Self { latest_repair_id: latest, ..self }
    }

    /// Sets what they are given in place of what the job says.
    #[must_use]
    pub fn with_parameters(self, parameters: RunParameters) -> Self {
        Self { parameters, ..self }
    }
}

/// What to change in a job.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct JobUpdate {
    /// What is set here takes the place of what was. Tasks and job clusters take
    /// the place of those with the same key.
    pub new_settings: JobSettings,
    /// Fields to take away by their name on the wire, for example `schedule`, or
    /// `tasks/prepare` for one task.
    pub fields_to_remove: Vec<String>,
}

impl JobUpdate {
    /// Sets what is set in `new_settings`.
    pub fn new(new_settings: JobSettings) -> Self {
        Self { new_settings, fields_to_remove: Vec::new() }
    }

    /// Takes a field away.
    #[must_use]
    pub fn without(mut self, field: impl Into<String>) -> Self {
        self.fields_to_remove.push(field.into());
        self
    }

    /// Takes a task away.
    #[must_use]
    pub fn without_task(self, task_key: &TaskKey) -> Self {
        self.without(format!("tasks/{task_key}"))
    }
}
