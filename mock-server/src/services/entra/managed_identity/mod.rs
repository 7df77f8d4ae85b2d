//! Managed identities: tokens without any secret, for programs on a machine in
//! Azure. Here every machine has one, which is the service principal of the
//! world, also when a program names it by client id, object id or resource id.
//!
//! Emulated: the metadata service of virtual machines (IMDS), the endpoint of
//! App Service in its versions 2017-09-01 and 2019-08-01, which Azure ML serves
//! in its compute too, and the form that azureml-core posts. What the secret
//! headers say is not checked, only that they are there: no program could know.
//! Not emulated: Arc, Service Fabric, Cloud Shell.
//!
//! Reference: Microsoft's documents on both endpoints; what MSAL 1.39,
//! azureml-core 1.61 and `azure_identity` 1.0 send.

mod routes;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
