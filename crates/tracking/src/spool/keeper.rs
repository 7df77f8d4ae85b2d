//! The keeper: one thread of the process that makes segments before they are
//! needed, so that no log call waits for the disk or meets a page fault, and that
//! notes that the process is alive.

use std::{
    io,
    path::Path,
    sync::{
        Arc, OnceLock, PoisonError, Weak,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use tokio::time::Instant;

use super::{
    SpoolOptions, WhenFull, frame,
    map::Map,
    reader::Reader,
    record::Record,
    segment::{self, Position},
    writer::{Prepared, Slot, Writer},
};

/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(1);

enum Job {
    Watch(Weak<Writer>),
    Look,
}

fn jobs() -> Option<&'static Sender<Job>> {
    static JOBS: OnceLock<Option<Sender<Job>>> = OnceLock::new();
    let start = || {
        let (sender, receiver) = mpsc::channel();
        let work = move || keep(&receiver);
        thread::Builder::new().name("azml-spool".to_owned()).spawn(work).ok().map(|_| sender)
    };
    JOBS.get_or_init(start).as_ref()
}

/// Looks after `writer` as long as somebody has it.
pub(super) fn watch(writer: &Arc<Writer>) {
    let job = Job::Watch(Arc::downgrade(writer));
    let is_watched = jobs().is_some_and(|it| it.send(job).is_ok());
    if !is_watched {
        // No thread to be had: segments are made when they are needed.
        provide(writer);
    }
}

/// Asks for the next segment of `writer`.
pub(crate) fn prepare(writer: &Writer) {
    let is_asked = jobs().is_some_and(|it| it.send(Job::Look).is_ok());
    if !is_asked {
        provide(writer);
    }
}

fn keep(jobs: &mpsc::Receiver<Job>) {
    let mut writers: Vec<Weak<Writer>> = Vec::new();
    let mut beats_at = Instant::now() + BEAT;
    loop {
        match jobs.recv_timeout(beats_at.saturating_duration_since(Instant::now())) {
            Ok(Job::Watch(writer)) => writers.push(writer),
            Ok(Job::Look) | Err(RecvTimeoutError::Timeout) => (),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        writers.retain(|it| it.strong_count() > 0);
        let is_due = beats_at <= Instant::now();
        for writer in writers.iter().filter_map(Weak::upgrade) {
            if is_due {
                writer.beat();
            }
            provide(&writer);
        }
        if is_due {
            beats_at = Instant::now() + BEAT;
        }
    }
}

/// Makes the next segment of `writer` if it has none.
fn provide(writer: &Writer) {
    let lock = || writer.slot.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*lock(), Slot::Ready(_) | Slot::Taken) || writer.is_closed() {
        return;
    }
    let found = next(writer);
    *lock() = match found {
        Ok(Some(prepared)) => Slot::Ready(prepared),
        Ok(None) => Slot::Full,
        Err(err) => Slot::Failed(err),
    };
    writer.slot_changed.notify_all();
}

/// The next segment, or none if the run has as many bytes as it may.
fn next(writer: &Writer) -> io::Result<Option<Prepared>> {
    let (folder, options) = (&writer.folder, &writer.options);
    let all = segment::list(folder)?;
    // The active segment cannot change to one behind the prepared one: there is none.
    let active = all.last().copied().unwrap_or_default();
    let length = segment::length(active + 1, options.segment_bytes());
    let mut used = 0;
    for index in &all {
        used += segment::path(folder, *index).metadata().map_or(0, |it| it.len());
    }
    if used + length as u64 <= options.max_bytes {
        return make(folder, options, length).map(Some);
    }
    if options.when_full != WhenFull::DropOldest {
        return Ok(None);
    }
    let victim = {
        let mut fence = writer.fence.lock().unwrap_or_else(PoisonError::into_inner);
        let victim = all.iter().find(|it| **it > fence.reading && **it < active).copied();
        fence.condemned = victim;
        victim
    };
    let Some(victim) = victim else { return Ok(None) };
    let (points, carried) = carried(writer, victim, length)?;
    let prepared = make(folder, options, length)?;
    Ok(Some(Prepared { carried, victim: Some((victim, points)), ..prepared }))
}

/// Makes a segment under the name of a prepared one.
pub(super) fn make(folder: &Path, options: &SpoolOptions, length: usize) -> io::Result<Prepared> {
    let path = segment::prepared_path(folder);
    let file = options.disk.create(&path, length)?;
    let mut map = Map::new(&file, length)?;
    map.prefault();
    Ok(Prepared { map, file, carried: Vec::new(), victim: None })
}

/// How many points a segment has that goes away, and what is to be kept of it:
/// everything that is no point, and the number of points that went before.
fn carried(writer: &Writer, victim: u64, length: usize) -> io::Result<(u64, Vec<Vec<u8>>)> {
    let (mut points, mut gap, mut kept) = (0, 0, Vec::new());
    let mut reader = Reader::new(&writer.folder, writer.run, Position::start_of(victim));
    while reader.next(|record, at| {
        if at.segment != victim {
            return false;
        }
        match record {
            Record::Point(_) => points += 1,
            Record::Gap { points: before } => gap += before,
            // The segments of the points that stay say the names themselves.
            Record::Key { .. } => (),
            other => kept.push(other.encode()),
        }
        true
    })? {}
    let room = length / 2;
    let size = |it: &Vec<u8>| frame::len_of(it.len());
    if kept.iter().map(size).sum::<usize>() > room {
        let reason = "params and tags alone fill the spool";
        return Err(io::Error::new(io::ErrorKind::StorageFull, reason));
    }
    kept.push(Record::Gap { points: gap + points }.encode());
    Ok((points, kept))
}
