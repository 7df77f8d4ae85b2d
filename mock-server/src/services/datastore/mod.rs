//! Datastores of an Azure ML workspace: names for containers in a storage account.
//!
//! Emulated: the two that every workspace begins with, registering and
//! changing others that are blob containers or DBFS, the default one. As the real
//! service, a listing shows no credentials unless asked to. The account key of
//! the first two is a published one. Not emulated: file shares, data lakes and
//! databases; that the two first ones cannot be changed is assumed.
//!
//! Reference: what azureml-core 1.61 sends and needs.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Datastores, Event, Location},
};
