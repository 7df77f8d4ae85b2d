//! Credentials: who the program is when it calls Azure or Databricks.
//!
//! ```no_run
//! # #[cfg(feature = "azure")]
//! # fn demo(transport: std::sync::Arc<dyn azml_core::Transport>) -> azml_core::Result<()> {
//! use std::sync::Arc;
//!
//! use azml_auth::ClientSecretCredential;
//! use azml_core::{Cloud, Session};
//!
//! let cloud = Cloud::from_env()?;
//! let credential = ClientSecretCredential::from_env(&cloud, transport.clone())?;
//! let session = Session::new(cloud, transport, Arc::new(credential));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "azure")]
mod client_secret;
mod personal_access_token;
mod variables;

pub use crate::personal_access_token::PersonalAccessToken;
#[cfg(feature = "azure")]
pub use crate::{azure::AzureCredential, client_secret::ClientSecretCredential};
