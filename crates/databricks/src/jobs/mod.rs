//! Jobs: tasks that run on clusters.

mod client;
mod ops;
mod run;
mod submit;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, int_id, string_id};
use futures_util::stream::BoxStream;

pub use self::{
    client::JobsClient,
    run::{JobRun, JobRunOutput, JobRunState, LifeCycleState, ResultState, TaskRun},
    submit::{
        NotebookTask, PythonWheelTask, RunFilter, SparkJarTask, SparkPythonTask, SubmitRun, Task,
        TaskCode, TaskCompute,
    },
};

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

/// The job runs of one Databricks workspace.
///
/// Implemented by [`JobsClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Jobs>` is the type to store.
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

    /// Describes a run.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is no such run.
    async fn get_run(&self, run_id: JobRunId) -> Result<JobRun>;

    /// Reads what the run of one task has left: its result, its logs or its error.
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
}

const _: fn(&dyn Jobs) = |_| ();
