//! A mock that somebody serves, and a client that reaches it over TLS.

use std::{path::Path, sync::Arc};

use azml::{
    Client,
    auth::ClientSecretCredential,
    core::{Cloud, ReqwestTransport, Session},
    workspace::WorkspaceRef,
};
use secrecy::SecretString;
use serde_json::Value;

/// What the ready file tells.
pub(crate) struct Served {
    pub(crate) ready: Value,
}

impl Served {
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|err| err.to_string())?;
        let ready = serde_json::from_str(&text).map_err(|err| err.to_string())?;
        Ok(Self { ready })
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    pub(crate) fn session(&self) -> Session {
        let pem = std::fs::read(self.text("ca_file")).unwrap();
        let transport = ReqwestTransport::builder().with_root_certificates_pem(pem);
        let transport = Arc::new(transport.with_proxy_from_env(false).build().unwrap());
        let cloud = Cloud::at_origin(self.text("tls_url"));
        let credential = ClientSecretCredential::new(
            &cloud,
            transport.clone(),
            self.text("tenant_id"),
            self.text("client_id"),
            SecretString::from(self.text("client_secret")),
        );
        Session::new(cloud, transport, Arc::new(credential.unwrap()))
    }

    pub(crate) async fn client(&self) -> Client {
        let workspace = WorkspaceRef::new(
            self.text("subscription_id"),
            self.text("resource_group"),
            self.text("workspace_name"),
        );
        Client::open(self.session(), workspace).await.unwrap()
    }
}
