use std::{fs, io, path::PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::{Failure, ca, tell};
use crate::server::ready::Ready;

#[derive(Args, Debug)]
pub(super) struct Options {
    /// The ready file of the mock cloud.
    #[arg(long, value_name = "FILE", env = "AZML_MOCK_READY")]
    ready: PathBuf,
    /// Who is to use it.
    #[arg(long = "for", value_enum, default_value_t = Client::Rust, value_name = "CLIENT")]
    client: Client,
    /// Prints lines for `eval` in a shell. The default.
    #[arg(long, conflicts_with = "json")]
    shell: bool,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A client library, official or ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Client {
    /// The v1 SDK of Azure ML, by its cloud metadata.
    AzuremlCore,
    /// The v2 SDK of Azure ML, by the proxy: real names everywhere.
    AzureAiMl,
    /// The Databricks SDKs and command line.
    Databricks,
    /// The MLflow client, with the plain tracking server.
    Mlflow,
    /// The azml crates.
    Rust,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let ready = ca::read(&options.ready)?;
    let variables = variables(options.client, &ready);
    if let Some((_, folder)) = variables.iter().find(|(name, _)| *name == CONFIG_FOLDER) {
        fs::create_dir_all(folder).map_err(|err| Failure(format!("{folder}: {err}")))?;
    }
    let out = &mut io::stdout().lock();
    if options.json {
        let object: Map<String, Value> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        tell(out, &format!("{:#}", Value::Object(object)));
        return Ok(());
    }
    for (name, value) in variables {
        tell(out, &format!("export {name}={}", quoted(&value)));
    }
    Ok(())
}

/// Where the SDKs of Azure keep what they learned of a cloud. Each mock needs
/// its own, because they would take one mock's answers for another's.
const CONFIG_FOLDER: &str = "AZURE_CONFIG_DIR";

fn variables(client: Client, ready: &Ready) -> Vec<(&'static str, String)> {
    let text = |name: &'static str, value: &str| (name, value.to_owned());
    let principal = [
        text("AZURE_TENANT_ID", &ready.tenant_id),
        text("AZURE_CLIENT_ID", &ready.client_id),
        text("AZURE_CLIENT_SECRET", &ready.client_secret),
    ];
    let trust = [text("SSL_CERT_FILE", &ready.ca_file), text("REQUESTS_CA_BUNDLE", &ready.ca_file)];
    // Read by Python programs of all kinds; without it a proxy of the user would come between.
    let direct = [text("NO_PROXY", "127.0.0.1,localhost"), text("no_proxy", "127.0.0.1,localhost")];
    let config = || {
        let name = format!("azml-mock-{}-azure-config", ready.pid);
        (CONFIG_FOLDER, std::env::temp_dir().join(name).display().to_string())
    };
    let authority = ready.url.trim_start_matches("http://");
    let own: Vec<(&'static str, String)> = match client {
        Client::AzuremlCore => {
            let metadata = format!("{}/metadata/endpoints?api-version=2019-05-01", ready.url);
            let own = [
                ("ARM_CLOUD_METADATA_URL", metadata),
                text("AZUREML_CURRENT_CLOUD", &ready.cloud_name),
                config(),
            ];
            // With these `Workspace.from_config()` signs in by itself.
            let ambient = [
                text("AZUREML_SERVICE_PRINCIPAL_TENANT_ID", &ready.tenant_id),
                text("AZUREML_SERVICE_PRINCIPAL_ID", &ready.client_id),
                text("AZUREML_SERVICE_PRINCIPAL_PASSWORD", &ready.client_secret),
            ];
            let own = own.into_iter().chain(ambient).chain(principal);
            own.chain(trust).chain(direct).collect()
        }
        Client::AzureAiMl => {
            let own = [
                text("HTTPS_PROXY", &ready.url),
                text("https_proxy", &ready.url),
                text("NO_PROXY", ""),
                text("no_proxy", ""),
                config(),
            ];
            own.into_iter().chain(principal).chain(trust).collect()
        }
        Client::Databricks => {
            let own = [
                text("DATABRICKS_HOST", &ready.url),
                text("DATABRICKS_TOKEN", &ready.databricks_token),
            ];
            own.into_iter().chain(trust).chain(direct).collect()
        }
        Client::Mlflow => {
            let own = [
                ("MLFLOW_TRACKING_URI", format!("{}/mlflow", ready.url)),
                text("MLFLOW_DISABLE_TELEMETRY", "true"),
            ];
            own.into_iter().chain(direct).collect()
        }
        Client::Rust => {
            let own = [
                text("AZURE_CLOUD", &ready.cloud_name),
                text("AZURE_AUTHORITY_HOST", &ready.tls_url),
                text("AZURE_RESOURCE_MANAGER_ENDPOINT", &ready.tls_url),
                ("AZURE_STORAGE_SUFFIX", format!("mock@{authority}")),
                text("AZURE_SUBSCRIPTION_ID", &ready.subscription_id),
                text("DATABRICKS_HOST", &ready.url),
                text("DATABRICKS_TOKEN", &ready.databricks_token),
                text("SSL_CERT_FILE", &ready.ca_file),
            ];
            own.into_iter().chain(principal).chain(direct).collect()
        }
    };
    own
}

/// `value` as one word of a shell.
fn quoted(value: &str) -> String {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_./:@=,%+".contains(&it);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Ready {
        Ready { pid: 42, ..Ready::new("127.0.0.1:4711", "/ca.pem".as_ref()) }
    }

    #[test]
    fn each_client_gets_each_variable_once() {
        for client in Client::value_variants() {
            let mut names: Vec<_> =
                variables(*client, &ready()).into_iter().map(|(name, _)| name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{client:?}");
        }
    }

    #[test]
    fn the_sdk_of_azure_ml_learns_the_cloud_from_its_metadata() {
        let variables = variables(Client::AzuremlCore, &ready());
        let value = |name| variables.iter().find(|(it, _)| *it == name).map(|(_, it)| it.as_str());
        assert_eq!(
            value("ARM_CLOUD_METADATA_URL"),
            Some("http://127.0.0.1:4711/metadata/endpoints?api-version=2019-05-01")
        );
        assert_eq!(value("AZUREML_CURRENT_CLOUD"), Some("AzureCloud"));
        assert_eq!(value("REQUESTS_CA_BUNDLE"), Some("/ca.pem"));
    }

    #[test]
    fn values_survive_a_shell() {
        assert_eq!(quoted("http://127.0.0.1:1/a"), "http://127.0.0.1:1/a");
        assert_eq!(quoted("a b'c"), r"'a b'\''c'");
        assert_eq!(quoted(""), "''");
    }
}
