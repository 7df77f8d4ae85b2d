//! Signing in.

use std::{
    env, fs,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use anyhow::Context;
use azml::{
    auth::{
        AzureCliCredential, ClientCertificateCredential, ClientSecretCredential, DefaultCredential,
        DeviceCodeCredential, ManagedIdentity, ManagedIdentityCredential,
        WorkloadIdentityCredential,
    },
    core::{Cloud, ReqwestTransport, Session, TokenCredential, Transport},
};
use clap::ValueEnum;

#[derive(Debug, clap::Args)]
pub(crate) struct Connection {
    /// Trusts the certificate authorities in this PEM file too
    #[arg(long, env = "AZML_CA_FILE", value_name = "FILE", global = true)]
    ca_file: Option<PathBuf>,
    /// Signs in by this
    #[arg(long, env = "AZML_AUTH", value_enum, default_value_t, global = true)]
    auth: Auth,
    #[arg(skip)]
    opened: OnceLock<Opened>,
}

/// How to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Auth {
    #[value(help = "The first of the others that works, but for device-code")]
    #[default]
    Default,
    #[value(
        help = "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH"
    )]
    Environment,
    #[value(help = "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE")]
    WorkloadIdentity,
    #[value(help = "What Azure has given to this machine or app; AZURE_CLIENT_ID selects one")]
    ManagedIdentity,
    #[value(help = "Whoever has signed in with `az login`")]
    AzureCli,
    #[value(help = "A person with a browser, on this or another device")]
    DeviceCode,
}

#[derive(Clone, Debug)]
struct Opened {
    session: Session,
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    Named(&'static str),
    Default(Arc<DefaultCredential>),
}

impl Connection {
    /// Lets a person sign in, who needs more time than a call has.
    pub(crate) async fn sign_in(&self) -> anyhow::Result<()> {
        if self.auth == Auth::DeviceCode {
            let session = self.open()?;
            session.credential().token(&session.cloud().arm_scope()).await?;
        }
        Ok(())
    }

    /// The session of this command.
    pub(crate) fn open(&self) -> anyhow::Result<Session> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened.session.clone());
        }
        let opened = self.opened.get_or_init({
            let opened = self.connect()?;
            || opened
        });
        Ok(opened.session.clone())
    }

    /// The name of what signed in, once something has.
    pub(crate) fn credential(&self) -> Option<&'static str> {
        match &self.opened.get()?.by {
            By::Named(name) => Some(name),
            By::Default(credential) => credential.chosen(),
        }
    }

    fn connect(&self) -> anyhow::Result<Opened> {
        let cloud = Cloud::from_env()?;
        let mut transport = ReqwestTransport::builder();
        if let Some(file) = &self.ca_file {
            let pem = fs::read(file).with_context(|| {
                format!("cannot read the certificates in {} (--ca-file)", file.display())
            })?;
            transport = transport.with_root_certificates_pem(pem);
        }
        let transport: Arc<dyn Transport> = Arc::new(transport.build()?);
        let (by, credential) = self.auth.credential(&cloud, &transport)?;
        Ok(Opened { session: Session::new(cloud, transport, credential), by })
    }
}

impl Auth {
    fn credential(
        self,
        cloud: &Cloud,
        transport: &Arc<dyn Transport>,
    ) -> anyhow::Result<(By, Arc<dyn TokenCredential>)> {
        let carrier = transport.clone();
        let credential: (_, Arc<dyn TokenCredential>) = match self {
            Self::Default => {
                let credential = Arc::new(DefaultCredential::new(cloud, transport));
                return Ok((By::Default(credential.clone()), credential));
            }
            Self::Environment
                if is_set("AZURE_CLIENT_CERTIFICATE_PATH") && !is_set("AZURE_CLIENT_SECRET") =>
            {
                ("certificate", Arc::new(ClientCertificateCredential::from_env(cloud, carrier)?))
            }
            Self::Environment => {
                ("client secret", Arc::new(ClientSecretCredential::from_env(cloud, carrier)?))
            }
            Self::WorkloadIdentity => {
                let credential = WorkloadIdentityCredential::from_env(cloud, carrier)?;
                ("workload identity", Arc::new(credential))
            }
            Self::ManagedIdentity => {
                let identity = match variable("AZURE_CLIENT_ID") {
                    Some(id) => ManagedIdentity::ClientId(id),
                    None => ManagedIdentity::SystemAssigned,
                };
                let credential = ManagedIdentityCredential::new(cloud, carrier, identity)?;
                ("managed identity", Arc::new(credential))
            }
            Self::AzureCli => ("Azure CLI", Arc::new(AzureCliCredential::new()?)),
            Self::DeviceCode => {
                let tenant =
                    variable("AZURE_TENANT_ID").unwrap_or_else(|| "organizations".to_owned());
                let client = variable("AZURE_CLIENT_ID")
                    .unwrap_or_else(|| DeviceCodeCredential::AZURE_CLI.to_owned());
                let credential =
                    DeviceCodeCredential::new(cloud, carrier, tenant, client, |prompt| {
                        // Whoever cannot read it cannot sign in, and is told when time is up.
                        let _ = writeln!(io::stderr().lock(), "{}", prompt.message);
                    })?;
                ("device code", Arc::new(credential))
            }
        };
        Ok((By::Named(credential.0), credential.1))
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|it| !it.trim().is_empty())
}

fn is_set(name: &str) -> bool {
    variable(name).is_some()
}
