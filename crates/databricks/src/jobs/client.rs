use async_trait::async_trait;
use azml_core::{Endpoint, ErrorKind, Poller, Progress, Result, WaitOptions, stream_pages};
use futures_util::stream::BoxStream;
use uuid::Uuid;

use super::{
    ExportedView, ExportedViews, Job, JobFilter, JobId, JobRun, JobRunId, JobRunOutput,
    JobRunProgress, JobSettings, JobUpdate, Jobs, RepairId, RepairRun, RunFilter, RunNow,
    SubmitRun, ops,
};

/// Talks to the Jobs API 2.2 of one Databricks workspace.
///
/// ```no_run
/// use azml_core::WaitOptions;
/// use azml_databricks::{
///     Databricks,
///     jobs::{JobSettings, Jobs, NotebookTask, RunNow, Task},
/// };
///
/// # async fn demo(databricks: &Databricks) -> azml_core::Result<()> {
/// let jobs = databricks.jobs();
/// let load = Task::new("load", NotebookTask::new("/Shared/load"));
/// let train = Task::new("train", NotebookTask::new("/Shared/train")).with_dependency("load");
/// let job_id = jobs.create(&JobSettings::new("nightly", [load, train])).await?;
///
/// let run_id = jobs.run_now(job_id, &RunNow::default()).await?;
/// let run = jobs.wait_until_terminated(run_id, WaitOptions::default()).await?;
/// for task in &run.tasks {
///     println!("{}: {}", task.task_key, task.state);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JobsClient {
    endpoint: Endpoint,
}

impl JobsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Looks until the run is over, whatever it came to. Shows the tasks on the way.
    pub fn poll_until_terminated(
        &self,
        run_id: JobRunId,
        options: WaitOptions,
    ) -> Poller<JobRunProgress, JobRun> {
        const NAME: &str = "databricks.jobs.runs.wait_until_terminated";
        let client = self.clone();
        let mut is_first = true;
        Poller::new(NAME, options, self.endpoint.clock().clone(), move || {
            let (client, is_first) = (client.clone(), std::mem::take(&mut is_first));
            async move {
                let run = match client.get_run(run_id).await {
                    // What has just been started is not always seen at once.
                    Err(err) if is_first && err.kind() == ErrorKind::NotFound => {
                        return Ok(Progress::Pending(JobRunProgress::unseen()));
                    }
                    found => found?,
                };
                Ok(if run.state.is_terminal() {
                    Progress::Done(run)
                } else {
                    Progress::Pending(JobRunProgress { state: run.state, tasks: run.tasks })
                })
            }
        })
    }

    /// Waits until the run is over. A run that failed is no error here:
    /// [`is_success`](super::JobRunState::is_success) tells.
    ///
    /// # Errors
    ///
    /// [`Timeout`](azml_core::ErrorKind::Timeout) when it takes too long.
    pub async fn wait_until_terminated(
        &self,
        run_id: JobRunId,
        options: WaitOptions,
    ) -> Result<JobRun> {
        self.poll_until_terminated(run_id, options).until_done().await
    }

    /// A run with all its tasks. It shows a hundred at a time.
    async fn whole_run(&self, run_id: JobRunId, with_history: bool) -> Result<JobRun> {
        let page = |token| ops::GetRun { run_id, with_history, token };
        let (mut run, mut token) = self.endpoint.call(&page(None)).await?;
        while token.is_some() {
            let (more, next) = self.endpoint.call(&page(token)).await?;
            run.tasks.extend(more.tasks);
            run.iterations.extend(more.iterations);
            run.job_parameters.extend(more.job_parameters);
            run.repair_history.extend(more.repair_history);
            run.has_more = more.has_more;
            token = next;
        }
        Ok(run)
    }
}

/// The token that was given, or a new one.
fn token(given: Option<&String>) -> String {
    given.cloned().unwrap_or_else(|| Uuid::new_v4().to_string())
}

#[async_trait]
impl Jobs for JobsClient {
    async fn submit(&self, run: &SubmitRun) -> Result<JobRunId> {
        let token = token(run.idempotency_token.as_ref());
        self.endpoint.call(&ops::Submit { run, token: &token }).await
    }

    async fn get_run(&self, run_id: JobRunId) -> Result<JobRun> {
        self.whole_run(run_id, false).await
    }

    async fn get_run_with_history(&self, run_id: JobRunId) -> Result<JobRun> {
        self.whole_run(run_id, true).await
    }

    async fn get_run_output(&self, run_id: JobRunId) -> Result<JobRunOutput> {
        self.endpoint.call(&ops::GetOutput(run_id)).await
    }

    async fn cancel_run(&self, run_id: JobRunId) -> Result<()> {
        self.endpoint.call(&ops::Cancel(run_id)).await
    }

    fn list_runs(&self, filter: RunFilter) -> BoxStream<'static, Result<JobRun>> {
        let endpoint = self.endpoint.clone();
        stream_pages(move |token| {
            let (endpoint, filter) = (endpoint.clone(), filter.clone());
            async move { endpoint.call(&ops::ListRuns { filter: &filter, token }).await }
        })
    }

    async fn create(&self, settings: &JobSettings) -> Result<JobId> {
        self.endpoint.call(&ops::Create(settings)).await
    }

    async fn get(&self, job_id: JobId) -> Result<Job> {
        let (mut job, mut token) = self.endpoint.call(&ops::Get { job_id, token: None }).await?;
        while token.is_some() {
            let (more, next) = self.endpoint.call(&ops::Get { job_id, token }).await?;
            job.settings.tasks.extend(more.settings.tasks);
            job.settings.job_clusters.extend(more.settings.job_clusters);
            job.settings.parameters.extend(more.settings.parameters);
            job.settings.environments.extend(more.settings.environments);
            job.has_more = more.has_more;
            token = next;
        }
        Ok(job)
    }

    fn list(&self, filter: JobFilter) -> BoxStream<'static, Result<Job>> {
        let endpoint = self.endpoint.clone();
        stream_pages(move |token| {
            let (endpoint, filter) = (endpoint.clone(), filter.clone());
            async move { endpoint.call(&ops::List { filter: &filter, token }).await }
        })
    }

    async fn reset(&self, job_id: JobId, settings: &JobSettings) -> Result<()> {
        self.endpoint.call(&ops::Reset(job_id, settings)).await
    }

    async fn update(&self, job_id: JobId, update: &JobUpdate) -> Result<()> {
        self.endpoint.call(&ops::Update(job_id, update)).await
    }

    async fn delete(&self, job_id: JobId) -> Result<()> {
        self.endpoint.call(&ops::Delete(job_id)).await
    }

    async fn run_now(&self, job_id: JobId, run: &RunNow) -> Result<JobRunId> {
        let token = token(run.idempotency_token.as_ref());
        self.endpoint.call(&ops::RunNow { job_id, run, token: &token }).await
    }

    async fn cancel_all_runs(&self, job_id: JobId) -> Result<()> {
        self.endpoint.call(&ops::CancelAll(job_id)).await
    }

    async fn repair_run(&self, run_id: JobRunId, repair: &RepairRun) -> Result<RepairId> {
        self.endpoint.call(&ops::Repair(run_id, repair)).await
    }

    async fn export_run(
        &self,
        run_id: JobRunId,
        views: &ExportedViews,
    ) -> Result<Vec<ExportedView>> {
        self.endpoint.call(&ops::Export(run_id, views)).await
    }

    async fn delete_run(&self, run_id: JobRunId) -> Result<()> {
        self.endpoint.call(&ops::DeleteRun(run_id)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Databricks,
        jobs::{NotebookTask, Task},
        testing::Scripted,
    };

    #[tokio::test(start_paused = true)]
    async fn a_submission_whose_answer_was_lost_is_repeated_with_the_same_token() {
        let script = Scripted::new([(0, ""), (200, r#"{"run_id":7}"#)]);
        let jobs = Databricks::new("https://adb-1.test", script.clone()).jobs();
        let run = SubmitRun::new("run", [Task::new("a", NotebookTask::new("/a"))]);

        jobs.submit(&run).await.unwrap();
        jobs.submit(&run).await.unwrap();

        let sent = script.sent.lock();
        let tokens: Vec<_> = sent.iter().map(|it| it.1["idempotency_token"].clone()).collect();
        assert_eq!(tokens[0], tokens[1]);
        assert_ne!(tokens[1], tokens[2]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_ends_with_the_run_and_gathers_all_its_tasks() {
        let running = r#"{"run_id":7,"state":{"life_cycle_state":"RUNNING"}}"#;
        let task = |key: &str, rest: &str| {
            let state = r#""state":{"life_cycle_state":"TERMINATED","result_state":"SUCCESS"}"#;
            format!(
                r#"{{"run_id":7,{state},"tasks":[{{"task_key":"{key}","run_id":8,{state}}}]{rest}}}"#
            )
        };
        let (first, last) = (task("a", r#","next_page_token":"t""#), task("b", ""));
        let script = Scripted::new([(200, running), (200, &*first), (200, &*last)]);
        let jobs = Databricks::new("https://adb-1.test", script.clone()).jobs();

        let wait = jobs.wait_until_terminated(JobRunId::new(7), WaitOptions::default());
        let run = wait.await.unwrap();

        assert!(run.state.is_success());
        let keys: Vec<_> = run.tasks.iter().map(|it| it.task_key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);
        assert_eq!(script.paths()[2], "/api/2.2/jobs/runs/get?run_id=7&page_token=t");
    }
}
