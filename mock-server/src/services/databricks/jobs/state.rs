pub(super) mod control;
pub(super) mod definitions;
pub(super) mod due;
pub(super) mod ends;
mod evolve;
mod find;
pub(super) mod launch;
pub(super) mod references;
pub(super) mod repair;
pub(super) mod rules;
mod runs;
pub(super) mod settings;
pub(super) mod spec;
pub(super) mod terms;
pub(super) mod view;
pub(super) mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(super) use self::find::Wanted;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use self::{
    definitions::Job,
    repair::Repair,
    runs::JobRuns,
    spec::{Submission, TaskSpec},
    terms::Terms,
};
use crate::{
    executor::outcomes::{Outcome, RuleResult},
    kernel::Secret,
};

/// The runs and the saved jobs of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Jobs {
    pub(super) saved: BTreeMap<i64, Job>,
    runs: JobRuns,
    /// The job run of each task run, past attempts included.
    parents: BTreeMap<i64, i64>,
    /// The job runs that have not ended.
    unsettled: BTreeSet<i64>,
    by_token: BTreeMap<String, i64>,
    /// The job runs of each job, oldest first.
    by_job: BTreeMap<i64, BTreeSet<i64>>,
    /// The runs of saved jobs, and the others.
    recurring: BTreeSet<i64>,
    one_time: BTreeSet<i64>,
    /// When a run of a saved job ended last.
    freed: BTreeMap<i64, OffsetDateTime>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobRun {
    pub(super) run_id: i64,
    pub(super) job_id: i64,
    /// Whether it is a run of a saved job.
    pub(super) is_saved: bool,
    pub(super) submission: Submission,
    pub(super) terms: Terms,
    pub(super) submitted_at: OffsetDateTime,
    /// When it was let in: at once, unless it had to queue.
    pub(super) admitted_at: Option<OffsetDateTime>,
    /// Turned away at once, because its job had as many runs as it may have.
    pub(super) is_rejected: bool,
    /// Which task of the submission has a key.
    pub(super) keys: BTreeMap<String, usize>,
    /// One for each task of the submission, in the same order.
    pub(super) tasks: Vec<TaskRun>,
    /// What the loops among the tasks consist of.
    pub(super) iterations: Vec<TaskRun>,
    /// Attempts that failed and were repeated.
    pub(super) past: Vec<TaskRun>,
    /// Attempts, and iterations, from before a repair.
    pub(super) replaced: Vec<TaskRun>,
    pub(super) repairs: Vec<Repair>,
    /// The clusters that tasks share, by the key of the job cluster.
    pub(super) clusters: BTreeMap<String, String>,
}

/// One attempt at one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskRun {
    pub(super) run_id: i64,
    /// Which task of the submission.
    pub(super) index: usize,
    pub(super) attempt: u32,
    /// The number of the attempt that began this row of attempts.
    pub(super) first_attempt: u32,
    pub(super) original_run_id: i64,
    /// The task run of the loop that this is an iteration of.
    pub(super) parent: Option<i64>,
    /// The job run that this task waits for.
    pub(super) child: Option<i64>,
    /// The task as it runs, if that differs from what was submitted.
    pub(super) resolved: Option<Box<TaskSpec>>,
    pub(super) not_before: OffsetDateTime,
    /// When its dependencies had ended.
    pub(super) prepared_at: Option<OffsetDateTime>,
    pub(super) started_at: Option<OffsetDateTime>,
    pub(super) cluster_id: Option<String>,
    /// Whether the cluster was made for this attempt.
    pub(super) owns_cluster: bool,
    pub(super) decided: Option<Decided>,
    /// What the executor's process may call the workspace with while it runs.
    pub(super) token: Option<Secret>,
    /// The epoch in which the executor took it over.
    pub(super) epoch: Option<u64>,
    pub(super) stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Until what it depends on has ended.
    Blocked,
    /// Until the cluster and the libraries are there.
    Setup,
    /// Until the machine that executes it has room.
    Queued,
    /// Until then, or until somebody ends it.
    Running {
        ends_at: Option<OffsetDateTime>,
    },
    Ended(End),
}

/// What a rule says of the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decided {
    pub(super) result: RuleResult,
    pub(super) outcome: Outcome,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct End {
    pub(super) at: OffsetDateTime,
    pub(super) result: TaskResult,
    pub(super) why: Why,
    pub(super) message: String,
    pub(super) error: Option<String>,
    pub(super) error_trace: Option<String>,
    pub(super) exit_value: Option<String>,
    pub(super) task_values: BTreeMap<String, Value>,
    /// What a condition came to.
    pub(super) outcome: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TaskResult {
    Success,
    /// Of a run: a task failed, and what came after it did not.
    SuccessWithFailures,
    Failed,
    TimedOut,
    Canceled,
    UpstreamFailed,
    UpstreamCanceled,
    Excluded,
    Disabled,
    MaximumConcurrentRunsReached,
}

/// The service's code for the cause of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Why {
    Success,
    Workload,
    Cluster,
    Library,
    Resource,
    /// What the task asks for makes no sense.
    Configuration,
    TooManyRuns,
    User,
    TimeLimit,
    Skipped,
    Internal,
}

/// How far a run is, in the words of the older API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LifeCycle {
    Queued(QueuedFor),
    Blocked,
    WaitingForRetry,
    Pending,
    Running,
    Terminated,
    Skipped,
    InternalError,
}

/// What a run in a queue waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum QueuedFor {
    /// Another run of its job to end.
    Turn,
    /// Room on the machine that executes it.
    Room,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Submitted(Box<JobRun>),
    /// A run left the queue.
    Admitted {
        run_id: i64,
        at: OffsetDateTime,
    },
    Prepared(Box<Prepared>),
    Launched(Box<Launch>),
    /// The machine that executes a task has room for it.
    Began {
        run_id: i64,
        at: OffsetDateTime,
    },
    /// A loop begins.
    Expanded {
        run_id: i64,
        at: OffsetDateTime,
        iterations: Vec<(i64, TaskSpec)>,
    },
    /// A task waits for a run of another job.
    Spawned {
        run_id: i64,
        child: i64,
        at: OffsetDateTime,
    },
    Ended {
        run_id: i64,
        end: Box<End>,
        /// The epoch of the process that is to be ended.
        kills: Option<u64>,
    },
    Retried {
        run_id: i64,
        new_run_id: i64,
        not_before: OffsetDateTime,
    },
    Repaired(Box<repair::Repaired>),
    /// No task of the run needs the cluster any more.
    Released {
        run_id: i64,
        key: String,
    },
    Removed {
        run_id: i64,
    },
    Saved(Box<Job>),
    Changed {
        job_id: i64,
        settings: Value,
        /// For the runs that have not ended.
        timeout: Option<Duration>,
    },
    Unsaved {
        job_id: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Prepared {
    pub(super) run_id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) cluster_id: Option<String>,
    pub(super) owns_cluster: bool,
    /// The key under which other tasks of the run find the cluster.
    pub(super) shared_as: Option<String>,
    pub(super) resolved: Option<Box<TaskSpec>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(super) run_id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) ends_at: Option<OffsetDateTime>,
    pub(super) decided: Option<Decided>,
    /// Token and epoch, if the executor takes it over.
    pub(super) executed: Option<(Secret, u64)>,
    pub(super) resolved: Option<Box<TaskSpec>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {
    Prepare(i64),
    StartCluster(i64),
    Launch(i64),
    End(i64),
    TimeOut(i64),
    /// A whole job run.
    TimeOutRun(i64),
    /// A whole job run.
    Admit(i64),
    /// What the task waited for has ended.
    Join(i64),
    Release(i64, String),
}

impl TaskResult {
    pub(super) fn is_failure(self) -> bool {
        !matches!(self, Self::Success | Self::SuccessWithFailures | Self::Excluded | Self::Disabled)
    }
}

impl TaskRun {
    pub(super) fn new(run_id: i64, index: usize, attempt: u32, not_before: OffsetDateTime) -> Self {
        Self {
            run_id,
            index,
            attempt,
            first_attempt: attempt,
            original_run_id: run_id,
            parent: None,
            child: None,
            resolved: None,
            not_before,
            prepared_at: None,
            started_at: None,
            cluster_id: None,
            owns_cluster: false,
            decided: None,
            token: None,
            epoch: None,
            stage: Stage::Blocked,
        }
    }

    pub(super) fn end(&self) -> Option<&End> {
        match &self.stage {
            Stage::Ended(it) => Some(it),
            _ => None,
        }
    }

    /// The epoch of the executor that has it now.
    pub(super) fn executing(&self) -> Option<u64> {
        self.epoch.filter(|_| matches!(self.stage, Stage::Queued | Stage::Running { .. }))
    }
}

impl JobRun {
    pub(super) fn spec<'a>(&'a self, task: &'a TaskRun) -> &'a TaskSpec {
        task.resolved.as_deref().unwrap_or(&self.submission.tasks[task.index])
    }

    pub(super) fn task(&self, key: &str) -> Option<&TaskRun> {
        self.keys.get(key).and_then(|it| self.tasks.get(*it))
    }

    pub(super) fn ended_at(&self) -> Option<OffsetDateTime> {
        if self.is_rejected {
            return Some(self.submitted_at);
        }
        let mut last = None;
        for task in &self.tasks {
            last = last.max(Some(task.end()?.at));
        }
        last
    }

    /// The iterations of a loop, in order.
    pub(super) fn iterations_of(&self, run_id: i64) -> impl Iterator<Item = &TaskRun> {
        self.iterations.iter().filter(move |it| it.parent == Some(run_id))
    }

    /// All attempts that there ever were.
    pub(super) fn attempts(&self) -> impl Iterator<Item = &TaskRun> {
        self.tasks.iter().chain(&self.iterations).chain(&self.past).chain(&self.replaced)
    }

    /// The tasks, and iterations of tasks, that have not ended.
    pub(super) fn open(&self) -> impl Iterator<Item = &TaskRun> {
        self.tasks.iter().chain(&self.iterations).filter(|it| it.end().is_none())
    }

    /// Whether time brings about nothing any more.
    pub(super) fn is_settled(&self) -> bool {
        self.ended_at().is_some() && self.clusters.is_empty()
    }
}

/// How long a task works that nobody executes and no rule speaks of.
pub(super) const WORK: Duration = Duration::from_secs(60);
