//! Artifacts: files that belong to a run, or to an upload of its own.
//!
//! Emulated: registering paths in a batch, listings, the addresses of contents
//! with signatures. An artifact is a blob `{origin}/{container}/{path}` of the
//! container `azureml`: whoever writes it, it is there. What was registered is
//! listed before its bytes come.
//! Run history shows the artifacts of a run under paths of its own.
//! Not emulated: contents through this service itself, deletion.
//!
//! Reference: what azureml-core 1.61 sends and needs.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::{SERVICE, of_runs::SERVICE as OF_RUNS},
    state::{Artifacts, Event},
};
