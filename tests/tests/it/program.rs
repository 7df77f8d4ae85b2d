//! The mock as a process of its own, and a client that reaches it over TLS.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use azml::{
    Client,
    auth::ClientSecretCredential,
    core::{Cloud, ReqwestTransport, Session},
    workspace::WorkspaceRef,
};
use azml_testkit::wait_for;
use secrecy::SecretString;
use serde_json::Value;

pub(crate) struct Program {
    pub(crate) child: Child,
    pub(crate) ready: Value,
}

impl Program {
    /// Starts `azml-mock serve` with its files in `folder`.
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        let file = folder.join("ready.json");
        let child = Command::new(env!("CARGO_BIN_EXE_mock"))
            .args(["serve", "--listen", "127.0.0.1:0", "--ready-file"])
            .arg(&file)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let ready = wait_for("the ready file", || async {
            let text = std::fs::read_to_string(&file).map_err(|err| err.to_string())?;
            serde_json::from_str(&text).map_err(|err| err.to_string())
        });
        let ready = ready.await;
        Self { child, ready }
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

impl Drop for Program {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        // Ends its children too; a process that is gone already is fine.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
