//! Databricks DBFS API 2.0.
//!
//! Emulated: streams of blocks, files in JSON and in forms, reading, listing,
//! moving, deleting (of very many files a part at a time). The folder that
//! tasks see as `dbfs:/` is the truth; the log holds only the streams that are
//! open.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Dbfs, Event},
};
