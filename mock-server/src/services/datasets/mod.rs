//! Saved datasets of an Azure ML workspace: files that have an id and no name.
//!
//! Emulated: saving one, as the official SDK does before it submits a pipeline
//! that reads a dataset by its path. The data flow may name paths below
//! datastores, of which a pipeline can read a dataset with one.
//! Not emulated: registered datasets, versions, profiles, tables.
//!
//! Reference: what azureml-core 1.61 sends and needs.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Datasets, Event},
};
