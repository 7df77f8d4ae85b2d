//! The spool: what runs log, on the disk of this machine until a server has it.

mod durable;
mod frame;
mod keeper;
mod map;
mod options;
mod reader;
mod record;
mod segment;
mod state;
#[cfg(test)]
mod tests;
mod writer;

pub use self::options::{Durability, SpoolOptions, WhenFull};
pub(crate) use self::{
    reader::Reader,
    record::{Point, Record, instant, millis},
    segment::Position,
    state::{Attached, Header, Lock, Parent, State},
    writer::{KeyId, Writer},
};
