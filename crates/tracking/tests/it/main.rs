//! What a run has logged is at the server, once, whatever happened on the way.
#![expect(clippy::unwrap_used, reason = "tests")]

mod harness;
mod lost_answers;
mod naive;
mod recovery;
mod server_down;
