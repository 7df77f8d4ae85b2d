use std::{collections::BTreeSet, ops::Bound};

use time::OffsetDateTime;

use super::{Event, JobRun, Jobs, TaskRun};
use crate::kernel::Refusal;

static NOTHING: BTreeSet<i64> = BTreeSet::new();

/// Which job runs are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Wanted {
    pub(in super::super) job_id: Option<i64>,
    pub(in super::super) is_active: Option<bool>,
    pub(in super::super) is_saved: Option<bool>,
    pub(in super::super) from: Option<OffsetDateTime>,
    pub(in super::super) to: Option<OffsetDateTime>,
}

impl Jobs {
    /// The job run with this id, or the one that a task run with this id is part of.
    pub(in super::super) fn find(
        &self,
        run_id: i64,
    ) -> Result<(&JobRun, Option<&TaskRun>), Refusal> {
        let missing = || Refusal::invalid(format!("Run {run_id} does not exist."));
        if let Some(run) = self.runs.get(&run_id) {
            return Ok((run, None));
        }
        let run = self.parents.get(&run_id).and_then(|it| self.runs.get(it)).ok_or_else(missing)?;
        let task = run.attempts().find(|it| it.run_id == run_id);
        Ok((run, Some(task.ok_or_else(missing)?)))
    }

    /// The job run that has gone on by `event`.
    pub(crate) fn moved_by(&self, event: &Event) -> Option<i64> {
        let task = match event {
            Event::Submitted(run) => return Some(run.run_id),
            Event::Launched(it) => it.run_id,
            Event::Began { run_id, .. }
            | Event::Expanded { run_id, .. }
            | Event::Spawned { run_id, .. }
            | Event::Ended { run_id, .. }
            | Event::Retried { run_id, .. } => *run_id,
            _ => return None,
        };
        self.parents.get(&task).copied()
    }

    /// When the first task of a job run began to work, and when the last one ended.
    pub(crate) fn span(&self, job_run: i64) -> (Option<OffsetDateTime>, Option<OffsetDateTime>) {
        let Some(run) = self.runs.get(&job_run) else { return (None, None) };
        (run.tasks.iter().filter_map(|it| it.started_at).min(), run.ended_at())
    }

    /// The run that was made for a token. The run may have been deleted since.
    pub(super) fn by_token(&self, token: &str) -> Option<Result<i64, Refusal>> {
        let run_id = *self.by_token.get(token)?;
        let deleted = || {
            let text = format!("Run {run_id}, made with this idempotency token, was deleted.");
            Refusal::invalid(text)
        };
        Some(if self.runs.contains_key(&run_id) { Ok(run_id) } else { Err(deleted()) })
    }

    /// The job runs that are wanted, newest first, from the one with the
    /// greatest id below `before` on.
    pub(in super::super) fn newest(
        &self,
        wanted: Wanted,
        before: Option<i64>,
    ) -> Box<dyn Iterator<Item = &JobRun> + '_> {
        // Ids are drawn in order of time, so what is too new lies behind one id.
        let end = wanted.to.and_then(|it| self.first_after(it));
        let end = before.into_iter().chain(end).min();
        let range = (Bound::Unbounded, end.map_or(Bound::Unbounded, Bound::Excluded));
        // The smallest index that has all that is wanted.
        let ids = match (wanted.is_active, wanted.job_id, wanted.is_saved) {
            (Some(true), ..) => Some(&self.unsettled),
            (_, Some(id), _) => Some(self.by_job.get(&id).unwrap_or(&NOTHING)),
            (.., Some(true)) => Some(&self.recurring),
            (.., Some(false)) => Some(&self.one_time),
            _ => None,
        };
        let them: Box<dyn Iterator<Item = &JobRun>> = match ids {
            Some(ids) => Box::new(ids.range(range).rev().filter_map(|it| self.runs.get(it))),
            None => Box::new(self.runs.range(range).rev().map(|(_, it)| it)),
        };
        let them = them.take_while(move |it| wanted.from.is_none_or(|at| at <= it.submitted_at));
        Box::new(them.filter(move |it| {
            wanted.job_id.is_none_or(|id| id == it.job_id)
                && wanted.is_saved.is_none_or(|is| is == it.is_saved)
                && wanted.is_active.is_none_or(|is| is == self.is_active(it))
        }))
    }

    /// The job runs that are wanted, oldest first, from the one with the least
    /// id above `after` on.
    pub(in super::super) fn oldest_above(
        &self,
        wanted: Wanted,
        after: i64,
    ) -> impl Iterator<Item = &JobRun> {
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let them = self.runs.range(range).map(|(_, it)| it);
        let to = wanted.to;
        let them = them.take_while(move |it| to.is_none_or(|at| it.submitted_at <= at));
        them.filter(move |it| {
            wanted.job_id.is_none_or(|id| id == it.job_id)
                && wanted.is_saved.is_none_or(|is| is == it.is_saved)
                && wanted.is_active.is_none_or(|is| is == self.is_active(it))
        })
    }

    fn is_active(&self, run: &JobRun) -> bool {
        self.unsettled.contains(&run.run_id) && run.ended_at().is_none()
    }

    /// The first run that was submitted after `at`.
    fn first_after(&self, at: OffsetDateTime) -> Option<i64> {
        let (mut low, mut high) = (*self.runs.first_key_value()?.0, *self.runs.last_key_value()?.0);
        if self.runs.get(&high)?.submitted_at <= at {
            return None;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.runs.range(middle..).next() {
                Some((_, it)) if it.submitted_at <= at => low = it.run_id + 1,
                _ => high = middle,
            }
        }
        self.runs.range(low..).next().map(|(id, _)| *id)
    }

    /// The runs of a job, or of all jobs, that have not ended.
    pub(super) fn active(&self, job_id: Option<i64>) -> impl Iterator<Item = &JobRun> {
        let runs = self.unsettled.iter().filter_map(|it| self.runs.get(it));
        runs.filter(move |it| it.ended_at().is_none() && job_id.is_none_or(|id| id == it.job_id))
    }

    /// All tasks that have not ended.
    pub(super) fn open_tasks(&self) -> impl Iterator<Item = (&JobRun, &TaskRun)> {
        let runs = self.unsettled.iter().filter_map(|it| self.runs.get(it));
        runs.flat_map(|run| run.open().map(move |it| (run, it)))
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
