//! Snapshots of source folders.
//!
//! Emulated: the place for new files, snapshots out of them and of those of a
//! parent, their trees, the latest one of a workspace, and all files of one in
//! a zip. A snapshot's files must have been uploaded; together they may have
//! 300 MiB, as the official SDK says.
//! Not emulated: snapshots of git repositories, the difference of two.
//!
//! Reference: what azureml-core 1.61 sends and needs.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Content, Event},
};
