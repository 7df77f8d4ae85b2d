use async_trait::async_trait;
use azml_core::{Endpoint, Poller, Progress, Result, WaitOptions, stream_pages};
use futures_util::stream::BoxStream;
use uuid::Uuid;

use super::{JobRun, JobRunId, JobRunOutput, JobRunState, Jobs, RunFilter, SubmitRun, ops};

/// Talks to the Jobs API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct JobsClient {
    endpoint: Endpoint,
}

impl JobsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Looks until the run is over, whatever it came to.
    pub fn poll_until_terminated(
        &self,
        run_id: JobRunId,
        options: WaitOptions,
    ) -> Poller<JobRunState, JobRun> {
        const NAME: &str = "databricks.jobs.runs.wait_until_terminated";
        let client = self.clone();
        Poller::new(NAME, options, self.endpoint.clock().clone(), move || {
            let client = client.clone();
            async move {
                let run = client.get_run(run_id).await?;
                Ok(if run.state.is_terminal() {
                    Progress::Done(run)
                } else {
                    Progress::Pending(run.state)
                })
            }
        })
    }

    /// Waits until the run is over. A run that failed is no error here:
    /// [`JobRunState::is_success`] tells.
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
}

#[async_trait]
impl Jobs for JobsClient {
    async fn submit(&self, run: &SubmitRun) -> Result<JobRunId> {
        let token = match &run.idempotency_token {
            Some(token) => token.clone(),
            None => Uuid::new_v4().to_string(),
        };
        self.endpoint.call(&ops::Submit { run, token: &token }).await
    }

    async fn get_run(&self, run_id: JobRunId) -> Result<JobRun> {
        let (mut run, mut token) = self.endpoint.call(&ops::Get { run_id, token: None }).await?;
        while token.is_some() {
            let (more, next) = self.endpoint.call(&ops::Get { run_id, token }).await?;
            run.tasks.extend(more.tasks);
            token = next;
        }
        Ok(run)
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
            async move { endpoint.call(&ops::List { filter: &filter, token }).await }
        })
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
