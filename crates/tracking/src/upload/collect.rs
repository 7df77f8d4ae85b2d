//! Puts records together that are sent together.

use std::collections::BTreeMap;

use azml_core::Result;
use uuid::Uuid;

use super::{Uploader, of_disk};
use crate::{
    ArtifactPath, BatchLimits, Metric, MetricKey, MetricSeries, PendingMetric, RunBatch, RunEnd,
    spool::{self, Position, Record},
};

/// What goes to the server at once.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) work: Work,
    /// Records in it, as the writer counts them.
    pub(super) records: u64,
    /// Behind the last of them.
    pub(super) end: Position,
    /// When the last of them was logged, if it says so.
    pub(super) at_ms: Option<i64>,
    /// Points that were dropped before them.
    pub(super) dropped: u64,
}

#[derive(Debug, PartialEq)]
pub(super) enum Work {
    Batch(RunBatch),
    Series(MetricSeries, Uuid),
    Artifact { path: ArtifactPath, file: String },
    End { end: RunEnd, at_ms: i64 },
}

impl Uploader {
    /// The next records; `None` when there are none yet.
    pub(super) fn collect(&mut self) -> Result<Option<Collected>> {
        let mut collector = Collector::new(&self.limits, self.header.local_id);
        let (keys, damaged) = (&mut self.keys, self.reader.damaged());
        while self
            .reader
            .next(|record, at| match record {
                Record::Key { id, name } => {
                    keys.insert(id, MetricKey::new(name.into_owned()));
                    true
                }
                record => collector.offer(record, at, keys),
            })
            .map_err(of_disk)?
        {}
        if damaged < self.reader.damaged() {
            let folder = self.folder.display();
            tracing::error!(%folder, "a segment of the spool is damaged: its rest is lost");
        }
        Ok(collector.finish(self.reader.position()))
    }
}

/// Takes records as long as they fit together.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    limits: &'a BatchLimits,
    run: Uuid,
    batch: RunBatch,
    alone: Option<Work>,
    bytes: usize,
    records: u64,
    at_ms: Option<i64>,
    dropped: u64,
}

type Keys = std::collections::HashMap<u32, MetricKey>;

impl<'a> Collector<'a> {
    pub(super) fn new(limits: &'a BatchLimits, run: Uuid) -> Self {
        let batch = RunBatch::new();
        Self { limits, run, batch, alone: None, bytes: 0, records: 0, at_ms: None, dropped: 0 }
    }

    /// Takes `record` if it fits. The first one always does.
    pub(super) fn offer(&mut self, record: Record<'_>, at: Position, keys: &Keys) -> bool {
        if self.alone.is_some() {
            return false;
        }
        let is_first = self.batch.is_empty();
        match record {
            Record::Gap { points } => {
                self.dropped += points;
                return true;
            }
            // Never asked for: names are told apart before.
            Record::Key { .. } => return true,
            Record::Point(point) => {
                // A segment says the names of its points before them.
                let Some(key) = keys.get(&point.key) else { return true };
                let bytes = key.as_str().len() + 100;
                if !self.fits(is_first, self.batch.metrics.len() < self.limits.metrics, bytes) {
                    return false;
                }
                let logged_at = spool::instant(point.at_ms);
                let metric = Metric::new(key.clone(), point.value, logged_at).with_step(point.step);
                self.batch.metrics.push(PendingMetric::new(metric, id_at(self.run, at)));
                self.at_ms = Some(point.at_ms);
            }
            Record::Param { key, value } => {
                let is_same = match self.batch.params.get(&*key) {
                    Some(before) if *before != value => return false,
                    Some(_) => true,
                    None => false,
                };
                let bytes = key.len() + value.len() + 40;
                let has_room = is_same || self.batch.params.len() < self.limits.params;
                if !self.fits(is_first, has_room, bytes) {
                    return false;
                }
                self.batch.params.insert(key.into_owned(), value.into_owned());
            }
            Record::Tag { key, value } => {
                let has_room =
                    self.batch.tags.contains_key(&*key) || self.batch.tags.len() < self.limits.tags;
                if !self.fits(is_first, has_room, key.len() + value.len() + 40) {
                    return false;
                }
                // The last one counts.
                self.batch.tags.insert(key.into_owned(), value.into_owned());
            }
            other if is_first => self.alone = alone(other, id_at(self.run, at)),
            _ => return false,
        }
        self.records += 1;
        true
    }

    fn fits(&mut self, is_first: bool, has_room: bool, bytes: usize) -> bool {
        let is_small = self.bytes + bytes <= self.limits.bytes;
        let fits = is_first || (has_room && is_small && self.batch.len() < self.limits.total);
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    /// What was taken, `end` being behind it; `None` when that is nothing.
    pub(super) fn finish(self, end: Position) -> Option<Collected> {
        let Self { batch, alone, records, at_ms, dropped, .. } = self;
        let is_empty = batch.is_empty() && alone.is_none() && dropped == 0 && records == 0;
        let work = alone.unwrap_or(Work::Batch(batch));
        (!is_empty).then_some(Collected { work, records, end, at_ms, dropped })
    }
}

/// What goes by itself. `None` for what a spool cannot hold any more by its own rules.
fn alone(record: Record<'_>, id: Uuid) -> Option<Work> {
    match record {
        Record::Series(json) => {
            let series = spool::series_from_json(&json);
            Some(Work::Series(series.ok()?, id))
        }
        Record::Artifact { path, file } => {
            let path = ArtifactPath::parse(&path).ok()?;
            Some(Work::Artifact { path, file: file.into_owned() })
        }
        Record::End { end, at_ms } => Some(Work::End { end, at_ms }),
        _ => None,
    }
}

/// The id of what stands at a place of a run's spool: always the same.
fn id_at(run: Uuid, at: Position) -> Uuid {
    // Rows of a series count on from here, in bits that no offset uses.
    let place = (u128::from(at.segment) << 72) | (u128::from(at.offset) << 40);
    Uuid::from_u128(run.as_u128() ^ place)
}

/// What is left of `params` when those are gone that are in `stored`.
pub(super) fn unlike(
    params: &BTreeMap<String, String>,
    stored: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let is_new = |(key, value): &(&String, &String)| stored.get(*key) != Some(*value);
    params.iter().filter(is_new).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spool::Point;

    #[derive(Clone, Debug)]
    enum Logged {
        Point(u32, i64),
        Param(u8, u8),
        Tag(u8, u8),
        Artifact,
    }

    fn any_logged() -> impl Strategy<Value = Logged> {
        prop_oneof![
            8 => (0..3_u32, any::<i64>()).prop_map(|(key, step)| Logged::Point(key, step)),
            2 => (0..20_u8, 0..2_u8).prop_map(|(key, value)| Logged::Param(key, value)),
            2 => (0..20_u8, any::<u8>()).prop_map(|(key, value)| Logged::Tag(key, value)),
            1 => Just(Logged::Artifact),
        ]
    }

    fn record(logged: &Logged) -> Record<'static> {
        match logged {
            Logged::Point(key, step) => {
                Record::Point(Point { key: *key, step: *step, at_ms: 1, value: 0.5 })
            }
            Logged::Param(key, value) => {
                Record::Param { key: format!("p{key}").into(), value: value.to_string().into() }
            }
            Logged::Tag(key, value) => {
                Record::Tag { key: format!("t{key}").into(), value: value.to_string().into() }
            }
            Logged::Artifact => Record::Artifact { path: "a".into(), file: "b".into() },
        }
    }

    proptest! {
        /// However records are cut into batches: none is missing, all are in order, none
        /// breaks a limit.
        #[test]
        fn batches_keep_the_limits_and_lose_nothing(
            logged in prop::collection::vec(any_logged(), 0..200),
            metrics in 1..30_usize, params in 1..5_usize, tags in 1..5_usize,
            total in 1..20_usize, bytes in 1..2000_usize,
        ) {
            let limits = BatchLimits { total, bytes, ..BatchLimits::new(metrics, params, tags) };
            let keys: Keys = (0..3).map(|it| (it, MetricKey::new(format!("m{it}")))).collect();
            let (mut steps, mut files, mut at) = (Vec::new(), 0, 0);
            let (mut all_params, mut all_tags) = (Vec::new(), BTreeMap::new());
            while at < logged.len() {
                let mut collector = Collector::new(&limits, Uuid::nil());
                let start = at;
                while at < logged.len() {
                    let place = Position { segment: 0, offset: at as u64 };
                    if !collector.offer(record(&logged[at]), place, &keys) {
                        break;
                    }
                    at += 1;
                }
                let collected = collector.finish(Position::START).unwrap();
                prop_assert_eq!(usize::try_from(collected.records).unwrap(), at - start);
                prop_assert!(at > start);
                match collected.work {
                    Work::Batch(batch) => {
                        prop_assert!(batch.metrics.len() <= metrics && batch.params.len() <= params);
                        prop_assert!(batch.tags.len() <= tags && batch.len() <= total);
                        let size = batch.metrics.len() * 102;
                        prop_assert!(size <= bytes || batch.len() == 1);
                        steps.extend(batch.metrics.iter().map(|it| it.metric.step));
                        all_params.extend(batch.params);
                        all_tags.extend(batch.tags);
                    }
                    Work::Artifact { .. } => files += 1,
                    other => panic!("{other:?}"),
                }
            }
            let of = |it: &Logged| if let Logged::Point(_, step) = it { Some(*step) } else { None };
            prop_assert_eq!(steps, logged.iter().filter_map(of).collect::<Vec<_>>());
            let count = logged.iter().filter(|it| matches!(it, Logged::Artifact)).count();
            prop_assert_eq!(files, count);
            for it in &logged {
                if let Record::Param { key, value } = record(it) {
                    prop_assert!(all_params.contains(&(key.into_owned(), value.into_owned())));
                }
            }
            let mut last = BTreeMap::new();
            for it in &logged {
                if let Record::Tag { key, value } = record(it) {
                    last.insert(key.into_owned(), value.into_owned());
                }
            }
            prop_assert_eq!(all_tags, last);
        }
    }

    #[test]
    fn ids_of_places_differ_and_leave_room_for_rows() {
        let run = Uuid::from_u128(0x1234_5678 << 64);
        let ids = [(0, 64), (0, 72), (1, 64), (1, 72)]
            .map(|(segment, offset)| id_at(run, Position { segment, offset }).as_u128());
        for (index, id) in ids.iter().enumerate() {
            for other in &ids[index + 1..] {
                assert!(id.abs_diff(*other) > 1_000_000);
            }
        }
    }
}
