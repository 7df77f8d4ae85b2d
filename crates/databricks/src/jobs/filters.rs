//! Which jobs and runs to list.

use time::OffsetDateTime;

use super::JobId;

/// Which jobs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFilter {
    /// Only those of this name; case does not count.
    pub name: Option<String>,
    /// Whether to describe tasks and clusters too, up to 100 of each.
    pub expand_tasks: bool,
}

impl JobFilter {
    /// Takes only the jobs of this name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// Describes tasks and clusters too.
    #[must_use]
    pub fn with_expand_tasks(self, expand_tasks: bool) -> Self {
        Self { expand_tasks, ..self }
    }
}

word_enum! {
    /// How a run came about.
    RunType {
        /// From a saved job.
        JobRun = "JOB_RUN",
        /// By [`Jobs::submit`](super::Jobs::submit).
        SubmitRun = "SUBMIT_RUN",
        /// By `dbutils.notebook.run`.
        WorkflowRun = "WORKFLOW_RUN",
    }
}

/// Which runs to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFilter {
    /// Only those of one job.
    pub job_id: Option<JobId>,
    /// Only those that are not over.
    pub active_only: bool,
    /// Only those that are over. Not together with `active_only`.
    pub completed_only: bool,
    /// Only those that came about like this.
    pub run_type: Option<RunType>,
    /// Only those that started then or later.
    pub started_from: Option<OffsetDateTime>,
    /// Only those that started then or earlier.
    pub started_to: Option<OffsetDateTime>,
    /// Whether to describe the tasks too, up to 100 of them.
    pub expand_tasks: bool,
}

impl RunFilter {
    /// Takes only the runs of one job.
    #[must_use]
    pub fn with_job_id(self, job_id: JobId) -> Self {
        Self { job_id: Some(job_id), ..self }
    }

    /// Takes only runs that are not over.
    #[must_use]
    pub fn with_active_only(self, active_only: bool) -> Self {
        Self { active_only, ..self }
    }

    /// Takes only runs that are over.
    #[must_use]
    pub fn with_completed_only(self, completed_only: bool) -> Self {
        Self { completed_only, ..self }
    }

    /// Takes only runs that came about like this.
    #[must_use]
    pub fn with_run_type(self, run_type: RunType) -> Self {
        Self { run_type: Some(run_type), ..self }
    }

    /// Takes only runs that started then or later.
    #[must_use]
    pub fn with_started_from(self, at: OffsetDateTime) -> Self {
        Self { started_from: Some(at), ..self }
    }

    /// Takes only runs that started then or earlier.
    #[must_use]
    pub fn with_started_to(self, at: OffsetDateTime) -> Self {
        Self { started_to: Some(at), ..self }
    }

    /// Describes the tasks too.
    #[must_use]
    pub fn with_expand_tasks(self, expand_tasks: bool) -> Self {
        Self { expand_tasks, ..self }
    }
}
