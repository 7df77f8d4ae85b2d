//! Snapshots of source folders.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Content {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {}

impl Content {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match *event {}
    }
}
impl Content { pub(crate) fn files(&self, _: &str) -> Option<&std::collections::BTreeMap<String, String>> { None } }
