//! Pages of jobs and of runs. A page token is the id of the last one shown, so
//! a page takes no longer the further back it is.

use std::ops::Bound;

use axum::Json;
use serde_json::{Value, json};

use super::{Answer, IsNewest, base};
use crate::{
    kernel::{Here, Params, Refusal, Site},
    services::databricks::{
        Envelope,
        gate::AtDatabricks,
        jobs::{
            state::Wanted,
            wire::{self, JobsQuery, Page, RunPage, RunsQuery},
        },
        wire::from_millis,
        workspace_of,
    },
};

fn limit(given: Option<i64>, default: usize, most: usize) -> Result<usize, Refusal> {
    let Some(given) = given else { return Ok(default) };
    let limit = usize::try_from(given).ok().filter(|it| (1..=most).contains(it));
    let text = || format!("Limit has to be between 1 and {most}, and {given} is not");
    limit.ok_or_else(|| Refusal::invalid(text()))
}

/// Where a page begins: behind or before a job or a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Start {
    #[default]
    Newest,
    /// Older ones than this.
    Below(i64),
    /// Newer ones than this, the oldest of them last.
    Above(i64),
}

impl Start {
    fn read(token: Option<&str>) -> Result<Self, Refusal> {
        let Some(token) = token.filter(|it| !it.is_empty()) else { return Ok(Self::Newest) };
        let refused = || Refusal::invalid(format!("Invalid page_token: {token}"));
        let (kind, id) = token.split_at_checked(1).ok_or_else(refused)?;
        let id = id.parse().map_err(|_| refused())?;
        match kind {
            "n" => Ok(Self::Below(id)),
            "p" => Ok(Self::Above(id)),
            _ => Err(refused()),
        }
    }
}

/// A page of `them`, newest first, and whether there are more in the direction
/// in which the page was read.
fn page<'a, T>(
    start: Start,
    older: impl Iterator<Item = &'a T>,
    newer: impl Iterator<Item = &'a T>,
    limit: usize,
) -> (Vec<&'a T>, bool, bool) {
    if let Start::Above(_) = start {
        let mut newer = newer;
        let mut them: Vec<&T> = newer.by_ref().take(limit).collect();
        them.reverse();
        return (them, true, newer.next().is_some());
    }
    let mut older = older;
    let them: Vec<&T> = older.by_ref().take(limit).collect();
    (them, older.next().is_some(), start != Start::Newest)
}

fn answer(name: &str, shown: &[Value], ends: Option<(i64, i64)>, more: (bool, bool)) -> Value {
    let mut answer = json!({ "has_more": more.0 });
    if let Some((first, last)) = ends {
        if more.0 {
            answer["next_page_token"] = json!(format!("n{last}"));
        }
        if more.1 {
            answer["prev_page_token"] = json!(format!("p{first}"));
        }
    }
    if !shown.is_empty() {
        answer[name] = json!(shown);
    }
    answer
}

fn offset(given: Option<i64>) -> usize {
    given.and_then(|it| usize::try_from(it).ok()).unwrap_or(0)
}

fn tasks(is_expanded: bool, is_newest: bool) -> Page {
    match (is_expanded, is_newest) {
        (false, _) => Page::None,
        (true, true) => Page::From(0),
        (true, false) => Page::All,
    }
}

pub(super) async fn jobs(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    Params(query, _): Params<JobsQuery, Envelope>,
) -> Answer {
    let limit = limit(query.limit, 20, 100)?;
    let start = Start::read(query.page_token.as_deref())?;
    let shape = tasks(query.expand_tasks, is_newest);
    kernel.read(|world, _| {
        let saved = &workspace_of(world, workspace)?.jobs.saved;
        let is_wanted = |it: &&super::super::state::definitions::Job| {
            query.name.as_deref().is_none_or(|name| name.eq_ignore_ascii_case(it.name()))
        };
        let (below, above) = match start {
            Start::Newest => (Bound::Unbounded, Bound::Unbounded),
            Start::Below(id) => (Bound::Excluded(id), Bound::Unbounded),
            Start::Above(id) => (Bound::Unbounded, Bound::Excluded(id)),
        };
        let older = saved.range((Bound::Unbounded, below)).rev().map(|(_, it)| it);
        let older = older.filter(is_wanted).skip(offset(query.offset));
        let newer = saved.range((above, Bound::Unbounded)).map(|(_, it)| it).filter(is_wanted);
        let (them, next, previous) = page(start, older, newer, limit);
        let ends = them.first().zip(them.last()).map(|(first, last)| (first.job_id, last.job_id));
        let shown = them.into_iter().map(|it| wire::describe_job(it, shape));
        let shown = shown.map(|mut it| {
            // The tokens of a list are its own.
            if let Value::Object(it) = &mut it {
                it.remove("next_page_token");
            }
            it
        });
        Ok(Json(answer("jobs", &shown.collect::<Vec<_>>(), ends, (next, previous))))
    })
}

pub(super) async fn runs(
    Here(kernel): Here,
    site: Site,
    AtDatabricks(workspace): AtDatabricks,
    IsNewest(is_newest): IsNewest,
    Params(query, _): Params<RunsQuery, Envelope>,
) -> Answer {
    if query.active_only && query.completed_only {
        let text = "Only one of active_only and completed_only may be true";
        return Err(Refusal::invalid(text).into());
    }
    let limit = limit(query.limit.filter(|it| *it != 0).or(query.limit.map(|_| 25)), 20, 25)?;
    let start = Start::read(query.page_token.as_deref())?;
    let is_saved = match query.run_type.as_deref() {
        None | Some("") => None,
        Some("JOB_RUN") => Some(true),
        Some("SUBMIT_RUN") => Some(false),
        // Runs that notebooks started are shown to nobody.
        Some("WORKFLOW_RUN") => return Ok(Json(json!({ "has_more": false }))),
        Some(it) => {
            return Err(Refusal::invalid(format!("Unknown run_type: {it}")).into());
        }
    };
    let wanted = Wanted {
        job_id: query.job_id,
        is_active: (query.active_only || query.completed_only).then_some(query.active_only),
        is_saved,
        from: query.start_time_from.map(from_millis),
        to: query.start_time_to.map(from_millis),
    };
    let shape = tasks(query.expand_tasks, is_newest);
    kernel.read(|world, _| {
        let jobs = &workspace_of(world, workspace)?.jobs;
        let (below, above) = match start {
            Start::Newest => (None, None),
            Start::Below(id) => (Some(id), None),
            Start::Above(id) => (None, Some(id)),
        };
        let older = jobs.newest(wanted, below).skip(offset(query.offset));
        let newer = above.into_iter().flat_map(|it| jobs.oldest_above(wanted, it));
        let (them, next, previous) = page(start, older, newer, limit);
        let ends = them.first().zip(them.last()).map(|(first, last)| (first.run_id, last.run_id));
        let (base, view) = (
            base(&site, workspace),
            RunPage { page: shape, with_history: false, with_resolved: false },
        );
        let shown = them.into_iter().map(|it| wire::describe_run(it, view, &base));
        let shown = shown.map(|mut it| {
            if let Value::Object(it) = &mut it {
                it.remove("next_page_token");
            }
            it
        });
        Ok(Json(answer("runs", &shown.collect::<Vec<_>>(), ends, (next, previous))))
    })
}
