use std::time::Duration;

use time::OffsetDateTime;

use super::{Event, JobRun, Jobs, Stage, TaskRun, repair::Repaired, spec::TaskSpec};

impl Jobs {
    /// Carries out what has been decided. Never refuses, never decides. Tells
    /// which cluster a task has let go of, and when.
    pub(crate) fn evolve(&mut self, event: &Event) -> Option<(String, OffsetDateTime)> {
        match event.clone() {
            Event::Submitted(run) => self.submitted(*run),
            Event::Admitted { run_id, at } => {
                self.runs.change(run_id, |it| it.admitted_at = Some(at))?;
            }
            Event::Prepared(it) => {
                if let Some((key, id)) = it.shared_as.clone().zip(it.cluster_id.clone()) {
                    let parent = *self.parents.get(&it.run_id)?;
                    self.runs.change(parent, |run| run.clusters.insert(key, id))?;
                }
                self.change(it.run_id, |task| {
                    task.prepared_at = Some(it.at);
                    (task.cluster_id, task.owns_cluster) = (it.cluster_id, it.owns_cluster);
                    task.stage = Stage::Setup;
                    task.resolved = it.resolved.or(task.resolved.take());
                });
            }
            Event::Launched(launch) => self.change(launch.run_id, |it| {
                it.prepared_at.get_or_insert(launch.at);
                it.decided = launch.decided;
                (it.token, it.epoch) = launch.executed.unzip();
                if it.epoch.is_some() {
                    it.stage = Stage::Queued;
                } else {
                    it.started_at = Some(launch.at);
                    it.stage = Stage::Running { ends_at: launch.ends_at };
                }
                it.resolved = launch.resolved.or(it.resolved.take());
            }),
            Event::Began { run_id, at } => self.change(run_id, |it| {
                it.started_at = Some(at);
                it.stage = Stage::Running { ends_at: None };
            }),
            Event::Expanded { run_id, at, iterations } => self.expanded(run_id, at, iterations),
            Event::Spawned { run_id, child, at } => self.change(run_id, |it| {
                (it.prepared_at, it.started_at) = (Some(at), Some(at));
                it.child = Some(child);
                it.stage = Stage::Running { ends_at: None };
            }),
            Event::Ended { run_id, end, .. } => {
                let at = end.at;
                self.change(run_id, |it| {
                    it.token = None;
                    it.stage = Stage::Ended(*end);
                });
                let parent = *self.parents.get(&run_id)?;
                self.settle(parent, at);
                let task = self.runs.get(&parent)?.attempts().find(|it| it.run_id == run_id)?;
                return Some((task.cluster_id.clone()?, at));
            }
            Event::Retried { run_id, new_run_id, not_before } => {
                self.retried(run_id, new_run_id, not_before);
            }
            Event::Repaired(it) => self.repaired(*it),
            Event::Released { run_id, key } => {
                let is_settled = self.runs.change(run_id, |run| {
                    run.clusters.remove(&key);
                    run.is_settled()
                })?;
                if is_settled {
                    self.unsettled.remove(&run_id);
                }
            }
            Event::Removed { run_id } => {
                let run = self.runs.remove(run_id)?;
                for ids in [&mut self.unsettled, &mut self.recurring, &mut self.one_time] {
                    ids.remove(&run_id);
                }
                for it in run.attempts() {
                    self.parents.remove(&it.run_id);
                }
                if let Some(them) = self.by_job.get_mut(&run.job_id) {
                    them.remove(&run_id);
                }
            }
            Event::Saved(job) => drop(self.saved.insert(job.job_id, *job)),
            Event::Changed { job_id, settings, timeout } => {
                self.saved.get_mut(&job_id)?.settings = settings;
                self.limit(job_id, timeout);
            }
            Event::Unsaved { job_id } => drop(self.saved.remove(&job_id)),
        }
        None
    }

    fn submitted(&mut self, run: JobRun) {
        if let Some(token) = &run.submission.idempotency_token {
            self.by_token.insert(token.clone(), run.run_id);
        }
        self.parents.extend(run.tasks.iter().map(|it| (it.run_id, run.run_id)));
        self.by_job.entry(run.job_id).or_default().insert(run.run_id);
        let kind = if run.is_saved { &mut self.recurring } else { &mut self.one_time };
        kind.insert(run.run_id);
        if !run.is_settled() {
            self.unsettled.insert(run.run_id);
        }
        self.runs.insert(run);
    }

    fn settle(&mut self, parent: i64, at: OffsetDateTime) {
        let Some(run) = self.runs.get(&parent) else { return };
        if run.ended_at().is_some() {
            self.freed.insert(run.job_id, at);
        }
        if run.is_settled() {
            self.unsettled.remove(&parent);
        }
    }

    fn expanded(&mut self, run_id: i64, at: OffsetDateTime, iterations: Vec<(i64, TaskSpec)>) {
        self.change(run_id, |it| {
            it.prepared_at.get_or_insert(at);
            it.started_at = Some(at);
            it.stage = Stage::Running { ends_at: None };
        });
        let Some(&parent) = self.parents.get(&run_id) else { return };
        self.parents.extend(iterations.iter().map(|(id, _)| (*id, parent)));
        self.runs.change(parent, |run| {
            let index = run.tasks.iter().find(|it| it.run_id == run_id).map_or(0, |it| it.index);
            run.iterations.extend(iterations.into_iter().map(|(id, spec)| TaskRun {
                parent: Some(run_id),
                resolved: Some(Box::new(spec)),
                ..TaskRun::new(id, index, 0, at)
            }));
        });
    }

    fn retried(&mut self, run_id: i64, new_run_id: i64, not_before: OffsetDateTime) {
        let Some(&parent) = self.parents.get(&run_id) else { return };
        let is_repeated =
            self.runs.change(parent, |run| run.repeat(run_id, new_run_id, not_before));
        if is_repeated == Some(true) {
            self.parents.insert(new_run_id, parent);
            self.unsettled.insert(parent);
        }
    }

    fn repaired(&mut self, it: Repaired) {
        let run_id = it.run_id;
        if !self.runs.contains_key(&run_id) {
            return;
        }
        self.parents.extend(it.tasks.iter().map(|again| (again.run_id, run_id)));
        self.runs.change(run_id, |run| run.repair(it));
        self.unsettled.insert(run_id);
    }

    /// Gives the runs of a job that have not ended another time limit.
    fn limit(&mut self, job_id: i64, timeout: Option<Duration>) {
        for id in &self.unsettled {
            self.runs.change(*id, |run| {
                if run.is_saved && run.job_id == job_id {
                    run.submission.timeout = timeout;
                }
            });
        }
    }

    fn change(&mut self, run_id: i64, how: impl FnOnce(&mut TaskRun)) {
        let Some(&parent) = self.parents.get(&run_id) else { return };
        self.runs.change(parent, |run| {
            let mut all = run.tasks.iter_mut().chain(&mut run.iterations);
            all.find(|it| it.run_id == run_id).map(how)
        });
    }
}

impl JobRun {
    /// Puts another attempt in the place of one that failed.
    fn repeat(&mut self, run_id: i64, new_run_id: i64, not_before: OffsetDateTime) -> bool {
        let mut all = self.tasks.iter_mut().chain(&mut self.iterations);
        let Some(task) = all.find(|it| it.run_id == run_id) else { return false };
        let next = TaskRun {
            first_attempt: task.first_attempt,
            original_run_id: task.original_run_id,
            parent: task.parent,
            // An iteration is nothing but what it was resolved to.
            resolved: task.resolved.clone().filter(|_| task.parent.is_some()),
            ..TaskRun::new(new_run_id, task.index, task.attempt + 1, not_before)
        };
        let failed = std::mem::replace(task, next);
        self.past.push(failed);
        true
    }

    fn repair(&mut self, it: Repaired) {
        for again in it.tasks {
            let (index, new_run_id) = (again.index, again.run_id);
            let Some(task) = self.tasks.get_mut(index) else { continue };
            let next = TaskRun {
                original_run_id: task.original_run_id,
                ..TaskRun::new(new_run_id, index, task.attempt + 1, it.repair.at)
            };
            self.replaced.push(std::mem::replace(task, next));
            self.replaced.extend(self.past.extract_if(.., |it| it.index == index));
            self.replaced.extend(self.iterations.extract_if(.., |it| it.index == index));
            self.submission.tasks[index] = again.spec;
        }
        self.terms.parameters = it.parameters;
        self.repairs.push(it.repair);
    }
}
