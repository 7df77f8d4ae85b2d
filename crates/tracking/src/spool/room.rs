//! Room for the next record: the step to the next segment, and what happens when
//! there is none.

use std::{
    fs, io,
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use azml_core::{Error, ErrorKind, Result};

use super::{
    WhenFull, keeper, segment,
    writer::{Active, NAME, Prepared, Slot, Writer},
};
use crate::Durability;

/// Bytes of each segment that are kept for the end of the run, which can be noted
/// then although there is no room for anything else.
const RESERVE: usize = 1024;
/// After so long without a segment the keeper is asked again.
const PATIENCE: Duration = Duration::from_secs(1);

impl Writer {
    pub(super) fn make_room(&self, active: &mut Active, length: usize, is_end: bool) -> Result<()> {
        let reserve = if is_end { 0 } else { RESERVE };
        // The first segments are small: a large record may need the one after the next.
        while active.map.len() < active.at + length + reserve {
            self.roll(active)?;
        }
        Ok(())
    }

    /// Goes on in the next segment.
    #[cold]
    fn roll(&self, active: &mut Active) -> Result<()> {
        let prepared = self.take_prepared()?;
        let failed = |err: io::Error| {
            Error::explained(NAME, ErrorKind::Other, "the spool cannot go on").with_source(err)
        };
        if self.options.durability == Durability::Disk {
            active.file.sync_data().map_err(failed)?;
        }
        let index = active.index + 1;
        let path = segment::path(&self.folder, index);
        let renamed = fs::rename(segment::prepared_path(&self.folder), path);
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Slot::Wanted;
        renamed.map_err(failed)?;
        active.map = prepared.map;
        active.map.bytes()[..segment::HEAD].copy_from_slice(&segment::head(self.run, index));
        active.file = Arc::new(prepared.file);
        (active.index, active.at) = (index, segment::HEAD);
        for payload in &prepared.carried {
            self.put(active, payload.len(), |it| it.copy_from_slice(payload));
        }
        if let Some((victim, points)) = prepared.victim {
            let _ = fs::remove_file(segment::path(&self.folder, victim));
            self.dropped.fetch_add(points, Relaxed);
            self.acknowledge(points, None);
            self.fence.lock().unwrap_or_else(PoisonError::into_inner).condemned = None;
        }
        if self.options.durability == Durability::Disk {
            fs::File::open(&self.folder).and_then(|it| it.sync_all()).map_err(failed)?;
        }
        keeper::prepare(self);
        Ok(())
    }

    /// The next segment, as soon as it is ready, or what the policy says instead.
    fn take_prepared(&self) -> Result<Prepared> {
        let mut waited = false;
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match std::mem::replace(&mut *slot, Slot::Taken) {
                Slot::Ready(prepared) => return Ok(prepared),
                Slot::Wanted | Slot::Taken => {
                    *slot = Slot::Wanted;
                    let woken = self.slot_changed.wait_timeout(slot, PATIENCE);
                    let (back, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
                    slot = back;
                    if timeout.timed_out() {
                        drop(slot);
                        keeper::prepare(self);
                        slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
                    }
                }
                stuck => {
                    *slot = stuck;
                    let WhenFull::Block(patience) = self.options.when_full else {
                        return Err(self.no_room(&slot));
                    };
                    if waited {
                        return Err(self.no_room(&slot));
                    }
                    // Whoever makes room says so.
                    let is_stuck = |it: &mut Slot| matches!(it, Slot::Full | Slot::Failed(_));
                    let woken = self.slot_changed.wait_timeout_while(slot, patience, is_stuck);
                    slot = woken.unwrap_or_else(PoisonError::into_inner).0;
                    waited = matches!(*slot, Slot::Full | Slot::Failed(_));
                }
            }
        }
    }

    fn no_room(&self, slot: &Slot) -> Error {
        let pending = self.pending();
        let folder = self.folder.display();
        if let Slot::Failed(err) = slot {
            let reason = format!(
                "the disk gives no room for more in {folder}; {pending} records wait for the \
                 server; make room, or set another folder in SpoolOptions"
            );
            let source = io::Error::new(err.kind(), err.to_string());
            return Error::explained(NAME, ErrorKind::Other, reason).with_source(source);
        }
        let reason = format!(
            "{pending} records wait for the server in {folder}, which is all that \
             SpoolOptions::max_bytes ({}) allows; raise it, or let DropOldest drop them",
            self.options.max_bytes
        );
        Error::explained(NAME, ErrorKind::Throttled, reason)
    }
}
