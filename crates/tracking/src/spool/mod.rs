//! The spool: what runs log, on the disk of this machine until a server has it.

mod durable;
mod frame;
mod keeper;
mod map;
mod options;
mod reader;
mod record;
mod room;
mod segment;
mod series;
mod state;
#[cfg(test)]
mod tests;
mod writer;

use std::path::{Path, PathBuf};

pub use self::options::{Durability, SpoolOptions, WhenFull};
#[cfg(test)]
pub(crate) use self::record::Point;
pub(crate) use self::{
    keeper::prepare as make_room,
    reader::Reader,
    record::{Record, instant, millis},
    segment::{Position, remove as remove_segment, remove_all as remove_segments},
    series::{from_json as series_from_json, to_json as series_to_json},
    state::{Attached, Header, Lock, Parent, State, VERSION, last_beat, reject, rejected_path},
    writer::{KeyId, Writer},
};

/// The tag that says how many points were dropped to make room.
pub(crate) const DROPPED_TAG: &str = "azml.spool.dropped_points";
/// The tag that says how many records the server has refused.
pub(crate) const REJECTED_TAG: &str = "azml.spool.rejected_records";

/// Where copies of files wait.
pub(crate) fn copies(folder: &Path) -> PathBuf {
    folder.join("files")
}

/// Removes a file that was sent, if it is one of our copies.
pub(crate) fn remove_copy(folder: &Path, file: &str) {
    let file = Path::new(file);
    if file.parent() == Some(&copies(folder)) {
        let _ = std::fs::remove_file(file);
    }
}
