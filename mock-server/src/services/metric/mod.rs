//! Azure ML metrics, v2: batches of values, the list of names, all values of one.
//!
//! Emulated: `batch` (columns are fixed by the first batch of a name; later
//! ones that differ are named in `errors`), `list` (all names in one page, as
//! the official SDK never asks for a second), `full` (in pages). Values are
//! in the order of their times and steps, not of their arrival.
//! Not emulated: aggregates, labels, deletion.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
