use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::Run;

/// All runs of a store, in the order in which they were made, and where each is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Run>", into = "Vec<Run>")]
pub(super) struct Runs {
    all: Vec<Run>,
    places: HashMap<String, usize>,
}

/// The places follow from the runs.
impl PartialEq for Runs {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl From<Vec<Run>> for Runs {
    fn from(all: Vec<Run>) -> Self {
        let places = all.iter().enumerate().map(|(at, run)| (run.id.clone(), at)).collect();
        Self { all, places }
    }
}

impl From<Runs> for Vec<Run> {
    fn from(runs: Runs) -> Self {
        runs.all
    }
}

impl Runs {
    pub(super) fn add(&mut self, run: Run) {
        self.places.insert(run.id.clone(), self.all.len());
        self.all.push(run);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Run> {
        self.all.get(*self.places.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Run> {
        self.all.get_mut(*self.places.get(id)?)
    }

    pub(super) fn as_slice(&self) -> &[Run] {
        &self.all
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.all.iter_mut()
    }
}
