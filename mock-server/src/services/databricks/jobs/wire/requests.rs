use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::tasks::{JobCluster, SingleTask, TaskBody};
use crate::{
    kernel::Refusal,
    services::databricks::{
        jobs::state::{
            repair::Wish,
            settings::normal,
            spec::Submission,
            terms::{JobParameter, Overrides, Terms},
        },
        wire::{flag, number, required, seconds},
    },
};

/// What of the settings is shown with each run.
const SHOWN: [&str; 4] = ["description", "git_source", "job_clusters", "environment_variables"];

/// A one-time run, or the settings of a saved job.
#[derive(Deserialize)]
struct OrderBody {
    /// Jobs have names, runs have run names.
    name: Option<String>,
    run_name: Option<String>,
    idempotency_token: Option<String>,
    #[serde(default, deserialize_with = "number")]
    timeout_seconds: Option<i64>,
    #[serde(default)]
    job_clusters: Vec<JobCluster>,
    tasks: Option<Vec<Value>>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    queue: Option<Queue>,
}

#[derive(Deserialize)]
struct Parameter {
    name: String,
    #[serde(default)]
    default: Value,
}

#[derive(Deserialize)]
struct Queue {
    #[serde(default, deserialize_with = "flag")]
    enabled: bool,
}

/// The parameters of a run, as [`Overrides`].
#[derive(Deserialize)]
pub(crate) struct ParametersBody {
    #[serde(default)]
    job_parameters: BTreeMap<String, Value>,
    #[serde(default)]
    notebook_params: BTreeMap<String, Value>,
    #[serde(default)]
    python_named_params: BTreeMap<String, Value>,
    #[serde(default)]
    sql_params: BTreeMap<String, Value>,
    python_params: Option<Vec<Value>>,
    jar_params: Option<Vec<Value>>,
    spark_submit_params: Option<Vec<Value>>,
}

#[derive(Deserialize)]
pub(crate) struct RunNowBody {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
    pub(crate) idempotency_token: Option<String>,
    queue: Option<Queue>,
    #[serde(default)]
    only: Vec<String>,
    #[serde(flatten)]
    parameters: ParametersBody,
}

#[derive(Deserialize)]
pub(crate) struct RepairBody {
    #[serde(default, deserialize_with = "number")]
    run_id: Option<i64>,
    #[serde(default)]
    rerun_tasks: Vec<String>,
    #[serde(default, deserialize_with = "flag")]
    rerun_all_failed_tasks: bool,
    #[serde(default, deserialize_with = "flag")]
    rerun_dependent_tasks: bool,
    #[serde(default, deserialize_with = "number")]
    latest_repair_id: Option<i64>,
    #[serde(flatten)]
    parameters: ParametersBody,
}

/// Of `jobs/reset` and `jobs/update`.
#[derive(Deserialize)]
pub(crate) struct ChangeBody {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
    pub(crate) new_settings: Option<Value>,
    #[serde(default)]
    pub(crate) fields_to_remove: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct CancelAllBody {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) all_queued_runs: bool,
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
pub(crate) struct GetJobQuery {
    #[serde(default, deserialize_with = "number")]
    pub(crate) job_id: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    pub(crate) page_token: Option<i64>,
    #[serde(default, deserialize_with = "flag", rename = "include_trigger_state")]
    _include_trigger_state: bool,
}

#[derive(Deserialize)]
pub(crate) struct GetQuery {
    #[serde(default, deserialize_with = "number")]
    pub(crate) run_id: Option<i64>,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) include_history: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) include_resolved_values: bool,
    #[serde(default, deserialize_with = "number")]
    pub(crate) page_token: Option<i64>,
}

#[derive(Deserialize)]
pub(crate) struct ExportQuery {
    #[serde(default, deserialize_with = "number")]
    pub(crate) run_id: Option<i64>,
    pub(crate) views_to_export: Option<String>,
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
    #[serde(default, deserialize_with = "number")]
    pub(crate) offset: Option<i64>,
    pub(crate) page_token: Option<String>,
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) expand_tasks: bool,
}

/// A JSON value as a parameter: texts as they are.
pub(crate) fn text(value: Value) -> String {
    match value {
        Value::String(it) => it,
        other => other.to_string(),
    }
}

/// An integer, which may be written as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

pub(super) fn texts(map: BTreeMap<String, Value>) -> BTreeMap<String, String> {
    map.into_iter().map(|(key, value)| (key, text(value))).collect()
}

/// A one-time run, as the client wrote it.
pub(crate) fn submitted(
    body: Value,
    is_newest: bool,
    user: &str,
) -> Result<(Submission, Terms), Refusal> {
    order(normal(body, is_newest)?, user)
}

/// What the settings of a job, or of a one-time run, ask for.
pub(crate) fn order(settings: Value, user: &str) -> Result<(Submission, Terms), Refusal> {
    let malformed = |err: serde_json::Error| Refusal::malformed(err.to_string());
    let shown = |field: &&str| Some(((*field).to_owned(), settings.get(*field)?.clone()));
    let shown: Map<String, Value> = SHOWN.iter().filter_map(shown).collect();
    let single = settings.clone();
    let body: OrderBody = serde_json::from_value(settings).map_err(malformed)?;
    let clusters = body.job_clusters;
    let is_single = body.tasks.is_none();
    let tasks = if let Some(tasks) = body.tasks {
        let spec = |it: Value| TaskBody::read(it)?.into_spec(&clusters);
        tasks.into_iter().map(spec).collect::<Result<_, _>>()?
    } else {
        let it: SingleTask = serde_json::from_value(single).map_err(malformed)?;
        if it.is_nothing() {
            Vec::new()
        } else {
            let mut spec = it.into_spec("main".to_owned(), &clusters)?;
            // The time limit of the run is there already.
            spec.timeout = None;
            vec![spec]
        }
    };
    let parameter = |it: Parameter| {
        let default = text(it.default);
        JobParameter { name: it.name, value: default.clone(), default: Some(default) }
    };
    let mut terms = Terms {
        parameters: body.parameters.into_iter().map(parameter).collect(),
        shown,
        is_single,
        is_queued: body.queue.is_some_and(|it| it.enabled),
        ..Terms::default()
    };
    let mut submission = Submission {
        run_name: body.run_name.or(body.name).unwrap_or_else(|| "Untitled".to_owned()),
        user: user.to_owned(),
        tasks,
        idempotency_token: body.idempotency_token.filter(|it| !it.is_empty()),
        timeout: seconds(body.timeout_seconds),
        job_names: Vec::new(),
    };
    terms.override_with(Overrides::default(), &mut submission);
    Ok((submission, terms))
}

/// How long the parameters of a run may be, as JSON.
const PARAMETERS: usize = 10_000;

impl ParametersBody {
    /// The parameters, if they go together and are not too long.
    pub(super) fn read(self) -> Result<Overrides, Refusal> {
        if !self.notebook_params.is_empty() && self.jar_params.is_some() {
            let text = "notebook_params cannot be specified together with jar_params";
            return Err(Refusal::invalid(text));
        }
        let list = |it: Option<Vec<Value>>| it.map(|it| it.into_iter().map(text).collect());
        let it = Overrides {
            job_parameters: texts(self.job_parameters),
            notebook_params: texts(self.notebook_params),
            python_named_params: texts(self.python_named_params),
            sql_params: texts(self.sql_params),
            python_params: list(self.python_params),
            jar_params: list(self.jar_params),
            spark_submit_params: list(self.spark_submit_params),
        };
        for (field, value) in it.fields() {
            if PARAMETERS < value.to_string().len() {
                let text =
                    format!("The field {field} must have at most {PARAMETERS} bytes as JSON");
                return Err(Refusal::invalid(text));
            }
        }
        Ok(it)
    }
}

impl RunNowBody {
    /// The parameters of the run.
    pub(crate) fn overrides(&mut self) -> Result<Overrides, Refusal> {
        let none = ParametersBody {
            job_parameters: BTreeMap::new(),
            notebook_params: BTreeMap::new(),
            python_named_params: BTreeMap::new(),
            sql_params: BTreeMap::new(),
            python_params: None,
            jar_params: None,
            spark_submit_params: None,
        };
        std::mem::replace(&mut self.parameters, none).read()
    }

    /// Lets the run have its own way with what the job asks for.
    pub(crate) fn narrow(
        &self,
        submission: &mut Submission,
        terms: &mut Terms,
    ) -> Result<(), Refusal> {
        submission.idempotency_token = self.idempotency_token.clone().filter(|it| !it.is_empty());
        if let Some(queue) = &self.queue {
            terms.is_queued = queue.enabled;
        }
        if self.only.is_empty() {
            return Ok(());
        }
        for key in &self.only {
            if !submission.tasks.iter().any(|it| it.task_key == *key) {
                let text = format!("Task '{key}' is not in the job");
                return Err(Refusal::invalid(text));
            }
        }
        submission.tasks.retain(|it| self.only.contains(&it.task_key));
        for task in &mut submission.tasks {
            task.depends_on.retain(|it| self.only.contains(&it.task_key));
        }
        Ok(())
    }
}

impl RepairBody {
    pub(crate) fn wish(self) -> Result<Wish, Refusal> {
        Ok(Wish {
            run_id: required(self.run_id, "run_id")?,
            tasks: self.rerun_tasks,
            all_failed: self.rerun_all_failed_tasks,
            dependent: self.rerun_dependent_tasks,
            latest_repair_id: self.latest_repair_id,
            overrides: self.parameters.read()?,
        })
    }
}
