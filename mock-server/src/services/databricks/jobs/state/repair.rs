//! Tasks of a run that has ended are run again, as part of the same run.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    Event, JobRun,
    definitions::order_of,
    rules::{draw, event},
    spec::{Submission, TaskSpec},
    terms::{JobParameter, Overrides, Terms},
    view::{Whole, of_run},
};
use crate::{
    kernel::{Ctx, Decision, Refusal, World},
    services::databricks::workspace_of,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Repair {
    pub(in super::super) id: i64,
    pub(in super::super) at: OffsetDateTime,
    /// The tasks that it runs, by their new ids.
    pub(in super::super) task_run_ids: Vec<i64>,
    /// How the run had ended before.
    pub(in super::super) before: Whole,
    pub(in super::super) before_ended_at: OffsetDateTime,
    pub(in super::super) before_task_run_ids: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Repaired {
    pub(super) run_id: i64,
    pub(super) tasks: Vec<Again>,
    pub(super) parameters: Vec<JobParameter>,
    pub(super) repair: Repair,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Again {
    pub(super) index: usize,
    pub(super) run_id: i64,
    pub(super) spec: TaskSpec,
}

/// What is to be run again.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Wish {
    pub(in super::super) run_id: i64,
    pub(in super::super) tasks: Vec<String>,
    pub(in super::super) all_failed: bool,
    pub(in super::super) dependent: bool,
    pub(in super::super) latest_repair_id: Option<i64>,
    pub(in super::super) overrides: Overrides,
}

pub(in super::super) fn decide_repair(
    world: &World,
    workspace: u64,
    wish: &Wish,
    ctx: &mut Ctx<'_>,
) -> Decision<i64> {
    let state = workspace_of(world, workspace)?;
    let (run, _) = state.jobs.find(wish.run_id)?;
    let run_id = run.run_id;
    let refused = |text: String| Err(Refusal::invalid(text));
    let Some(before_ended_at) = run.ended_at().filter(|_| !run.is_rejected) else {
        let text = format!("Run {run_id} cannot be repaired, because it is still active.");
        return Err(Refusal::invalid(text).with_code("INVALID_STATE"));
    };
    match (run.repairs.last(), wish.latest_repair_id) {
        (Some(_), None) => {
            return refused(format!(
                "latest_repair_id is required, because run {run_id} has been repaired before."
            ));
        }
        (last, Some(id)) if last.is_none_or(|it| it.id != id) => {
            return refused(format!("{id} is not the id of the latest repair of run {run_id}."));
        }
        _ => (),
    }
    let chosen = chosen(run, wish)?;
    // Tasks are run again as their job describes them now.
    let job = state.jobs.saved.get(&run.job_id).filter(|_| run.is_saved);
    let overrides = run.terms.overrides.followed_by(&wish.overrides);
    let (submission, terms) = if let Some(job) = job {
        order_of(job, overrides)?
    } else {
        let (mut submission, mut terms) = (run.submission.clone(), run.terms.clone());
        terms.override_with(overrides, &mut submission);
        (submission, terms)
    };
    let mut tasks = Vec::new();
    for index in chosen {
        let key = &run.submission.tasks[index].task_key;
        let spec = current(&submission, run, index, key);
        tasks.push(Again { index, run_id: draw(ctx), spec });
    }
    let repair = Repair {
        id: draw(ctx),
        at: ctx.now,
        task_run_ids: tasks.iter().map(|it| it.run_id).collect(),
        before: of_run(run),
        before_ended_at,
        before_task_run_ids: match run.repairs.last() {
            Some(it) => it.task_run_ids.clone(),
            None => run.tasks.iter().map(|it| it.run_id).collect(),
        },
    };
    let id = repair.id;
    let Terms { parameters, .. } = terms;
    let repaired = Repaired { run_id, tasks, parameters, repair };
    Ok((vec![event(workspace, Event::Repaired(Box::new(repaired)))], id))
}

/// The task as it is now, if that fits into the run.
fn current(submission: &Submission, run: &JobRun, index: usize, key: &str) -> TaskSpec {
    let now = submission.tasks.iter().find(|it| it.task_key == key);
    let fits = |it: &&TaskSpec| it.depends_on.iter().all(|it| run.keys.contains_key(&it.task_key));
    now.filter(fits).unwrap_or(&run.submission.tasks[index]).clone()
}

fn chosen(run: &JobRun, wish: &Wish) -> Result<BTreeSet<usize>, Refusal> {
    if wish.all_failed && !wish.tasks.is_empty() {
        let text = "Only one of rerun_tasks and rerun_all_failed_tasks may be specified";
        return Err(Refusal::invalid(text));
    }
    let mut them = BTreeSet::new();
    for key in &wish.tasks {
        let missing = || Refusal::invalid(format!("Task '{key}' is not in run {}.", run.run_id));
        them.insert(*run.keys.get(key).ok_or_else(missing)?);
    }
    if wish.all_failed {
        let failed =
            run.tasks.iter().filter(|it| it.end().is_some_and(|it| it.result.is_failure()));
        them.extend(failed.map(|it| it.index));
    }
    while let Some(before) = wish.dependent.then_some(them.len()) {
        let is_behind = |task: &TaskSpec| {
            task.depends_on
                .iter()
                .any(|it| run.keys.get(&it.task_key).is_some_and(|it| them.contains(it)))
        };
        let behind = run.submission.tasks.iter().enumerate().filter(|(_, it)| is_behind(it));
        let behind: Vec<usize> = behind.map(|(at, _)| at).collect();
        them.extend(behind);
        if them.len() == before {
            break;
        }
    }
    if them.is_empty() {
        return Err(Refusal::invalid("There is no task to be run again"));
    }
    Ok(them)
}
