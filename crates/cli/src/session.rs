//! Signing in from the environment.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use azml::{
    auth::ClientSecretCredential,
    core::{Cloud, ReqwestTransport, Session},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// Trusts the certificate authorities in this PEM file too
    #[arg(long, env = "AZML_CA_FILE", value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
}

impl Connection {
    /// A session of the service principal that the environment names.
    pub(crate) fn open(&self) -> anyhow::Result<Session> {
        let cloud = Cloud::from_env()?;
        let mut transport = ReqwestTransport::builder();
        if let Some(file) = &self.ca_file {
            let pem = fs::read(file).with_context(|| {
                format!("cannot read the certificates in {} (--ca-file)", file.display())
            })?;
            transport = transport.with_root_certificates_pem(pem);
        }
        let transport = Arc::new(transport.build()?);
        let credential = ClientSecretCredential::from_env(&cloud, transport.clone())?;
        Ok(Session::new(cloud, transport, Arc::new(credential)))
    }
}
