pub(super) mod definitions;
pub(super) mod ends;
pub(super) mod rules;
pub(super) mod spec;
pub(super) mod view;
pub(super) mod work;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use self::{
    definitions::Job,
    spec::{Submission, TaskSpec},
};
use crate::{
    executor::outcomes::{Outcome, RuleResult},
    kernel::{Refusal, Secret, clock::later},
    services::databricks::{Databricks, clusters::State as ClusterState, libraries::Readiness},
};

/// The runs and the saved jobs of a workspace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Jobs {
    pub(super) saved: BTreeMap<i64, Job>,
    runs: BTreeMap<i64, JobRun>,
    /// The job run of each task run, past attempts included.
    parents: BTreeMap<i64, i64>,
    /// The job runs that have not ended.
    unsettled: BTreeSet<i64>,
    by_token: BTreeMap<String, i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobRun {
    pub(super) run_id: i64,
    pub(super) job_id: i64,
    /// Whether it is a run of a saved job.
    pub(super) is_saved: bool,
    pub(super) submission: Submission,
    pub(super) submitted_at: OffsetDateTime,
    /// One for each task of the submission, in the same order.
    pub(super) tasks: Vec<TaskRun>,
    /// Attempts that failed and were repeated.
    pub(super) past: Vec<TaskRun>,
}

/// One attempt at one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TaskRun {
    pub(super) run_id: i64,
    /// Which task of the submission.
    pub(super) index: usize,
    pub(super) attempt: u32,
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
}

/// The service's code for the cause of an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Why {
    Success,
    Workload,
    Cluster,
    Library,
    Resource,
    User,
    TimeLimit,
    Skipped,
    Internal,
}

/// How far a run is, in the words of the older API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LifeCycle {
    Blocked,
    Pending,
    Running,
    Terminated,
    Skipped,
    InternalError,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Submitted(Box<JobRun>),
    Prepared {
        run_id: i64,
        cluster_id: Option<String>,
        owns_cluster: bool,
        at: OffsetDateTime,
    },
    Launched(Box<Launch>),
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
    Removed {
        run_id: i64,
    },
    Saved(Box<Job>),
    Unsaved {
        job_id: i64,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Launch {
    pub(super) run_id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) ends_at: Option<OffsetDateTime>,
    pub(super) decided: Option<Decided>,
    /// Token and epoch, if the executor takes it over.
    pub(super) executed: Option<(Secret, u64)>,
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
}

impl TaskResult {
    pub(super) fn is_failure(self) -> bool {
        !matches!(self, Self::Success | Self::SuccessWithFailures | Self::Excluded)
    }
}

impl TaskRun {
    pub(super) fn new(run_id: i64, index: usize, attempt: u32, not_before: OffsetDateTime) -> Self {
        Self {
            run_id,
            index,
            attempt,
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

    /// The epoch of the process that executes it now.
    pub(super) fn executing(&self) -> Option<u64> {
        self.epoch.filter(|_| matches!(self.stage, Stage::Running { .. }))
    }
}

impl JobRun {
    pub(super) fn spec(&self, task: &TaskRun) -> &TaskSpec {
        &self.submission.tasks[task.index]
    }

    pub(super) fn task(&self, key: &str) -> Option<&TaskRun> {
        self.tasks.iter().find(|it| self.spec(it).task_key == key)
    }

    pub(super) fn ended_at(&self) -> Option<OffsetDateTime> {
        let ends: Option<Vec<_>> = self.tasks.iter().map(|it| it.end().map(|it| it.at)).collect();
        ends?.into_iter().max()
    }

    fn next_due(&self, state: &Databricks) -> Option<(OffsetDateTime, Due)> {
        let tasks = self.tasks.iter().filter_map(|it| self.due_of(it, state));
        let limit = self
            .submission
            .timeout
            .map(|it| (later(self.submitted_at, it), Due::TimeOutRun(self.run_id)));
        tasks.chain(limit).min_by_key(|(at, _)| *at)
    }

    fn due_of(&self, task: &TaskRun, state: &Databricks) -> Option<(OffsetDateTime, Due)> {
        let id = task.run_id;
        let spec = self.spec(task);
        match &task.stage {
            Stage::Blocked => {
                let ends = spec.depends_on.iter().map(|it| Some(self.task(it)?.end()?.at));
                let ends: Vec<OffsetDateTime> = ends.collect::<Option<_>>()?;
                let ready = ends.into_iter().max().unwrap_or(task.not_before);
                Some((ready.max(task.not_before), Due::Prepare(id)))
            }
            Stage::Setup => {
                let since = task.prepared_at.unwrap_or(task.not_before);
                let cluster = task.cluster_id.as_ref().and_then(|it| state.clusters.get(it).ok());
                let Some(cluster) = cluster else { return Some((since, Due::Launch(id))) };
                if cluster.state == ClusterState::Terminated {
                    return Some((since, Due::StartCluster(id)));
                }
                let since = cluster.running_since()?.max(since);
                match state.libraries.readiness(&cluster.cluster_id, &spec.libraries) {
                    Readiness::Waiting => None,
                    Readiness::Settled(at) => {
                        Some((at.map_or(since, |it| it.max(since)), Due::Launch(id)))
                    }
                    Readiness::Failed { at, .. } => Some((at.max(since), Due::Launch(id))),
                }
            }
            Stage::Running { ends_at } => {
                let end = ends_at.map(|it| (it, Due::End(id)));
                let limit = spec
                    .timeout
                    .zip(task.started_at)
                    .map(|(it, at)| (later(at, it), Due::TimeOut(id)));
                // Of an end and a time limit at the same moment, the end comes first.
                end.into_iter().chain(limit).min_by_key(|(at, _)| *at)
            }
            Stage::Ended(_) => None,
        }
    }
}

impl Jobs {
    /// Carries out what has been decided. Never refuses, never decides. Tells
    /// which cluster a task has let go of, and when.
    pub(crate) fn evolve(&mut self, event: &Event) -> Option<(String, OffsetDateTime)> {
        match event.clone() {
            Event::Submitted(run) => {
                if let Some(token) = &run.submission.idempotency_token {
                    self.by_token.insert(token.clone(), run.run_id);
                }
                self.parents.extend(run.tasks.iter().map(|it| (it.run_id, run.run_id)));
                self.unsettled.insert(run.run_id);
                self.runs.insert(run.run_id, *run);
            }
            Event::Prepared { run_id, cluster_id, owns_cluster, at } => self.change(run_id, |it| {
                it.prepared_at = Some(at);
                (it.cluster_id, it.owns_cluster) = (cluster_id, owns_cluster);
                it.stage = Stage::Setup;
            }),
            Event::Launched(launch) => self.change(launch.run_id, |it| {
                it.prepared_at.get_or_insert(launch.at);
                it.started_at = Some(launch.at);
                it.decided = launch.decided;
                (it.token, it.epoch) = launch.executed.unzip();
                it.stage = Stage::Running { ends_at: launch.ends_at };
            }),
            Event::Ended { run_id, end, .. } => {
                let at = end.at;
                self.change(run_id, |it| {
                    it.token = None;
                    it.stage = Stage::Ended(*end);
                });
                let parent = *self.parents.get(&run_id)?;
                let run = self.runs.get(&parent)?;
                if run.ended_at().is_some() {
                    self.unsettled.remove(&parent);
                }
                let cluster_id =
                    run.tasks.iter().find(|it| it.run_id == run_id)?.cluster_id.clone();
                return Some((cluster_id?, at));
            }
            Event::Retried { run_id, new_run_id, not_before } => {
                let parent = *self.parents.get(&run_id)?;
                let run = self.runs.get_mut(&parent)?;
                let task = run.tasks.iter_mut().find(|it| it.run_id == run_id)?;
                let next = TaskRun::new(new_run_id, task.index, task.attempt + 1, not_before);
                let failed = std::mem::replace(task, next);
                run.past.push(failed);
                self.parents.insert(new_run_id, parent);
                self.unsettled.insert(parent);
            }
            Event::Removed { run_id } => {
                self.runs.remove(&run_id);
                self.parents.retain(|_, parent| *parent != run_id);
            }
            Event::Saved(job) => drop(self.saved.insert(job.job_id, *job)),
            Event::Unsaved { job_id } => drop(self.saved.remove(&job_id)),
        }
        None
    }

    fn change(&mut self, run_id: i64, how: impl FnOnce(&mut TaskRun)) {
        let run = self.parents.get(&run_id).and_then(|it| self.runs.get_mut(it));
        if let Some(task) = run.and_then(|it| it.tasks.iter_mut().find(|it| it.run_id == run_id)) {
            how(task);
        }
    }

    /// What time alone brings about next.
    pub(crate) fn next_due(&self, state: &Databricks) -> Option<(OffsetDateTime, Due)> {
        let due = self.unsettled.iter().filter_map(|it| self.runs.get(it)?.next_due(state));
        due.min_by_key(|(at, _)| *at)
    }

    /// The job run with this id, or the one that a task run with this id is part of.
    pub(super) fn find(&self, run_id: i64) -> Result<(&JobRun, Option<&TaskRun>), Refusal> {
        let missing = || Refusal::invalid(format!("Run {run_id} does not exist."));
        if let Some(run) = self.runs.get(&run_id) {
            return Ok((run, None));
        }
        let run = self.parents.get(&run_id).and_then(|it| self.runs.get(it)).ok_or_else(missing)?;
        let all = run.tasks.iter().chain(&run.past);
        Ok((run, Some(all.into_iter().find(|it| it.run_id == run_id).ok_or_else(missing)?)))
    }

    pub(super) fn by_token(&self, token: &str) -> Option<i64> {
        self.by_token.get(token).copied()
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &JobRun> {
        self.runs.values()
    }

    /// All tasks that have not ended.
    pub(super) fn open_tasks(&self) -> impl Iterator<Item = (&JobRun, &TaskRun)> {
        let runs = self.unsettled.iter().filter_map(|it| self.runs.get(it));
        runs.flat_map(|run| {
            run.tasks.iter().filter(|it| it.end().is_none()).map(move |it| (run, it))
        })
    }

    /// Whether a task runs on the cluster, or waits for it.
    pub(crate) fn uses(&self, cluster_id: &str) -> bool {
        self.open_tasks().any(|(_, it)| it.cluster_id.as_deref() == Some(cluster_id))
    }

    /// Whose token this is, if it is the token of a task that runs.
    pub(crate) fn token_owner(&self, token: &str) -> Option<&str> {
        let (run, _) = self.open_tasks().find(|(_, it)| it.token.as_deref() == Some(token))?;
        Some(&run.submission.user)
    }
}

/// How long a task works that nobody executes and no rule speaks of.
pub(super) const WORK: Duration = Duration::from_secs(60);
