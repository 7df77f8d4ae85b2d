use azml_core::{Error, Result};
use secrecy::{ExposeSecret, SecretString};

use super::{DatastoreCredential, DatastoreName};

const REGISTER: &str = "datastore.create";

/// A blob container that is to become a datastore.
#[derive(Clone, Debug)]
pub struct BlobContainer {
    pub(super) account: String,
    pub(super) container: String,
    pub(super) endpoint: Option<String>,
    pub(super) protocol: String,
    pub(super) credential: DatastoreCredential,
}

impl BlobContainer {
    /// The container `container` of the storage account `account`, which everybody
    /// reaches as themselves.
    pub fn new(account: impl Into<String>, container: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            container: container.into(),
            endpoint: None,
            protocol: "https".to_owned(),
            credential: DatastoreCredential::Identity,
        }
    }

    /// Gives everybody who may read the workspace's secrets the account's key.
    #[must_use]
    pub fn with_account_key(self, key: impl Into<SecretString>) -> Self {
        Self { credential: DatastoreCredential::AccountKey(key.into()), ..self }
    }

    /// Gives everybody who may read the workspace's secrets a shared access
    /// signature, with or without the `?`.
    #[must_use]
    pub fn with_sas(self, sas: impl Into<SecretString>) -> Self {
        Self { credential: DatastoreCredential::Sas(sas.into()), ..self }
    }

    /// Sets how storage hosts end. By default, as in the cloud of the session.
    #[must_use]
    pub fn with_endpoint(self, suffix: impl Into<String>) -> Self {
        Self { endpoint: Some(suffix.into()), ..self }
    }

    /// Speaks `http`, for an emulator. By default, `https`.
    #[must_use]
    pub fn with_http(self) -> Self {
        Self { protocol: "http".to_owned(), ..self }
    }

    pub(super) fn check(&self) -> Result<()> {
        let is_account = (3..=24).contains(&self.account.len())
            && self.account.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit());
        if !is_account {
            let reason = format!(
                "account: {:?} is no storage account; use 3 to 24 lower-case letters and digits",
                self.account
            );
            return Err(Error::invalid(REGISTER, reason));
        }
        let name = self.container.as_str();
        let is_container = (3..=63).contains(&name.len())
            && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-')
            && !name.contains("--");
        if !is_container && !matches!(name, "$root" | "$web" | "$logs") {
            let reason = format!(
                "container: {name:?} is no container; use 3 to 63 lower-case letters, digits and single dashes"
            );
            return Err(Error::invalid(REGISTER, reason));
        }
        match &self.credential {
            DatastoreCredential::AccountKey(key) if !is_base64(key.expose_secret()) => {
                let reason = "account key: is no Base64; copy it from the storage account's page";
                Err(Error::invalid(REGISTER, reason))
            }
            DatastoreCredential::Sas(sas) if !sas.expose_secret().contains("sig=") => {
                let reason = "sas: has no signature (sig=); copy the whole token";
                Err(Error::invalid(REGISTER, reason))
            }
            _ => Ok(()),
        }
    }
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && text.len().is_multiple_of(4)
        && body.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/'))
}

/// Datastores are named by letters, digits and underscores; the service makes
/// the letters small.
pub(super) fn check_name(name: &DatastoreName) -> Result<()> {
    let text = name.as_str();
    let is_good = !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_');
    if !is_good {
        let reason = format!(
            "datastore name: {text:?} is none; use lower-case letters, digits and underscores"
        );
        return Err(Error::invalid(REGISTER, reason));
    }
    Ok(())
}

/// What to do when a container is registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterOptions {
    pub(super) replace: bool,
    pub(super) create_container: bool,
    pub(super) skip_validation: bool,
}

impl RegisterOptions {
    /// Registers a container that exists under a name that is free, after the
    /// service has tried its credential.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces a datastore that has the name already.
    #[must_use]
    pub fn with_replace(self) -> Self {
        Self { replace: true, ..self }
    }

    /// Makes the container if there is none.
    #[must_use]
    pub fn with_create_container(self) -> Self {
        Self { create_container: true, ..self }
    }

    /// Takes the credential as it is, without trying it.
    #[must_use]
    pub fn with_skip_validation(self) -> Self {
        Self { skip_validation: true, ..self }
    }
}
