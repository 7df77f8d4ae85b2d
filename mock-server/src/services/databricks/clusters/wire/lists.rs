//! Filters, order and pages.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    super::state::{Cluster, Source},
    answers::{describe, describe_happening, kind_of, state_name},
};
use crate::{
    kernel::Refusal,
    services::databricks::wire::{from_millis, number},
};

/// What a list is limited to. Some parameters come several times.
#[derive(Debug, Default)]
pub(in super::super) struct ListQuery {
    states: Vec<String>,
    sources: Vec<String>,
    is_pinned: Option<bool>,
    policy_id: Option<String>,
    by_name: bool,
    descending: bool,
    size: usize,
    skipped: usize,
}

const LARGEST_PAGE: usize = 100;

impl ListQuery {
    pub(in super::super) fn read(pairs: Vec<(String, String)>) -> Result<Self, Refusal> {
        let mut it = Self { size: 20, ..Self::default() };
        for (name, value) in pairs {
            let refused = || Refusal::invalid(format!("{name} has the invalid value {value:?}"));
            match name.as_str() {
                "filter_by.cluster_states" => it.states.push(value),
                "filter_by.cluster_sources" => it.sources.push(value),
                "filter_by.is_pinned" => {
                    let value = value.to_lowercase().parse().map_err(|_| refused())?;
                    it.is_pinned = Some(value);
                }
                "filter_by.policy_id" => it.policy_id = Some(value),
                "sort_by.field" => it.by_name = value == "CLUSTER_NAME",
                "sort_by.direction" => it.descending = value == "DESC",
                "page_size" => {
                    let size: usize = value.parse().map_err(|_| refused())?;
                    it.size = if size == 0 { 20 } else { size.min(LARGEST_PAGE) };
                }
                "page_token" if !value.is_empty() => {
                    it.skipped = value.parse().map_err(|_| refused())?;
                }
                _ => (),
            }
        }
        Ok(it)
    }

    fn takes(&self, it: &Cluster) -> bool {
        let source = match it.source {
            Source::Api => "API",
            Source::Job => "JOB",
        };
        let is_in = |list: &[String], it: &str| list.is_empty() || list.iter().any(|one| one == it);
        let policy = it.spec.others.get("policy_id").and_then(Value::as_str);
        is_in(&self.states, state_name(&it.state))
            && is_in(&self.sources, source)
            && self.is_pinned.is_none_or(|wanted| wanted == it.pinned)
            && self.policy_id.as_deref().is_none_or(|wanted| policy == Some(wanted))
    }
}

/// One page of the clusters, given the latest first.
pub(in super::super) fn list(all: Vec<&Cluster>, query: &ListQuery) -> Value {
    let mut all: Vec<&Cluster> = all.into_iter().filter(|it| query.takes(it)).collect();
    if query.by_name {
        all.sort_by_key(|it| it.spec.cluster_name.to_lowercase());
    }
    if query.descending {
        all.reverse();
    }
    let ListQuery { skipped, size, .. } = *query;
    let page: Vec<Value> = all.iter().skip(skipped).take(size).map(|it| describe(it)).collect();
    let mut answer = json!({});
    if skipped + page.len() < all.len() {
        answer["next_page_token"] = json!((skipped + page.len()).to_string());
    }
    if 0 < skipped {
        answer["prev_page_token"] = json!(skipped.saturating_sub(size).to_string());
    }
    if !page.is_empty() {
        answer["clusters"] = json!(page);
    }
    answer
}

#[derive(Deserialize)]
pub(in super::super) struct EventsBody {
    pub(in super::super) cluster_id: Option<String>,
    #[serde(default, deserialize_with = "number")]
    limit: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    offset: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    page_size: Option<i64>,
    page_token: Option<String>,
    #[serde(default, deserialize_with = "number")]
    start_time: Option<i64>,
    #[serde(default, deserialize_with = "number")]
    end_time: Option<i64>,
    #[serde(default)]
    event_types: Vec<String>,
    order: Option<String>,
}

const MOST_EVENTS: usize = 500;

impl EventsBody {
    /// One page of what happened to the cluster.
    pub(in super::super) fn page(&self, cluster: &Cluster) -> Result<Value, Refusal> {
        let (start, end) = (self.start_time.map(from_millis), self.end_time.map(from_millis));
        let all = cluster.history.iter().filter(|(at, it)| {
            start.is_none_or(|start| start <= *at)
                && end.is_none_or(|end| *at <= end)
                && (self.event_types.is_empty()
                    || self.event_types.iter().any(|one| one == kind_of(it)))
        });
        let mut all: Vec<_> = all.collect();
        match self.order.as_deref().unwrap_or("DESC") {
            "ASC" => (),
            "DESC" => all.reverse(),
            other => {
                return Err(Refusal::invalid(format!("order {other:?} is none of ASC, DESC")));
            }
        }
        let by_token = self.page_size.is_some() || self.page_token.is_some();
        let limit = match self.page_size.or(self.limit).map(usize::try_from) {
            None | Some(Ok(0)) => 50,
            Some(Ok(it)) if it <= MOST_EVENTS => it,
            Some(_) => {
                let text = format!("limit must be between 1 and {MOST_EVENTS}");
                return Err(Refusal::invalid(text));
            }
        };
        let token = self.page_token.as_deref().filter(|it| !it.is_empty());
        let skipped = match token {
            Some(it) => it
                .parse()
                .map_err(|_| Refusal::invalid(format!("page_token {it:?} is not valid")))?,
            None => self.offset.and_then(|it| usize::try_from(it).ok()).unwrap_or(0),
        };
        let total = all.len();
        let page = all.into_iter().skip(skipped).take(limit);
        let page: Vec<Value> = page.map(|(at, it)| describe_happening(cluster, *at, it)).collect();
        let mut answer = json!({ "total_count": total });
        let next = skipped + page.len();
        if next < total {
            answer["next_page"] = self.next(next, limit);
            if by_token {
                answer["next_page_token"] = json!(next.to_string());
            }
        }
        if by_token && 0 < skipped {
            answer["prev_page_token"] = json!(skipped.saturating_sub(limit).to_string());
        }
        if !page.is_empty() {
            answer["events"] = json!(page);
        }
        Ok(answer)
    }

    /// The request for what comes next.
    fn next(&self, offset: usize, limit: usize) -> Value {
        let mut it = json!({ "cluster_id": self.cluster_id, "offset": offset, "limit": limit });
        let times = [("start_time", self.start_time), ("end_time", self.end_time)];
        for (name, time) in times {
            if let Some(time) = time {
                it[name] = json!(time);
            }
        }
        if let Some(order) = &self.order {
            it["order"] = json!(order);
        }
        if !self.event_types.is_empty() {
            it["event_types"] = json!(self.event_types);
        }
        it
    }
}
