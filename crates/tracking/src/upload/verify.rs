//! What is left to send after an answer was lost.

use std::collections::HashMap;

use azml_core::{ErrorKind, Result};
use futures_util::TryStreamExt;

use crate::{
    Metric, MetricRow, MetricSeries, MetricValue, PendingMetric, RunRef, TrackingBackend, spool,
};

/// What makes two points equal, as any server keeps them.
type Identity = (i64, i64, u64);

fn identity(metric: &Metric) -> Identity {
    // Servers keep the infinities as the largest numbers, and one zero.
    let value = match metric.value {
        it if it.is_nan() => f64::NAN,
        f64::INFINITY => f64::MAX,
        f64::NEG_INFINITY => f64::MIN,
        it => it + 0.0,
    };
    (metric.step, spool::millis(metric.logged_at), value.to_bits())
}

/// Those of `sent` that the server does not have.
pub(super) async fn missing(
    backend: &dyn TrackingBackend,
    run: &RunRef,
    sent: &[PendingMetric],
) -> Result<Vec<PendingMetric>> {
    let mut stored = HashMap::new();
    for it in sent {
        let key = &it.metric.key;
        if !stored.contains_key(key) {
            let history: Vec<Metric> = match backend.metrics().history(run, key).try_collect().await
            {
                Ok(history) => history,
                Err(err) if err.kind() == ErrorKind::NotFound => Vec::new(),
                Err(err) => return Err(err),
            };
            stored.insert(key.clone(), counted(&history));
        }
    }
    Ok(subtract(sent, stored))
}

fn counted(history: &[Metric]) -> HashMap<Identity, usize> {
    let mut counts = HashMap::new();
    for it in history {
        *counts.entry(identity(it)).or_default() += 1;
    }
    counts
}

fn subtract(
    sent: &[PendingMetric],
    mut stored: HashMap<crate::MetricKey, HashMap<Identity, usize>>,
) -> Vec<PendingMetric> {
    let is_missing = |it: &&PendingMetric| {
        let counts = stored.get_mut(&it.metric.key);
        match counts.and_then(|it_counts| it_counts.get_mut(&identity(&it.metric))) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        }
    };
    sent.iter().filter(is_missing).cloned().collect()
}

/// Whether the server has the rows of a series that was sent.
pub(super) async fn has_series(
    backend: &dyn TrackingBackend,
    run: &RunRef,
    sent: &MetricSeries,
) -> Result<bool> {
    let stored = match backend.metrics().series(run, &sent.key).await {
        Ok(stored) => stored,
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(false),
        Err(err) => return Err(err),
    };
    Ok(sent.rows.iter().all(|row| stored.rows.iter().any(|it| is_same(it, row))))
}

/// Whether a row that is stored is one that was sent. A server of numbers gives it
/// a step, and cuts its time.
fn is_same(stored: &MetricRow, sent: &MetricRow) -> bool {
    let cut = |it: &MetricRow| it.logged_at.map(spool::millis);
    let has_time = stored.logged_at == sent.logged_at
        || (cut(stored) == cut(sent)
            && stored.logged_at.is_some_and(|it| it.microsecond() % 1000 == 0));
    let number = |it: &MetricRow| match it.cells.len() {
        1 => it.cells.values().next().and_then(MetricValue::as_f64).map(f64::to_bits),
        _ => None,
    };
    let has_value =
        stored.cells == sent.cells || number(stored).is_some_and(|it| number(sent) == Some(it));
    has_time && has_value && (sent.step.is_none() || stored.step == sent.step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn pending(values: &[(i64, f64)]) -> Vec<PendingMetric> {
        let point = |(step, value): &(i64, f64)| {
            let metric = Metric::new("m", *value, OffsetDateTime::UNIX_EPOCH).with_step(*step);
            PendingMetric::new(metric, Uuid::nil())
        };
        values.iter().map(point).collect()
    }

    fn missing_of(sent: &[PendingMetric], stored: &[PendingMetric]) -> Vec<PendingMetric> {
        let history: Vec<_> = stored.iter().map(|it| it.metric.clone()).collect();
        subtract(sent, HashMap::from([("m".into(), counted(&history))]))
    }

    #[test]
    fn what_a_server_spells_differently_is_the_same() {
        let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0].map(|it| (0, it));
        let as_stored = [-f64::NAN, f64::MAX, f64::MIN, 0.0].map(|it| (0, it));
        assert_eq!(missing_of(&pending(&values), &pending(&as_stored)), []);
    }

    proptest! {
        #[test]
        fn what_is_there_and_what_is_missing_are_the_whole(
            sent in prop::collection::vec((0..3_i64, prop::sample::select(&[0.0, 1.0][..])), 0..20),
            taken in prop::collection::vec(any::<bool>(), 20),
        ) {
            let stored: Vec<_> =
                sent.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(it, _)| *it).collect();
            let missing = missing_of(&pending(&sent), &pending(&stored));
            let mut all: Vec<_> = missing.iter().map(|it| (it.metric.step, it.metric.value)).collect();
            all.extend(stored);
            let order = |it: &(i64, f64), other: &(i64, f64)| it.partial_cmp(other).unwrap();
            all.sort_by(order);
            let mut expected = sent;
            expected.sort_by(order);
            prop_assert_eq!(all, expected);
        }
    }
}
