//! Datastores of an Azure ML workspace: names for folders in its storage.
//!
//! Emulated: reading the two that every workspace begins with. Not emulated:
//! registering others. The account key is a published one.
//!
//! Reference: what azureml-core 1.61 needs.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
