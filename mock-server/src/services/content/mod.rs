//! Snapshots of source folders.
//!
//! Emulated: the place for new files, and snapshots out of them and of those of
//! a parent. The latest snapshot is always the empty one, so clients send what
//! they do not remember to have sent.
//! Not emulated: reading snapshots back through the API.
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
