//! The v1 pipeline service.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::kernel::{self, Ctx, World};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pipelines {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Due {}

impl Pipelines {
    pub(crate) fn evolve(&mut self, event: &Event) {
        match *event {}
    }

    pub(crate) fn next_due(&self, _: &World) -> Option<(OffsetDateTime, Due)> {
        None
    }
}

pub(crate) fn decide_due(_: &World, due: &Due, _: &mut Ctx<'_>) -> Vec<kernel::Event> {
    match *due {}
}
