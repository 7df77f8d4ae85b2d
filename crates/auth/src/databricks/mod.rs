//! Databricks: who the program is in a workspace, and where that is written down.

mod auth_type;
mod config;
mod federation;
mod oauth;
mod ops;
mod profile;
mod service_principal;
mod sign_in;

pub use self::{
    auth_type::AuthType,
    config::DatabricksConfig,
    federation::{FederatedToken, FederationCredential},
    oauth::DatabricksOauthCredential,
    service_principal::ServicePrincipalTransport,
};
