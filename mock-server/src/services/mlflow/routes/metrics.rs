use std::cmp::Ordering;

use axum::Json;
use serde_json::{Value, json};

use super::{Answer, experiments::listing, root::Root};
use crate::{
    kernel::{Here, Refusal},
    services::mlflow::{
        state::search::Page,
        wire::{Asked, Fields, missing, point_json},
    },
    store::{Point, Run, Series, Store},
};

const LARGEST_HISTORY: usize = 25_000;
const LARGEST_SAMPLE: i64 = 2500;
const MOST_RUNS: usize = 100;

/// What is not a number counts as 0.
fn value(it: &Point) -> f64 {
    if it.value.is_nan() { 0.0 } else { it.value }
}

fn by_value(one: &Point, other: &Point) -> Ordering {
    let by_value = value(one).total_cmp(&value(other));
    by_value.then(one.value.to_bits().cmp(&other.value.to_bits()))
}

fn by_time(one: &Point, other: &Point) -> Ordering {
    (one.at, one.step).cmp(&(other.at, other.step)).then_with(|| by_value(one, other))
}

fn by_step(one: &Point, other: &Point) -> Ordering {
    (one.step, one.at).cmp(&(other.step, other.at)).then_with(|| by_value(one, other))
}

fn points(run: &Run, key: &str) -> Vec<Point> {
    run.metrics.get(key).into_iter().flat_map(Series::numbers).collect()
}

/// The points of a run. One that is unknown has none.
fn of_known(store: &Store, id: &str, key: &str) -> Vec<Point> {
    store.run(id).map(|run| points(run, key)).unwrap_or_default()
}

/// The points of a page in the order of time. The rest is not sorted.
fn paged(mut points: Vec<Point>, page: Page) -> Vec<Point> {
    if page.offset >= points.len() {
        return Vec::new();
    }
    if page.end() < points.len() {
        points.select_nth_unstable_by(page.end(), by_time);
        points.truncate(page.end());
    }
    if page.offset > 0 {
        points.select_nth_unstable_by(page.offset, by_time);
        points.drain(..page.offset);
    }
    points.sort_unstable_by(by_time);
    points
}

fn of_run(run_id: &str, key: &str, point: Point) -> Value {
    let mut shown = point_json(key, point);
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("run_id".to_owned(), run_id.into());
    }
    shown
}

pub(super) async fn get_history(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let (id, key) = (fields.run_id()?, fields.required("metric_key")?);
    let token = fields.text("page_token")?;
    let asked = fields.loose_whole("max_results")?;
    if let Some(asked) = asked.filter(|it| *it < 1) {
        let text = format!(
            "Invalid value {asked} for parameter 'max_results' supplied. It must be a positive integer."
        );
        return Err(Refusal::invalid(text).into());
    }
    let size = asked.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
    let page = Page::new(token, size)?;
    kernel.read(|world, _| {
        let points = of_known(world.stores.at(&root.place), id, key);
        let next = page.next(points.len());
        let shown = paged(points, page).into_iter().map(|it| point_json(key, it)).collect();
        Ok(Json(listing("metrics", shown, next)))
    })
}

/// Of several runs, in the order of their ids. What is unknown has no points.
pub(super) async fn get_history_bulk(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let fields = fields.unparsed();
    let mut ids = fields.texts("run_id")?;
    let count = ids.len();
    let begin = "GetMetricHistoryBulk request";
    if ids.is_empty() {
        return Err(Refusal::invalid(format!("{begin} must specify at least one run_id.")).into());
    }
    if MOST_RUNS < count {
        let text = format!(
            "{begin} cannot specify more than {MOST_RUNS} run_ids. Received {count} run_ids."
        );
        return Err(Refusal::invalid(text).into());
    }
    let key = fields.text("metric_key")?;
    let key = key.ok_or_else(|| Refusal::invalid(format!("{begin} must specify a metric_key.")))?;
    let size = fields.whole("max_results")?.and_then(|it| usize::try_from(it).ok());
    let size = size.unwrap_or(LARGEST_HISTORY).min(LARGEST_HISTORY);
    ids.sort();
    ids.dedup();
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let mut shown = Vec::new();
        for run in ids.iter().filter_map(|it| store.run(it).ok()) {
            let left = size.saturating_sub(shown.len());
            let points = paged(points(run, key), Page { offset: 0, size: left });
            shown.extend(points.into_iter().map(|it| of_run(&run.id, key, it)));
        }
        Ok(Json(json!({ "metrics": shown })))
    })
}

/// The steps that a client wants to see, both ends included.
fn steps(fields: &Fields) -> Result<Option<(i64, i64)>, Refusal> {
    match (fields.whole("start_step")?, fields.whole("end_step")?) {
        (Some(start), Some(end)) if end < start => Err(Refusal::invalid(format!(
            "end_step must be greater than start_step. Found start_step={start} and end_step={end}."
        ))),
        (Some(start), Some(end)) => Ok(Some((start, end))),
        (None, None) => Ok(None),
        _ => Err(Refusal::invalid(
            "If either start step or end step are specified, both must be specified.",
        )),
    }
}

/// At most `count` of the points, evenly chosen, the first and the last among them.
fn sample(points: &[Point], count: usize) -> Vec<Point> {
    if points.len() <= count {
        return points.to_vec();
    }
    let Some(last) = points.last() else { return Vec::new() };
    // The first of each of `count` buckets whose sizes differ by one at most.
    let (size, larger) = (points.len() / count, points.len() % count);
    let begin = |bucket: usize| bucket * size + bucket.min(larger);
    let mut chosen: Vec<Point> =
        (0..count).filter_map(|it| points.get(begin(it)).copied()).collect();
    if chosen.last() != Some(last) {
        chosen.pop();
        chosen.push(*last);
    }
    chosen
}

pub(super) async fn get_history_bulk_interval(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let ids = fields.texts("run_ids")?;
    let count = ids.len();
    if ids.is_empty() {
        return Err(missing("run_ids").into());
    }
    let hint = "See the API docs for more information about request parameters.";
    if MOST_RUNS < count {
        let text = format!(
            "GetMetricHistoryBulkInterval request must specify at most {MOST_RUNS} run_ids. Received {count} run_ids. {hint}"
        );
        return Err(Refusal::invalid(text).into());
    }
    let key = fields.required("metric_key")?;
    let size = fields.whole("max_results")?.unwrap_or(LARGEST_SAMPLE);
    if !(1..=LARGEST_SAMPLE).contains(&size) {
        let text = format!("max_results must be between 1 and {LARGEST_SAMPLE}. {hint}");
        return Err(Refusal::invalid(text).into());
    }
    let size = usize::try_from(size).unwrap_or(1);
    let steps = steps(&fields)?;
    kernel.read(|world, _| {
        let store = world.stores.at(&root.place);
        let mut shown = Vec::new();
        for id in &ids {
            let mut points = of_known(store, id, key);
            if let Some((start, end)) = steps {
                points.retain(|it| (start..=end).contains(&it.step.unwrap_or(0)));
            }
            points.sort_unstable_by(by_step);
            shown.extend(sample(&points, size).into_iter().map(|it| of_run(id, key, it)));
        }
        Ok(Json(listing("metrics", shown, None)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_what_the_whole_in_order_is_cut_into() {
        let point = |at: i64| Point { at: at * 7 % 11, step: Some(at), value: 0.0 };
        let points: Vec<Point> = (0..40).map(point).collect();
        let mut whole = points.clone();
        whole.sort_by(by_time);
        for size in [1, 7, 40, 50, usize::MAX] {
            let pages = (0..=40 / size).map(|it| Page { offset: it * size, size });
            let joined: Vec<Point> = pages.flat_map(|it| paged(points.clone(), it)).collect();
            assert_eq!(joined, whole);
        }
    }

    #[test]
    fn a_sample_is_even_and_keeps_both_ends() {
        let point = |at: i64| Point { at, step: Some(at), value: 0.0 };
        let points: Vec<Point> = (0..10).map(point).collect();
        let chosen = |count| sample(&points, count).iter().map(|it| it.at).collect::<Vec<_>>();
        assert_eq!(chosen(1), [9]);
        assert_eq!(chosen(3), [0, 4, 9]);
        assert_eq!(chosen(4), [0, 3, 6, 9]);
        assert_eq!(chosen(20).len(), 10);
    }
}
