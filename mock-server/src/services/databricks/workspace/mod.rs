//! Databricks Workspace API 2.0: folders, notebooks and files.
//!
//! Emulated: import and export (SOURCE, HTML, JUPYTER, AUTO, RAW) in JSON, in
//! forms and as plain downloads, status, listing, folders, deletion. The log
//! holds what an object is, the folder its bytes; files that tasks write into
//! the folder are files of the workspace. DBC archives and R Markdown are not
//! emulated.

mod routes;
mod state;
#[cfg(test)]
pub(super) mod tests;
mod wire;

pub(super) use self::wire::notebooks::commands;
pub(crate) use self::{
    routes::SERVICE,
    state::{Event, Objects, decide_delete, decide_make_folder},
};
