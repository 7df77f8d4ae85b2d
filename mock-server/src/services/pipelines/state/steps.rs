use std::ops::Deref;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    StatusCode, Step,
    named::{Named, NamedList},
};

/// The steps of a submitted run in the order of its graph, and how far those
/// are that each of them waits for. Only the steps are written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Step>", into = "Vec<Step>")]
pub(crate) struct Steps {
    list: NamedList<Step>,
    /// What each step waits for, by its place.
    waits: Vec<Wait>,
    /// The places of those who wait for a step, by its place.
    followers: Vec<Vec<usize>>,
    /// How many have not ended.
    open: usize,
    first_failure: Option<OffsetDateTime>,
    last_end: Option<OffsetDateTime>,
}

/// How far those are that a step waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Wait {
    /// How many have not ended.
    open: usize,
    last_end: Option<OffsetDateTime>,
    /// When the last one failed or was canceled.
    broken_at: Option<OffsetDateTime>,
}

/// What there is to do about a step that is no job run yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Some that it waits for have not ended.
    Waits,
    /// All have finished, the last one then. There may have been none.
    Free(Option<OffsetDateTime>),
    /// One has failed or was canceled.
    Broken(OffsetDateTime),
}

impl Named for Step {
    fn key(&self) -> &str {
        &self.node_id
    }
}

impl From<Vec<Step>> for Steps {
    fn from(all: Vec<Step>) -> Self {
        let list = NamedList::from(all);
        let count = list.len();
        let (mut waits, mut followers) = (vec![Wait::default(); count], vec![Vec::new(); count]);
        for (place, step) in list.iter().enumerate() {
            for before in step.after.iter().filter_map(|it| list.place(it)) {
                waits[place].open += 1;
                followers[before].push(place);
            }
        }
        let ends = list.iter().enumerate().filter(|(_, it)| it.status.is_final());
        let ends: Vec<_> =
            ends.filter_map(|(place, it)| Some((place, it.status, it.ended_at?))).collect();
        let mut steps =
            Self { list, waits, followers, open: count, first_failure: None, last_end: None };
        for (place, status, at) in ends {
            steps.count_end(place, status, at);
        }
        steps
    }
}

impl From<Steps> for Vec<Step> {
    fn from(steps: Steps) -> Self {
        steps.list.into()
    }
}

impl Deref for Steps {
    type Target = [Step];

    fn deref(&self) -> &[Step] {
        &self.list
    }
}

impl Steps {
    pub(super) fn place(&self, node_id: &str) -> Option<usize> {
        self.list.place(node_id)
    }

    pub(super) fn of_node(&self, node_id: &str) -> Option<&Step> {
        self.list.named(node_id)
    }

    /// Changes what is known of a step, except its end.
    pub(super) fn at_mut(&mut self, place: usize) -> Option<&mut Step> {
        self.list.at_mut(place)
    }

    /// Ends a step.
    pub(super) fn end(&mut self, place: usize, status: StatusCode, at: OffsetDateTime) {
        let Some(step) = self.list.at_mut(place).filter(|it| !it.status.is_final()) else { return };
        (step.status, step.ended_at) = (status, Some(at));
        self.count_end(place, status, at);
    }

    fn count_end(&mut self, place: usize, status: StatusCode, at: OffsetDateTime) {
        self.open -= 1;
        self.last_end = self.last_end.max(Some(at));
        if status == StatusCode::Failed {
            self.first_failure = Some(self.first_failure.map_or(at, |it| it.min(at)));
        }
        for follower in &self.followers[place] {
            let wait = &mut self.waits[*follower];
            wait.open -= 1;
            wait.last_end = wait.last_end.max(Some(at));
            if status != StatusCode::Finished {
                wait.broken_at = wait.broken_at.max(Some(at));
            }
        }
    }

    pub(super) fn standing(&self, place: usize) -> Standing {
        let wait = self.waits[place];
        match wait.broken_at {
            Some(at) => Standing::Broken(at),
            None if wait.open == 0 => Standing::Free(wait.last_end),
            None => Standing::Waits,
        }
    }

    /// The places of the steps that wait for the one at `place`.
    pub(super) fn followers(&self, place: usize) -> &[usize] {
        &self.followers[place]
    }

    pub(super) fn first_failure(&self) -> Option<OffsetDateTime> {
        self.first_failure
    }

    /// Whether all have ended, and when the last one did if there is one.
    pub(super) fn is_over(&self) -> bool {
        self.open == 0
    }

    pub(super) fn last_end(&self) -> Option<OffsetDateTime> {
        self.last_end
    }
}
