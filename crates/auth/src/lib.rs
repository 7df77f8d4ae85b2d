//! Credentials: who the program is when it calls Azure or Databricks.
//!
//! [`DefaultCredential`] finds out by itself; the others are for programs that
//! know. A [`Session`](azml_core::Session) keeps their tokens and gets new ones
//! in time.
//!
//! ```no_run
//! # #[cfg(feature = "azure")]
//! # fn demo(transport: std::sync::Arc<dyn azml_core::Transport>) -> azml_core::Result<()> {
//! use std::sync::Arc;
//!
//! use azml_auth::DefaultCredential;
//! use azml_core::{Cloud, Session};
//!
//! let cloud = Cloud::from_env()?;
//! let credential = DefaultCredential::new(&cloud, &transport);
//! let session = Session::new(cloud, transport, Arc::new(credential));
//! # Ok(())
//! # }
//! ```
//!
//! | Credential | Feature |
//! |---|---|
//! | [`PersonalAccessToken`] of a Databricks workspace | - |
//! | `ClientSecretCredential`, `WorkloadIdentityCredential`, `ManagedIdentityCredential`, `AzureCliCredential`, `DefaultCredential`, `ChainedCredential`, and `AzureCredential` for any of the Azure SDK | `azure` |
//! | `ClientCertificateCredential` | `certificate` |
//! | `DatabricksConfig` (profiles and the variables of the official tools), `DatabricksOauthCredential`, `FederationCredential`, `ServicePrincipalTransport` | `databricks` |
//! | `DeviceCodeCredential` | `device-code` |

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "azure")]
mod azure_cli;
#[cfg(feature = "azure")]
mod chain;
#[cfg(any(feature = "azure", feature = "device-code"))]
mod check;
#[cfg(feature = "certificate")]
mod client_certificate;
#[cfg(feature = "azure")]
mod client_secret;
#[cfg(feature = "databricks")]
mod databricks;
#[cfg(feature = "azure")]
mod default;
#[cfg(feature = "device-code")]
mod device_code;
#[cfg(any(feature = "azure", feature = "device-code"))]
mod entra;
#[cfg(feature = "azure")]
mod managed_identity;
mod personal_access_token;
#[cfg(any(feature = "azure", feature = "device-code"))]
#[cfg(test)]
mod testing;
mod variables;
#[cfg(feature = "azure")]
mod workload_identity;

#[cfg(feature = "certificate")]
pub use crate::client_certificate::{ClientCertificate, ClientCertificateCredential};
#[cfg(feature = "databricks")]
pub use crate::databricks::{
    AuthType, DatabricksConfig, DatabricksOauthCredential, FederatedToken, FederationCredential,
    ServicePrincipalTransport,
};
#[cfg(feature = "device-code")]
pub use crate::device_code::{DeviceCodeCredential, DeviceCodePrompt};
pub use crate::personal_access_token::PersonalAccessToken;
#[cfg(feature = "azure")]
pub use crate::{
    azure::AzureCredential,
    azure_cli::AzureCliCredential,
    chain::ChainedCredential,
    client_secret::ClientSecretCredential,
    default::DefaultCredential,
    managed_identity::{ManagedIdentity, ManagedIdentityCredential},
    workload_identity::WorkloadIdentityCredential,
};
