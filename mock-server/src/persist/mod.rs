//! `--data-dir`: the log in a database file, so that a world outlives its process.

mod sqlite;
#[cfg(test)]
mod tests;

pub(crate) use self::sqlite::{Durability, Sqlite};
