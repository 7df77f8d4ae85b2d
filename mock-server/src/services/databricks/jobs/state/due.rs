//! What time alone brings about next.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{
    Due, JobRun, Jobs, Stage, TaskRun,
    spec::{ClusterChoice, CodeSpec},
};
use crate::{
    kernel::clock::later,
    services::databricks::{Databricks, clusters::State as ClusterState, libraries::Readiness},
};

pub(super) type Moment = (OffsetDateTime, Due);

impl Jobs {
    /// What time alone brings about next.
    pub(crate) fn next_due(&self, state: &Databricks) -> Option<Moment> {
        self.runs.next_due(state).into_iter().chain(self.admissions()).min_by_key(|(at, _)| *at)
    }

    /// The runs whose turn it is to leave the queues of their jobs.
    fn admissions(&self) -> impl Iterator<Item = Moment> {
        let mut first: BTreeMap<i64, &JobRun> = BTreeMap::new();
        for run in self.runs.queued() {
            first.entry(run.job_id).or_insert(run);
        }
        first.into_iter().filter_map(|(job_id, run)| {
            let active = self.active(Some(job_id)).filter(|it| it.admitted_at.is_some()).count();
            let limit = self.saved.get(&job_id).map_or(usize::MAX, super::Job::max_concurrent_runs);
            let freed = self.freed.get(&job_id).copied().unwrap_or(run.submitted_at);
            (active < limit).then(|| (freed.max(run.submitted_at), Due::Admit(run.run_id)))
        })
    }
}

impl JobRun {
    /// What comes next. Nobody need know of clusters and other runs unless it
    /// [waits](Self::waits_elsewhere) for one.
    pub(super) fn next_due(&self, elsewhere: Option<&Databricks>) -> Option<Moment> {
        let admitted_at = self.admitted_at?;
        let tasks = self.tasks.iter().chain(&self.iterations);
        let tasks = tasks.filter_map(|it| self.due_of(it, elsewhere));
        let limit = self.submission.timeout.filter(|_| self.ended_at().is_none());
        let since = self.repairs.last().map_or(admitted_at, |it| it.at);
        let limit = limit.map(|it| (later(since, it), Due::TimeOutRun(self.run_id)));
        tasks.chain(limit).chain(self.release()).min_by_key(|(at, _)| *at)
    }

    /// Whether a task waits for a cluster, or for another run.
    pub(super) fn waits_elsewhere(&self) -> bool {
        self.open().any(|it| match it.stage {
            Stage::Setup => true,
            Stage::Running { .. } => it.child.is_some(),
            _ => false,
        })
    }

    /// A cluster of the run that no task needs any more.
    fn release(&self) -> Option<Moment> {
        let needs = |task: &TaskRun, key: &str| match &self.spec(task).cluster {
            ClusterChoice::Shared { key: it, .. } => it == key,
            _ => match &self.spec(task).code {
                CodeSpec::ForEach { task, .. } => {
                    matches!(&task.cluster, ClusterChoice::Shared { key: it, .. } if it == key)
                }
                _ => false,
            },
        };
        let key = self.clusters.keys().find(|key| !self.open().any(|it| needs(it, key)))?;
        let them = self.tasks.iter().chain(&self.iterations).filter(|it| needs(it, key));
        let last = them.filter_map(|it| Some(it.end()?.at)).max();
        Some((last.unwrap_or(self.submitted_at), Due::Release(self.run_id, key.clone())))
    }

    fn due_of(&self, task: &TaskRun, elsewhere: Option<&Databricks>) -> Option<Moment> {
        let id = task.run_id;
        let spec = self.spec(task);
        match &task.stage {
            // The loop says whose turn it is.
            Stage::Blocked if task.parent.is_some() && task.attempt == task.first_attempt => None,
            Stage::Blocked => {
                let mut ready = task.not_before.max(self.admitted_at?);
                if task.parent.is_none() {
                    for it in &spec.depends_on {
                        ready = ready.max(self.task(&it.task_key)?.end()?.at);
                    }
                }
                Some((ready, Due::Prepare(id)))
            }
            Stage::Setup => {
                let state = elsewhere?;
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
                let end = match (&spec.code, task.child) {
                    (CodeSpec::ForEach { concurrency, .. }, _) => self.turn(task, *concurrency),
                    (_, Some(child)) => elsewhere
                        .and_then(|it| joined(it, child, task))
                        .map(|it| (it, Due::Join(id))),
                    _ => ends_at.map(|it| (it, Due::End(id))),
                };
                let limit = spec
                    .timeout
                    .zip(task.started_at)
                    .map(|(it, at)| (later(at, it), Due::TimeOut(id)));
                // Of an end and a time limit at the same moment, the end comes first.
                end.into_iter().chain(limit).min_by_key(|(at, _)| *at)
            }
            Stage::Queued | Stage::Ended(_) => None,
        }
    }

    /// What comes next in a loop: the first iteration that may begin, or the end.
    fn turn(&self, task: &TaskRun, concurrency: usize) -> Option<Moment> {
        let began = task.started_at.unwrap_or(task.not_before);
        let (mut active, mut next, mut last) = (0, None, began);
        for it in self.iterations_of(task.run_id) {
            match &it.stage {
                Stage::Blocked if it.attempt == it.first_attempt => {
                    next.get_or_insert(it.run_id);
                }
                Stage::Ended(end) => last = last.max(end.at),
                _ => active += 1,
            }
        }
        match next {
            Some(it) if active < concurrency => Some((last, Due::Prepare(it))),
            None if active == 0 => Some((last, Due::Join(task.run_id))),
            _ => None,
        }
    }
}

/// When the run that a task waits for had ended.
fn joined(state: &Databricks, child: i64, task: &TaskRun) -> Option<OffsetDateTime> {
    match state.jobs.runs.get(&child) {
        Some(run) => run.ended_at(),
        None => task.started_at,
    }
}
