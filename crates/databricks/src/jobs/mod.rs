//! Jobs: tasks that run on clusters.
//!
//! A *job* is saved and can be run again and again ([`Jobs::create`],
//! [`Jobs::run_now`]); a *run* of tasks that are not saved is
//! [submitted](Jobs::submit). Both answer with a [`JobRunId`].
//!
//! The documents that describe a job ([`NotebookTask`], [`EmailNotifications`] ...)
//! are written by serde as they are declared; those with units or alternatives
//! ([`Task`], [`JobSettings`]) have a wire form of their own.

mod check;
mod client;
mod filters;
mod job;
mod notifications;
mod ops;
mod requests;
mod run;
mod settings;
mod states;
mod submit;
mod task;
mod task_control;
mod task_kinds;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, int_id, string_id};
use futures_util::{StreamExt, stream, stream::BoxStream};

pub use self::{
    client::JobsClient,
    filters::{JobFilter, RunFilter, RunType},
    job::Job,
    notifications::{EmailNotifications, NotificationSettings, Webhook, WebhookNotifications},
    requests::{JobUpdate, RepairId, RepairRun, RunNow, RunParameters},
    run::{
        Durations, ExportedView, ExportedViews, JobRun, JobRunOutput, JobRunProgress,
        RepairHistoryItem, RunParameter, TaskRun,
    },
    settings::{
        Continuous, CronSchedule, EnvironmentSpec, GitSource, JobCluster, JobEnvironment,
        JobParameter, JobSettings, PauseStatus,
    },
    states::{
        JobRunState, JobRunStatus, LifeCycleState, ResultState, StatusState, Termination,
        TerminationKind,
    },
    submit::SubmitRun,
    task::{Dependency, MaxRetries, RunIf, Task, TaskCode, TaskCompute},
    task_control::{Comparison, ConditionTask, ForEachTask, OtherTask, PipelineTask, RunJobTask},
    task_kinds::{
        CodeSource, NotebookTask, PythonWheelTask, SparkJarTask, SparkPythonTask, SparkSubmitTask,
        SqlCode, SqlTask,
    },
};
use crate::wire::unsupported;

int_id! {
    /// Identifies a job.
    JobId
}

int_id! {
    /// Identifies a run of a job, or the run of a task in it.
    JobRunId
}

string_id! {
    /// Names a task in its run.
    TaskKey
}

/// The jobs and job runs of one Databricks workspace.
///
/// Implemented by [`JobsClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Jobs>` is the type to store. What you leave out answers
/// with an error.
#[async_trait]
pub trait Jobs: fmt::Debug + Send + Sync {
    /// Starts a run of tasks that are not saved as a job, and returns without
    /// waiting for it.
    ///
    /// Repeated after a lost response: an idempotency token makes sure that there
    /// is one run.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the tasks
    /// are not as they should be, for example when one depends on another that
    /// is not there.
    async fn submit(&self, run: &SubmitRun) -> Result<JobRunId>;

    /// Describes a run with all its tasks. Knows the runs of single tasks, too.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run.
    async fn get_run(&self, run_id: JobRunId) -> Result<JobRun>;

    /// Describes a run with all its tasks and with what repairs have replaced.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run.
    async fn get_run_with_history(&self, run_id: JobRunId) -> Result<JobRun> {
        let _ = run_id;
        Err(unsupported("databricks.jobs.runs.get"))
    }

    /// Reads what the run of one task has left: its result, its logs or its error.
    /// The service keeps it for 60 days.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a run of
    /// several tasks: ask for the output of each [`TaskRun::run_id`].
    async fn get_run_output(&self, run_id: JobRunId) -> Result<JobRunOutput>;

    /// Asks to cancel a run and returns without waiting. Does nothing to one that
    /// is over.
    ///
    /// # Errors
    ///
    /// Fails when there is no such run.
    async fn cancel_run(&self, run_id: JobRunId) -> Result<()>;

    /// Lists runs, newest first.
    fn list_runs(&self, filter: RunFilter) -> BoxStream<'static, Result<JobRun>>;

    /// Saves a job.
    ///
    /// Not repeated after a lost response: the service would save a second one.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when the
    /// definition is not as it should be.
    async fn create(&self, settings: &JobSettings) -> Result<JobId> {
        let _ = settings;
        Err(unsupported("databricks.jobs.create"))
    }

    /// Describes a job with all its tasks.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such job.
    async fn get(&self, job_id: JobId) -> Result<Job> {
        let _ = job_id;
        Err(unsupported("databricks.jobs.get"))
    }

    /// Lists jobs, newest first.
    fn list(&self, filter: JobFilter) -> BoxStream<'static, Result<Job>> {
        let _ = filter;
        stream::iter([Err(unsupported("databricks.jobs.list"))]).boxed()
    }

    /// Replaces the whole definition of a job. Runs that are active keep the old one.
    ///
    /// # Errors
    ///
    /// Fails when there is no such job, or the definition is not as it should be.
    async fn reset(&self, job_id: JobId, settings: &JobSettings) -> Result<()> {
        let _ = (job_id, settings);
        Err(unsupported("databricks.jobs.reset"))
    }

    /// Changes parts of the definition of a job.
    ///
    /// # Errors
    ///
    /// Fails when there is no such job, or the definition would not be as it should.
    async fn update(&self, job_id: JobId, update: &JobUpdate) -> Result<()> {
        let _ = (job_id, update);
        Err(unsupported("databricks.jobs.update"))
    }

    /// Forgets a job. Its active runs are canceled.
    ///
    /// # Errors
    ///
    /// Fails when there is no such job.
    async fn delete(&self, job_id: JobId) -> Result<()> {
        let _ = job_id;
        Err(unsupported("databricks.jobs.delete"))
    }

    /// Starts a run of a job and returns without waiting for it.
    ///
    /// Repeated after a lost response: an idempotency token makes sure that there
    /// is one run.
    ///
    /// # Errors
    ///
    /// Fails when there is no such job, or it does not take what it is given.
    async fn run_now(&self, job_id: JobId, run: &RunNow) -> Result<JobRunId> {
        let _ = (job_id, run);
        Err(unsupported("databricks.jobs.run_now"))
    }

    /// Asks to cancel all active runs of a job and returns without waiting.
    ///
    /// # Errors
    ///
    /// Fails when there is no such job.
    async fn cancel_all_runs(&self, job_id: JobId) -> Result<()> {
        let _ = job_id;
        Err(unsupported("databricks.jobs.runs.cancel_all"))
    }

    /// Runs tasks of a run again that is over, and returns without waiting.
    ///
    /// Not repeated after a lost response: the second repair would be another one.
    ///
    /// # Errors
    ///
    /// Fails when there is no such run, it is active, or the latest repair is not
    /// the one that is named.
    async fn repair_run(&self, run_id: JobRunId, repair: &RepairRun) -> Result<RepairId> {
        let _ = (run_id, repair);
        Err(unsupported("databricks.jobs.runs.repair"))
    }

    /// Gives the run of a notebook task as web pages.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) for a run of
    /// several tasks, or of another kind.
    async fn export_run(
        &self,
        run_id: JobRunId,
        views: &ExportedViews,
    ) -> Result<Vec<ExportedView>> {
        let _ = (run_id, views);
        Err(unsupported("databricks.jobs.runs.export"))
    }

    /// Forgets a run that is over.
    ///
    /// # Errors
    ///
    /// Fails when there is no such run, or it is active.
    async fn delete_run(&self, run_id: JobRunId) -> Result<()> {
        let _ = run_id;
        Err(unsupported("databricks.jobs.runs.delete"))
    }
}

const _: fn(&dyn Jobs) = |_| ();
