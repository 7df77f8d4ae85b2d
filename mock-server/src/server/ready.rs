//! What a program must know to use a mock cloud that listens.

use std::{fs, io, io::Write, path::Path};

use serde::{Deserialize, Serialize};

/// The ready file: where the cloud listens, and the names and secrets with
/// which its default world begins. All of them are fake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ready {
    /// The port by plain http.
    pub url: String,
    /// The same port by TLS.
    pub tls_url: String,
    /// The certificate that clients must trust.
    pub ca_file: String,
    /// Tenant of Entra.
    pub tenant_id: String,
    /// Service principal, known to Azure and Databricks alike.
    pub client_id: String,
    /// Its password.
    pub client_secret: String,
    /// Azure subscription.
    pub subscription_id: String,
    /// Resource group of the Azure ML workspace.
    pub resource_group: String,
    /// Azure ML workspace.
    pub workspace_name: String,
    /// The real name of the Databricks workspace, for clients that come through the proxy.
    pub databricks_host: String,
    /// Token of its admin.
    pub databricks_token: String,
    /// Resource group of the Databricks workspace.
    pub databricks_resource_group: String,
    /// Databricks workspace, as the resource manager knows it.
    pub databricks_workspace_name: String,
    /// What the token federation of Databricks accepts.
    pub oidc_subject_token: String,
    /// The name under which official SDKs must know this cloud.
    pub cloud_name: String,
    /// Process id.
    pub pid: u32,
}

impl Ready {
    pub(crate) fn new(authority: &str, ca_file: &Path) -> Self {
        let text = str::to_owned;
        Self {
            url: format!("http://{authority}"),
            tls_url: format!("https://{authority}"),
            ca_file: ca_file.display().to_string(),
            tenant_id: text("22222222-2222-2222-2222-222222222222"),
            client_id: text("55555555-5555-5555-5555-555555555555"),
            client_secret: text("fake-secret"),
            subscription_id: text("11111111-1111-1111-1111-111111111111"),
            resource_group: text("rg1"),
            workspace_name: text("ws1"),
            databricks_host: text("adb-1234567890123456.7.azuredatabricks.net"),
            databricks_token: text("dapi-fake-token"),
            databricks_resource_group: text("dbx-rg"),
            databricks_workspace_name: text("dbx-ws"),
            oidc_subject_token: text("good.id.token"),
            cloud_name: text("AzureCloud"),
            pid: std::process::id(),
        }
    }

    /// The JSON document.
    ///
    /// # Panics
    ///
    /// Never: a ready file is plain data.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a ready file is plain data")
    }

    /// Writes the document in one step: whoever finds the file finds all of it.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be written or renamed.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".{}", self.pid));
        let mut file = fs::File::create(&unfinished)?;
        file.write_all(self.to_json().as_bytes())?;
        file.write_all(b"\n")?;
        drop(file);
        fs::rename(&unfinished, path)
    }
}
