use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Due, JobRun, due::Moment};
use crate::{kernel::Agenda, services::databricks::Databricks};

/// All job runs, and what comes next in each. Only the runs are written down.
///
/// What comes next in a run follows from that run alone, and changes with it,
/// unless it waits for a cluster or for another run. Only these are looked at
/// each time that somebody asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct JobRuns {
    all: BTreeMap<i64, JobRun>,
    agenda: Agenda<i64, Due>,
    /// The runs that wait for a cluster or another run.
    watched: BTreeSet<i64>,
    /// The runs that wait for their turn.
    queued: BTreeSet<i64>,
}

impl JobRuns {
    pub(super) fn insert(&mut self, run: JobRun) {
        let id = run.run_id;
        self.all.insert(id, run);
        self.look(id);
    }

    pub(super) fn remove(&mut self, id: i64) -> Option<JobRun> {
        let run = self.all.remove(&id);
        self.look(id);
        run
    }

    /// The only way to change a run.
    pub(super) fn change<T>(&mut self, id: i64, how: impl FnOnce(&mut JobRun) -> T) -> Option<T> {
        let changed = how(self.all.get_mut(&id)?);
        self.look(id);
        Some(changed)
    }

    /// The runs that wait for their turn, oldest first.
    pub(super) fn queued(&self) -> impl Iterator<Item = &JobRun> {
        self.queued.iter().filter_map(|it| self.all.get(it))
    }

    /// What comes next in any run. Of two at the same time, in the older one.
    pub(super) fn next_due(&self, state: &Databricks) -> Option<Moment> {
        let own = self.agenda.next().map(|(at, id, due)| (at, *id, due.clone()));
        let watched = self.watched.iter().filter_map(|id| {
            self.all.get(id)?.next_due(Some(state)).map(|(at, due)| (at, *id, due))
        });
        let next = own.into_iter().chain(watched).min_by_key(|(at, id, _)| (*at, *id));
        next.map(|(at, _, due)| (at, due))
    }

    /// Puts down what comes next in a run, after it has changed.
    fn look(&mut self, id: i64) {
        let run = self.all.get(&id);
        let is_watched = run.is_some_and(JobRun::waits_elsewhere);
        let is_queued = run.is_some_and(|it| it.admitted_at.is_none() && it.ended_at().is_none());
        let due = run.filter(|_| !is_watched).and_then(|it| it.next_due(None));
        for (ids, is_in) in [(&mut self.watched, is_watched), (&mut self.queued, is_queued)] {
            if is_in {
                ids.insert(id)
            } else {
                ids.remove(&id)
            };
        }
        self.agenda.set(id, due);
    }
}

impl Deref for JobRuns {
    type Target = BTreeMap<i64, JobRun>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Serialize for JobRuns {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(to)
    }
}

impl<'de> Deserialize<'de> for JobRuns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut runs = Self { all: BTreeMap::deserialize(from)?, ..Self::default() };
        let ids: Vec<i64> = runs.all.keys().copied().collect();
        for id in ids {
            runs.look(id);
        }
        Ok(runs)
    }
}
