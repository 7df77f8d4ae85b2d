use std::{
    fs::File,
    io,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use super::segment::Position;

/// Waits for the disk, many callers at once: one asks, and it counts for all.
#[derive(Debug, Default)]
pub(super) struct Durable {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// All before this is on the disk.
    confirmed: Position,
    is_asking: bool,
}

impl Durable {
    /// Returns once all before `end` is on the disk. `written` tells how far the
    /// file was written, and must be asked before the disk is.
    pub(super) fn wait(
        &self,
        end: Position,
        written: impl Fn() -> (Position, Arc<File>),
    ) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.confirmed < end {
            if state.is_asking {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.is_asking = true;
            drop(state);
            let (reached, file) = written();
            // Earlier segments were confirmed when they were left.
            let asked = file.sync_data();
            state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_asking = false;
            self.changed.notify_all();
            asked?;
            state.confirmed = state.confirmed.max(reached);
        }
        Ok(())
    }
}
