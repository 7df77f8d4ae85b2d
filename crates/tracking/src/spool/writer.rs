//! The end of a spool at which a run logs.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{
            AtomicBool, AtomicI64, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

use azml_core::{Clock, Error, ErrorKind, Result};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    SpoolOptions,
    durable::Durable,
    frame, keeper,
    map::Map,
    reader::Fence,
    record::{self, Point, Record},
    segment::{self, Position},
    state,
};
use crate::Durability;

pub(super) const NAME: &str = "run.log";

/// What a run has logged. Shared by its handles, the keeper and the uploader.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(super) folder: PathBuf,
    pub(super) run: Uuid,
    pub(super) options: SpoolOptions,
    active: Mutex<Active>,
    /// Nothing more is logged: the run has ended. Changes with `active` locked.
    is_closed: AtomicBool,
    /// The segment that comes next.
    pub(super) slot: Mutex<Slot>,
    pub(super) slot_changed: Condvar,
    pub(super) fence: Arc<Mutex<Fence>>,
    durable: Durable,
    clock: Arc<dyn Clock>,
    accepted: AtomicU64,
    acknowledged: AtomicU64,
    pub(super) dropped: AtomicU64,
    /// Milliseconds since 1970. No record that waits is older.
    waits_since: AtomicI64,
    /// The uploader sleeps until so many records were accepted.
    wake_at: AtomicU64,
    pub(crate) wake: Notify,
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) map: Map,
    pub(super) file: Arc<fs::File>,
    pub(super) index: u64,
    pub(super) at: usize,
    keys: Vec<Key>,
    ids: HashMap<Box<str>, u32>,
}

/// A series of the run.
#[derive(Debug)]
struct Key {
    name: Box<str>,
    /// The segment that says its name, which each does that has a point of it.
    defined_in: Option<u64>,
    next_step: i64,
}

/// What is known about the next segment.
#[derive(Debug)]
pub(super) enum Slot {
    /// It is being made.
    Wanted,
    /// It is about to get its number: its file must stay.
    Taken,
    /// It is there, in the file [`segment::prepared_path`].
    Ready(Prepared),
    /// The run has as many bytes as it may.
    Full,
    /// The disk does not give it.
    Failed(io::Error),
}

/// A segment that is ready to be written to.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) map: Map,
    pub(super) file: fs::File,
    /// Records of a segment that goes away, which must be kept.
    pub(super) carried: Vec<Vec<u8>>,
    /// The segment that goes away, and how many points it has.
    pub(super) victim: Option<(u64, u64)>,
}

/// Names a series without looking it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyId(u32);

impl Writer {
    /// Begins the spool of a run in `folder`, which is empty.
    pub(crate) fn create(
        folder: &Path,
        run: Uuid,
        options: &SpoolOptions,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Arc<Self>> {
        let length = segment::length(0, options.segment_bytes());
        let prepared = keeper::make(folder, options, length)?;
        fs::rename(segment::prepared_path(folder), segment::path(folder, 0))?;
        let mut map = prepared.map;
        map.bytes()[..segment::HEAD].copy_from_slice(&segment::head(run, 0));
        let writer = Arc::new(Self {
            folder: folder.to_owned(),
            run,
            options: options.clone(),
            active: Mutex::new(Active {
                map,
                file: Arc::new(prepared.file),
                index: 0,
                at: segment::HEAD,
                keys: Vec::new(),
                ids: HashMap::new(),
            }),
            is_closed: AtomicBool::new(false),
            slot: Mutex::new(Slot::Wanted),
            slot_changed: Condvar::new(),
            fence: Arc::default(),
            durable: Durable::default(),
            clock,
            accepted: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            waits_since: AtomicI64::new(0),
            wake_at: AtomicU64::new(u64::MAX),
            wake: Notify::new(),
        });
        keeper::watch(&writer);
        Ok(writer)
    }

    /// The number of a series, whose name was checked.
    pub(crate) fn key(&self, name: &str) -> KeyId {
        self.active().key(name)
    }

    /// Logs a point. Without a step it gets the one after the last of its series.
    pub(crate) fn point(&self, key: KeyId, step: Option<i64>, value: f64) -> Result<()> {
        let at_ms = self.now_ms();
        self.write_point(self.active(), key, step, at_ms, value)
    }

    /// Logs a point of a series, by the name of which `check` approves when it is new.
    pub(crate) fn named_point(
        &self,
        name: &str,
        step: Option<i64>,
        value: f64,
        check: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let at_ms = self.now_ms();
        let mut active = self.active();
        let key = if let Some(id) = active.ids.get(name) {
            KeyId(*id)
        } else {
            check()?;
            active.key(name)
        };
        self.write_point(active, key, step, at_ms, value)
    }

    /// Logs anything else. After an end nothing more is taken.
    pub(crate) fn record(&self, record: &Record<'_>) -> Result<()> {
        let at_ms = self.now_ms();
        let payload = record.encode();
        if frame::len_of(payload.len()) > self.options.segment_bytes() / 2 {
            let reason = format!(
                "{} bytes are too many for one record; log them as an artifact",
                payload.len()
            );
            return Err(Error::invalid(NAME, reason));
        }
        let mut active = self.active();
        self.check_open()?;
        let is_end = matches!(record, Record::End { .. });
        self.make_room(&mut active, frame::len_of(payload.len()), is_end)?;
        self.put(&mut active, payload.len(), |it| it.copy_from_slice(&payload));
        if is_end {
            self.is_closed.store(true, Release);
        }
        self.accept(active, at_ms)
    }

    fn write_point(
        &self,
        mut active: MutexGuard<'_, Active>,
        KeyId(key): KeyId,
        step: Option<i64>,
        at_ms: i64,
        value: f64,
    ) -> Result<()> {
        self.check_open()?;
        let series = &active.keys[key as usize];
        // A name is at most some hundred bytes.
        let room = frame::len_of(Point::LEN) + frame::len_of(series.name.len() + 16);
        self.make_room(&mut active, room, false)?;
        let index = active.index;
        let series = &mut active.keys[key as usize];
        let step = step.unwrap_or(series.next_step);
        series.next_step = step.saturating_add(1);
        if series.defined_in != Some(index) {
            series.defined_in = Some(index);
            let name = series.name.clone();
            let payload = Record::Key { id: key, name: (&*name).into() }.encode();
            self.put(&mut active, payload.len(), |it| it.copy_from_slice(&payload));
        }
        let point = Point { key, step, at_ms, value };
        self.put(&mut active, Point::LEN, |it| point.encode(it));
        self.accept(active, at_ms)
    }

    fn check_open(&self) -> Result<()> {
        if self.is_closed() {
            let reason = "the run has ended: log before finish, fail or cancel";
            return Err(Error::invalid(NAME, reason));
        }
        Ok(())
    }

    pub(super) fn put(&self, active: &mut Active, payload: usize, fill: impl FnOnce(&mut [u8])) {
        let position = Position { segment: active.index, offset: active.at as u64 };
        let length = frame::len_of(payload);
        let (start, end) = (active.at, active.at + length);
        let salt = segment::salt(self.run, position);
        frame::write(&mut active.map.bytes()[start..end], salt, payload, fill);
        active.at = end;
    }

    /// Counts a record, and waits for the disk if that was promised.
    fn accept(&self, active: MutexGuard<'_, Active>, at_ms: i64) -> Result<()> {
        // Both counters change under the lock only, or go up towards each other.
        let accepted = self.accepted.load(Relaxed);
        if accepted == self.acknowledged.load(Relaxed) {
            self.waits_since.store(at_ms, Relaxed);
        }
        self.accepted.store(accepted + 1, Relaxed);
        let end = Position { segment: active.index, offset: active.at as u64 };
        let is_closed = self.is_closed();
        drop(active);
        if self.options.durability == Durability::Disk {
            self.durable.wait(end, || self.written()).map_err(|err| {
                let reason = "the disk did not confirm what was logged";
                Error::explained(NAME, ErrorKind::Other, reason).with_source(err)
            })?;
        }
        // Whoever sleeps is woken once.
        let is_due = self.wake_at.load(Relaxed) <= accepted + 1
            && self.wake_at.swap(u64::MAX, Relaxed) != u64::MAX;
        if is_closed || is_due {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// How far was written, and where.
    fn written(&self) -> (Position, Arc<fs::File>) {
        let active = self.active();
        let end = Position { segment: active.index, offset: active.at as u64 };
        (end, active.file.clone())
    }

    /// The present, as points have it.
    pub(crate) fn now_ms(&self) -> i64 {
        record::millis(self.clock.now())
    }

    /// Notes that the process is alive.
    pub(super) fn beat(&self) {
        state::beat(&self.folder, self.now_ms());
    }

    fn active(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits.
impl Writer {
    /// Records that were accepted and that no server has acknowledged.
    pub(crate) fn pending(&self) -> u64 {
        let acknowledged = self.acknowledged.load(Relaxed);
        self.accepted.load(Relaxed).saturating_sub(acknowledged)
    }

    /// Records that the server has, or that are gone for good.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Relaxed)
    }

    /// Wakes the uploader now.
    pub(crate) fn flush(&self) {
        self.wake.notify_one();
    }

    /// Points that were dropped to make room.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Records that were accepted.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// When the oldest record that waits was logged, at the earliest.
    pub(crate) fn waits_since(&self) -> Option<i64> {
        (self.pending() > 0).then(|| self.waits_since.load(Relaxed))
    }

    /// Notes that `records` more are at the server, or gone for good, the last of
    /// which was logged at `at_ms`.
    pub(crate) fn acknowledge(&self, records: u64, at_ms: Option<i64>) {
        if let Some(at_ms) = at_ms {
            self.waits_since.store(at_ms, Relaxed);
        }
        self.acknowledged.fetch_add(records, Relaxed);
    }

    /// Wakes the uploader once `records` wait, or at once if they do already.
    pub(crate) fn wake_when_pending(&self, records: u64) {
        let at = self.acknowledged.load(Relaxed) + records;
        self.wake_at.store(at, Relaxed);
        if self.accepted.load(Relaxed) >= at {
            self.wake.notify_one();
        }
    }

    /// Takes nothing more.
    pub(crate) fn close(&self) {
        let active = self.active();
        self.is_closed.store(true, Release);
        drop(active);
        self.wake.notify_one();
    }

    pub(crate) fn fence(&self) -> Arc<Mutex<Fence>> {
        self.fence.clone()
    }

    /// Whether the run has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Acquire)
    }
}

impl Active {
    fn key(&mut self, name: &str) -> KeyId {
        if let Some(id) = self.ids.get(name) {
            return KeyId(*id);
        }
        let id = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(Key { name: name.into(), defined_in: None, next_step: 0 });
        self.ids.insert(name.into(), id);
        KeyId(id)
    }
}
