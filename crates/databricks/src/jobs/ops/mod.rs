mod jobs;
mod runs;
#[cfg(test)]
mod tests;

pub(super) use self::{
    jobs::{Create, Delete, Get, List, Reset, RunNow, Update},
    runs::{Cancel, CancelAll, DeleteRun, Export, GetOutput, GetRun, ListRuns, Repair, Submit},
};
