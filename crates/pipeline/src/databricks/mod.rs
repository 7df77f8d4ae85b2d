//! Pipelines as one run of several tasks on Databricks itself.

mod capture;
mod folders;
mod places;
mod recorder;
mod status;
mod tasks;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use azml_core::{Clock, Error, ErrorKind, TokioClock};
use azml_databricks::{
    Databricks,
    jobs::{JobRun, JobRunId, Jobs, JobsClient},
};
use time::OffsetDateTime;
use tracing::warn;
use uuid::Uuid;

pub use self::recorder::{RecordedIn, Recording, RunRecorder, RunToRecord};
use self::{places::Places, recorder::Recorder, tasks::Tasks};
use crate::{
    Pipeline, PipelineBackend, PipelineError, PipelineRunDetails, PipelineRunId, PipelineStatus,
    Problem, ProblemKind, Result, StepLog, StepName, StepOutput, StepRun, StepStatus,
    SubmitOptions, choices::Chosen, snapshot::Snapshot,
};

const NAME: &str = "databricks.pipelines";

/// Runs pipelines on a Databricks workspace, without Azure ML in between: a pipeline
/// becomes one run with a task for each step.
///
/// * The code gets what Azure ML gives it: widgets of a notebook, arguments of a script
///   or a JAR, the addresses of data by name. Addresses are those of
///   [`with_datastore`](Self::with_datastore).
/// * Folders of local scripts go to DBFS, under the hash of their content, so that an
///   unchanged one is not uploaded again.
/// * `compute_target` is not looked at: all steps run in this workspace. No output is
///   reused. Databricks always runs on what does not depend on a failed step.
/// * Databricks keeps what a notebook prints on the page of its run; the log of such a
///   step is what the notebook exits with.
/// * What a run left ([`outputs`](PipelineBackend::outputs), names of steps) is known to
///   the backend that submitted it, and to its clones.
#[derive(Clone, Debug)]
pub struct DatabricksJobs {
    databricks: Databricks,
    clock: Arc<dyn Clock>,
    places: Places,
    recorder: Recorder,
    known: Arc<Mutex<HashMap<JobRunId, Known>>>,
}

/// What was submitted.
#[derive(Clone, Debug)]
struct Known {
    experiment: String,
    /// By the name of the task.
    steps: HashMap<String, KnownStep>,
    recording: Option<Recording>,
    /// Which ends have been recorded: those of steps, and `None` for the run's own.
    ended: HashSet<Option<usize>>,
}

#[derive(Clone, Debug)]
struct KnownStep {
    name: StepName,
    number: usize,
    outputs: Vec<StepOutput>,
}

impl DatabricksJobs {
    /// Runs pipelines on the workspace of `databricks`.
    pub fn new(databricks: &Databricks) -> Self {
        Self {
            databricks: databricks.clone(),
            clock: Arc::new(TokioClock::new()),
            places: Places::default(),
            recorder: None,
            known: Arc::default(),
        }
    }

    /// Says where a datastore is for Databricks: `dbfs:/mnt/lake`, `abfss://..`. Needed
    /// for data that is there already; what steps write is kept below
    /// `dbfs:/azml/datastores/{name}` otherwise.
    #[must_use]
    pub fn with_datastore(self, name: impl Into<String>, root: impl Into<String>) -> Self {
        Self { places: self.places.with_root(name.into(), &root.into()), ..self }
    }

    /// Records each run, with a child for each step.
    #[must_use]
    pub fn with_recorder(self, recorder: impl RunRecorder + 'static) -> Self {
        Self { recorder: Some(Arc::new(recorder)), ..self }
    }

    /// Waits by this clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// The JSON body of the run that `pipeline` would become, on one line. Reads folders of local
    /// scripts; sends nothing, and needs no workspace.
    ///
    /// # Errors
    ///
    /// [`PipelineError::Invalid`] with all problems.
    pub async fn preview(pipeline: &Pipeline, options: &SubmitOptions) -> Result<String> {
        let chosen = Chosen::beside(problems(pipeline), pipeline, options)?;
        let snapshots = read_folders(pipeline).await?;
        let folders: Vec<_> = snapshots
            .iter()
            .map(|it| it.as_ref().map(|it| folders::address(&it.content_hash)))
            .collect();
        let places = Places::default();
        let tasks = Tasks::new(pipeline, &chosen, &places, "run-1", &folders, &[]);
        Ok(capture::body(&tasks.submission()).await?)
    }

    /// Makes the folders that steps write to, and starts the run.
    async fn send(&self, tasks: &Tasks<'_>) -> Result<JobRunId> {
        folders::make(&self.databricks, &tasks.folders_to_write()).await?;
        Ok(self.jobs().submit(&tasks.submission()).await?)
    }

    /// Ends the record of a run that has not come about.
    async fn give_up(&self, recording: Option<&Recording>, err: &PipelineError) {
        let (Some(recorder), Some(recording)) = (&self.recorder, recording) else { return };
        let mut outcome = Ok(());
        for step in &recording.steps {
            let ended = recorder.end_step(step, &StepStatus::Failed, Some(&err.to_string())).await;
            outcome = outcome.and(ended);
        }
        outcome = outcome.and(recorder.end(&recording.run, &PipelineStatus::Failed).await);
        if let Err(err) = outcome {
            warn!(%err, "the record of a run that was not submitted is left open");
        }
    }

    fn jobs(&self) -> JobsClient {
        self.databricks.jobs()
    }

    async fn run(&self, id: &PipelineRunId) -> Result<JobRun> {
        Ok(self.jobs().get_run(run_id(id)?).await?)
    }

    fn known(&self, id: JobRunId) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn details(&self, run: &JobRun) -> PipelineRunDetails {
        let experiment = self.known(run.run_id).map(|it| it.experiment);
        let experiment = experiment.unwrap_or_else(|| run.run_name.clone());
        let details = PipelineRunDetails::new(run.run_id.to_string(), experiment);
        PipelineRunDetails {
            status: status::of_run(run),
            created_at: run.started_at,
            ended_at: run.ended_at,
            ..details
        }
    }

    fn step_runs(&self, run: &JobRun) -> Vec<StepRun> {
        let known = self.known(run.run_id);
        let steps = run.tasks.iter().map(|task| {
            let key = task.task_key.as_str();
            let name = known.as_ref().and_then(|it| it.steps.get(key)).map(|it| it.name.clone());
            let status = status::of_task(task);
            let failed = status == StepStatus::Failed && !task.state.state_message.is_empty();
            StepRun {
                node_id: key.to_owned(),
                created_at: task.started_at,
                started_at: begun(task.started_at, &status),
                ended_at: task.ended_at.filter(|_| status.is_terminal()),
                error: failed.then(|| task.state.state_message.clone()),
                status,
                ..StepRun::new(task.run_id.to_string(), name.unwrap_or_else(|| key.into()))
            }
        });
        steps.collect()
    }

    /// Ends what is over in the record, each once: whoever marks it first ends it.
    async fn settle(&self, run: &JobRun) -> Result<()> {
        let (Some(recorder), Some(known)) = (&self.recorder, self.known(run.run_id)) else {
            return Ok(());
        };
        let Some(recording) = &known.recording else { return Ok(()) };
        for step in self.step_runs(run) {
            let Some(known_step) = known.steps.get(&step.node_id) else { continue };
            let mark = Some(known_step.number);
            if !step.status.is_terminal() || !self.mark(run.run_id, mark) {
                continue;
            }
            if let Some(reference) = recording.steps.get(known_step.number) {
                let ended = recorder.end_step(reference, &step.status, step.error.as_deref());
                ended.await.inspect_err(|_| self.unmark(run.run_id, mark))?;
            }
        }
        let status = status::of_run(run);
        if status.is_terminal() && self.mark(run.run_id, None) {
            let ended = recorder.end(&recording.run, &status).await;
            ended.inspect_err(|_| self.unmark(run.run_id, None))?;
        }
        Ok(())
    }

    /// Marks a step, or the run, as ended; whether it was not before.
    fn mark(&self, id: JobRunId, mark: Option<usize>) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_mut(&id).is_some_and(|it| it.ended.insert(mark))
    }

    /// It has to be tried again.
    fn unmark(&self, id: JobRunId, mark: Option<usize>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get_mut(&id) {
            known.ended.remove(&mark);
        }
    }
}

#[async_trait]
impl PipelineBackend for DatabricksJobs {
    fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    async fn submit(
        &self,
        pipeline: &Pipeline,
        options: &SubmitOptions,
    ) -> Result<PipelineRunDetails> {
        let mut problems = problems(pipeline);
        problems.extend(self.places.problems(pipeline));
        let chosen = Chosen::beside(problems, pipeline, options)?;
        let snapshots = read_folders(pipeline).await?;
        let mut folders = Vec::with_capacity(snapshots.len());
        for snapshot in &snapshots {
            folders.push(match snapshot {
                Some(snapshot) => Some(folders::upload(&self.databricks, snapshot).await?),
                None => None,
            });
        }
        let recording = match &self.recorder {
            Some(recorder) => Some(recorder.begin(&to_record(pipeline, &chosen, options)).await?),
            None => None,
        };
        let identities = recording.as_ref().map(|it| it.identities.clone()).unwrap_or_default();
        let run = Uuid::new_v4().simple().to_string();
        let tasks = Tasks::new(pipeline, &chosen, &self.places, &run, &folders, &identities);
        let id = match self.send(&tasks).await {
            Ok(id) => id,
            Err(err) => {
                self.give_up(recording.as_ref(), &err).await;
                return Err(err);
            }
        };
        let keys = tasks.keys.iter().zip(&pipeline.steps).enumerate();
        let steps = keys.map(|(number, (key, step))| {
            let outputs =
                step.outputs.iter().map(|it| Places::step_output(it, key, &run, pipeline));
            let step = KnownStep { name: step.name.clone(), number, outputs: outputs.collect() };
            (key.clone(), step)
        });
        let known = Known {
            experiment: chosen.experiment.clone(),
            steps: steps.collect(),
            recording,
            ended: HashSet::new(),
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id, known);
        Ok(PipelineRunDetails::new(id.to_string(), chosen.experiment))
    }

    async fn get(&self, id: &PipelineRunId) -> Result<PipelineRunDetails> {
        let run = self.run(id).await?;
        self.settle(&run).await?;
        Ok(self.details(&run))
    }

    async fn cancel(&self, id: &PipelineRunId) -> Result<()> {
        Ok(self.jobs().cancel_run(run_id(id)?).await?)
    }

    async fn steps(&self, run: &PipelineRunDetails) -> Result<Vec<StepRun>> {
        let run = self.run(&run.id).await?;
        Ok(self.step_runs(&run))
    }

    async fn log(&self, _: &PipelineRunId, step: &StepRun, log: StepLog) -> Result<String> {
        let id = step.id.as_str().parse::<JobRunId>();
        let id = id.map_err(|err| Error::local(NAME, ErrorKind::InvalidArgument, err))?;
        if log == StepLog::Job {
            let run = self.jobs().get_run(id).await?;
            let lines = [run.state.state_message, run.run_page_url];
            let lines: Vec<_> = lines.into_iter().filter(|it| !it.is_empty()).collect();
            return Ok(lines.join("\n"));
        }
        let output = match self.jobs().get_run_output(id).await {
            // A task that has not begun has left nothing.
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(String::new()),
            output => output?,
        };
        Ok(match log {
            StepLog::Error => {
                let texts = [output.error, output.error_trace];
                texts.into_iter().flatten().collect::<Vec<_>>().join("\n")
            }
            _ => output.logs.or(output.notebook_result).unwrap_or_default(),
        })
    }

    async fn outputs(&self, run: &PipelineRunId, step: &StepRun) -> Result<Vec<StepOutput>> {
        let Some(known) = self.known(run_id(run)?) else {
            let reason = "Databricks does not keep the outputs of a run: ask the backend that \
                          submitted it";
            let problem =
                Problem::new("outputs", ProblemKind::Unsupported, reason, "or follow it there");
            return Err(PipelineError::Invalid(vec![problem]));
        };
        Ok(known.steps.get(&step.node_id).map(|it| it.outputs.clone()).unwrap_or_default())
    }
}

/// What is wrong with the definition. That a step has no compute target is not: all run
/// in one workspace.
fn problems(pipeline: &Pipeline) -> Vec<Problem> {
    let mut problems = pipeline.problems();
    problems.retain(|it| it.field != "compute_target");
    problems
}

fn run_id(id: &PipelineRunId) -> Result<JobRunId> {
    let parsed = id.as_str().parse::<JobRunId>();
    Ok(parsed.map_err(|err| Error::local(NAME, ErrorKind::InvalidArgument, err))?)
}

/// A task that waits has a start of its own, which is not that of its code.
fn begun(at: Option<OffsetDateTime>, status: &StepStatus) -> Option<OffsetDateTime> {
    at.filter(|_| !matches!(status, StepStatus::NotStarted | StepStatus::Queued))
}

fn to_record(pipeline: &Pipeline, chosen: &Chosen, options: &SubmitOptions) -> RunToRecord {
    let names = pipeline.parameters.iter().map(|it| &it.name);
    let parameters =
        names.map(|it| (it.to_string(), chosen.value(pipeline, it).to_string())).collect();
    RunToRecord {
        pipeline: pipeline.name.clone(),
        experiment: chosen.experiment.clone(),
        steps: pipeline.steps.iter().map(|it| it.name.clone()).collect(),
        parameters,
        tags: options.tags.iter().cloned().collect(),
    }
}

async fn read_folders(pipeline: &Pipeline) -> Result<Vec<Option<Snapshot>>> {
    let mut snapshots = Vec::with_capacity(pipeline.steps.len());
    for step in &pipeline.steps {
        snapshots.push(match &step.code.source_directory {
            None => None,
            Some(folder) => Some(Snapshot::of_step(&step.name, folder).await?),
        });
    }
    Ok(snapshots)
}

#[cfg(test)]
mod tests;
