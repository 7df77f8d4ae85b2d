//! Databricks DBFS API 2.0.
//!
//! Emulated: streams of blocks, small files, reading, listing, moving. The
//! folder that tasks see as `dbfs:/` is the truth; the log holds only the
//! streams that are open. Multipart bodies are not emulated.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Dbfs, Event},
};
