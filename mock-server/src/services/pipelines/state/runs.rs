//! All runs, and what is due in those that have not ended.
//!
//! A step that ends changes what is due for those that wait for it, and a job
//! run that goes on what is due for its step. Only these are looked at, so that
//! a pipeline of many steps costs as much for each step as one of few.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;

use super::{
    Origin, PipelineRun, StatusCode, Step,
    steps::{Standing, Steps},
};
use crate::{
    kernel::Agenda,
    services::databricks::jobs::{self, Jobs},
};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Runs {
    all: BTreeMap<String, PipelineRun>,
    /// By run, and the place of the step in it. The end of the whole run has
    /// the place behind the last step.
    agenda: Agenda<(String, usize), Turn>,
    /// The steps that are job runs which have not ended, by workspace and job run.
    awaited: BTreeMap<(u64, i64), (String, usize)>,
}

/// What time, or the end of a job run, brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(super) run_id: String,
    pub(super) place: usize,
    pub(super) turn: Turn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing keeps the step from becoming a job run.
    Ready,
    Started,
    /// Its job run has ended.
    Ended,
    /// It will never start.
    Skipped,
    /// All steps have ended.
    Over,
}

impl Runs {
    pub(super) fn get(&self, id: &str) -> Option<&PipelineRun> {
        self.all.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PipelineRun> {
        self.all.values()
    }

    pub(super) fn next_due(&self) -> Option<(OffsetDateTime, Due)> {
        let (at, (run_id, place), turn) = self.agenda.next()?;
        Some((at, Due { run_id: run_id.clone(), place: *place, turn: *turn }))
    }

    pub(super) fn insert(&mut self, run: PipelineRun) {
        self.all.insert(run.id.clone(), run);
    }

    pub(super) fn submit(&mut self, run_id: &str, steps: Vec<Step>, at: OffsetDateTime) {
        let Some(run) = self.all.get_mut(run_id) else { return };
        (run.steps, run.submitted_at) = (Steps::from(steps), Some(at));
        run.status = StatusCode::Running;
        self.look_at_all(run_id);
    }

    pub(super) fn request_cancel(&mut self, run_id: &str) {
        let Some(run) = self.all.get_mut(run_id) else { return };
        run.is_cancel_requested = true;
        self.look_at_all(run_id);
    }

    pub(super) fn end(&mut self, run_id: &str, status: StatusCode, at: OffsetDateTime) {
        let Some(run) = self.all.get_mut(run_id) else { return };
        (run.status, run.ended_at) = (status, Some(at));
        self.look(run_id, self.all[run_id].steps.len());
    }

    /// Changes a step that has not ended and does not end by it.
    pub(super) fn change_step(
        &mut self,
        run_id: &str,
        node_id: &str,
        change: impl FnOnce(&mut Step),
    ) {
        let Some(run) = self.all.get_mut(run_id) else { return };
        let Some(place) = run.steps.place(node_id) else { return };
        if let Some(step) = run.steps.at_mut(place) {
            change(step);
            if let Some(job_run) = step.job_run {
                self.awaited.insert(job_run, (run_id.to_owned(), place));
            }
        }
        self.look(run_id, place);
    }

    /// The step ended as `origin` did, whose outputs are its own.
    pub(super) fn reuse(
        &mut self,
        run_id: &str,
        node_id: &str,
        origin: Origin,
        at: OffsetDateTime,
    ) {
        let Some(run) = self.all.get_mut(run_id) else { return };
        let place = run.steps.place(node_id);
        if let Some(step) = place.and_then(|it| run.steps.at_mut(it)) {
            (step.started_at, step.job_run) = (Some(at), origin.job_run);
            step.reused = Some(origin);
        }
        self.end_step(run_id, node_id, StatusCode::Finished, at);
    }

    pub(super) fn end_step(
        &mut self,
        run_id: &str,
        node_id: &str,
        status: StatusCode,
        at: OffsetDateTime,
    ) {
        let Some(run) = self.all.get_mut(run_id) else { return };
        let Some(place) = run.steps.place(node_id) else { return };
        let is_first_failure = run.steps.first_failure().is_none();
        run.steps.end(place, status, at);
        if let Some(job_run) =
            run.steps[place].job_run.filter(|_| run.steps[place].reused.is_none())
        {
            self.awaited.remove(&job_run);
        }
        if status == StatusCode::Failed && is_first_failure && !run.continues_on_failure {
            return self.look_at_all(run_id);
        }
        let run = &self.all[run_id];
        let whole = run.steps.is_over().then_some(run.steps.len());
        let concerned: Vec<usize> = [place]
            .into_iter()
            .chain(run.steps.followers(place).iter().copied())
            .chain(whole)
            .collect();
        for place in concerned {
            self.look(run_id, place);
        }
    }

    /// Takes in that a job run went on.
    pub(super) fn follow(&mut self, workspace: u64, event: &jobs::Event, jobs: &Jobs) {
        let Some(job_run) = jobs.moved_by(event) else { return };
        let Some((run_id, place)) = self.awaited.get(&(workspace, job_run)).cloned() else {
            return;
        };
        let run = self.all.get_mut(&run_id);
        if let Some(step) = run.and_then(|it| it.steps.at_mut(place)) {
            (step.job_began_at, step.job_ended_at) = jobs.span(job_run);
        }
        self.look(&run_id, place);
    }

    fn look_at_all(&mut self, run_id: &str) {
        let count = self.all.get(run_id).map_or(0, |it| it.steps.len());
        for place in 0..=count {
            self.look(run_id, place);
        }
    }

    /// Puts down what is due at one place of a run.
    fn look(&mut self, run_id: &str, place: usize) {
        let Some(run) = self.all.get(run_id) else { return };
        self.agenda.set((run_id.to_owned(), place), due_at(run, place));
    }
}

fn due_at(run: &PipelineRun, place: usize) -> Option<(OffsetDateTime, Turn)> {
    let submitted_at = run.submitted_at?;
    let Some(step) = run.steps.get(place) else {
        let is_over = run.steps.is_over() && !run.status.is_final();
        return is_over.then(|| (run.steps.last_end().unwrap_or(submitted_at), Turn::Over));
    };
    if step.status.is_final() {
        return None;
    }
    if step.job_run.is_some() {
        if let Some(at) = step.job_ended_at {
            return Some((at, Turn::Ended));
        }
        let began_at = step.job_began_at.filter(|_| step.status == StatusCode::Queued);
        return began_at.map(|at| (at, Turn::Started));
    }
    if run.is_cancel_requested {
        // At once: nothing happens before the record that made it due.
        return Some((submitted_at, Turn::Skipped));
    }
    let failed_at = run.steps.first_failure().filter(|_| !run.continues_on_failure);
    match (run.steps.standing(place), failed_at) {
        (Standing::Broken(at), _) | (_, Some(at)) => Some((at, Turn::Skipped)),
        (Standing::Free(at), None) => Some((at.unwrap_or(submitted_at), Turn::Ready)),
        (Standing::Waits, None) => None,
    }
}

impl Serialize for Runs {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Runs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let all = BTreeMap::<String, PipelineRun>::deserialize(from)?;
        let ids: Vec<String> = all.keys().cloned().collect();
        let mut awaited = BTreeMap::new();
        for (id, run) in &all {
            for (place, step) in
                run.steps.iter().enumerate().filter(|(_, it)| !it.status.is_final())
            {
                awaited.extend(step.job_run.map(|it| (it, (id.clone(), place))));
            }
        }
        let mut runs = Self { all, agenda: Agenda::default(), awaited };
        for id in &ids {
            runs.look_at_all(id);
        }
        Ok(runs)
    }
}
