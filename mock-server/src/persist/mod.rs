//! `--data-dir`: the log in SQLite, so that a world outlives its process.

mod sqlite;
#[cfg(test)]
mod tests;

pub(crate) use self::sqlite::{Durability, Sqlite};
