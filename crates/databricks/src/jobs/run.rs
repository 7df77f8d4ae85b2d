use std::{fmt, time::Duration};

use time::OffsetDateTime;

use super::{
    Dependency, JobId, JobRunId, JobRunState, JobRunStatus, LifeCycleState, RepairId, RunIf,
    RunType, TaskCode, TaskKey,
};
use crate::clusters::ClusterId;

/// A run as the service last described it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobRun {
    /// The id that [`Jobs::submit`](super::Jobs::submit) returned.
    pub run_id: JobRunId,
    /// The job it belongs to. A submitted run has one of its own.
    pub job_id: Option<JobId>,
    /// The run that this is a task of, if it was asked for by the id of a task.
    pub job_run_id: Option<JobRunId>,
    /// What people call it.
    pub run_name: String,
    /// How it came about.
    pub run_type: Option<RunType>,
    /// What started it, for example `ONE_TIME`, `PERIODIC`, `RETRY`.
    pub trigger: Option<String>,
    /// Where it is and what it came to.
    pub state: JobRunState,
    /// The same in newer words, which tell why it ended.
    pub status: Option<JobRunStatus>,
    /// Its tasks, those of all attempts. A listing has at most 100 of them, and only
    /// if it was asked for them.
    pub tasks: Vec<TaskRun>,
    /// What ran for each input, if it was asked for by the id of a loop.
    pub iterations: Vec<TaskRun>,
    /// The values of the parameters of its job.
    pub job_parameters: Vec<RunParameter>,
    /// The run at first and each repair, if they were asked for.
    pub repair_history: Vec<RepairHistoryItem>,
    /// How often it was tried before.
    pub attempt_number: u32,
    /// The page that shows it. May be empty.
    pub run_page_url: String,
    /// Who started it.
    pub creator_user_name: String,
    /// When it was started.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Where the time went.
    pub durations: Durations,
    /// Whether this is not all of it, as in a listing.
    pub has_more: bool,
}

/// A task of a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskRun {
    /// Its name in the run.
    pub task_key: TaskKey,
    /// The id to ask for its output by.
    pub run_id: JobRunId,
    /// What it runs.
    pub code: Option<TaskCode>,
    /// Where it is and what it came to.
    pub state: JobRunState,
    /// The same in newer words, which tell why it ended.
    pub status: Option<JobRunStatus>,
    /// The cluster that it runs on, once there is one.
    pub cluster_id: Option<ClusterId>,
    /// How often it was tried before.
    pub attempt_number: u32,
    /// The tasks that it waits for.
    pub depends_on: Vec<Dependency>,
    /// What those must have come to.
    pub run_if: Option<RunIf>,
    /// What it came to, if it is a condition.
    pub outcome: Option<bool>,
    /// The page that shows it. May be empty.
    pub run_page_url: String,
    /// When it was started.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Where the time went.
    pub durations: Durations,
}

/// Where the time of a run went. What the service did not say is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// In the queue.
    pub queue: Duration,
    /// Until there was a cluster with its libraries.
    pub setup: Duration,
    /// At work.
    pub execution: Duration,
    /// Cleaning up.
    pub cleanup: Duration,
    /// All of it.
    pub run: Duration,
}

/// A parameter of a job in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunParameter {
    /// Its name.
    pub name: String,
    /// The value in this run.
    pub value: String,
    /// The value that the job says.
    pub default: Option<String>,
}

/// A run at first, or one of its repairs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairHistoryItem {
    /// Which repair it was. `None` is the run at first.
    pub id: Option<RepairId>,
    /// What it came to.
    pub state: JobRunState,
    /// The runs of its tasks.
    pub task_run_ids: Vec<JobRunId>,
    /// When it was started.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
}

impl JobRun {
    /// The last attempt of the task `task_key`.
    pub fn task(&self, task_key: &str) -> Option<&TaskRun> {
        let its = self.tasks.iter().filter(|it| it.task_key.as_str() == task_key);
        its.max_by_key(|it| it.attempt_number)
    }

    /// The last repair, if the history was asked for and there is one.
    pub fn latest_repair_id(&self) -> Option<RepairId> {
        self.repair_history.iter().rev().find_map(|it| it.id)
    }
}

/// How far a run is, while one waits for it.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct JobRunProgress {
    /// Where the run is.
    pub state: JobRunState,
    /// Its tasks, and where each of them is.
    pub tasks: Vec<TaskRun>,
}

impl JobRunProgress {
    /// Of a run that the service does not show yet.
    pub(super) fn unseen() -> Self {
        let state = JobRunState {
            life_cycle_state: LifeCycleState::Pending,
            result_state: None,
            state_message: "the service does not show the run yet".to_owned(),
        };
        Self { state, tasks: Vec::new() }
    }
}

impl fmt::Debug for JobRunProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.state.life_cycle_state)?;
        for (index, task) in self.tasks.iter().enumerate() {
            let before = if index == 0 { " (" } else { ", " };
            write!(f, "{before}{} {}", task.task_key, task.state.life_cycle_state)?;
        }
        if self.tasks.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

/// What the run of a task has left.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct JobRunOutput {
    /// What a notebook gave to `dbutils.notebook.exit`: at most 5 MB.
    pub notebook_result: Option<String>,
    /// Whether the result was longer than the service keeps.
    pub is_notebook_result_truncated: bool,
    /// The end of what a script printed: at most 5 MB.
    pub logs: Option<String>,
    /// Whether it printed more than the service keeps.
    pub are_logs_truncated: bool,
    /// The error in one line, if it failed.
    pub error: Option<String>,
    /// Where the error came from, line by line.
    pub error_trace: Option<String>,
    /// The run that it started, if it is a [`RunJob`](TaskCode::RunJob).
    pub called_run_id: Option<JobRunId>,
    /// The page with the result, if it is SQL.
    pub sql_output_link: Option<String>,
    /// The run itself.
    pub run: Option<JobRun>,
}

word_enum! {
    /// What of a run is exported.
    ExportedViews {
        /// The notebook.
        Code = "CODE",
        /// Its dashboards.
        Dashboards = "DASHBOARDS",
        /// Both.
        All = "ALL",
    }
}

/// A web page that shows a run of a notebook.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportedView {
    /// The name of the notebook or dashboard.
    pub name: String,
    /// `NOTEBOOK` or `DASHBOARD`.
    pub kind: String,
    /// HTML.
    pub content: String,
}
