use std::{env, path::PathBuf};

use azml_core::{Error, Result};
use secrecy::SecretString;

use super::{AuthType, oauth::with_scheme, profile};

const RESOLVE: &str = "auth.databricks_config";

/// What is known of a Databricks workspace and of who calls it, from the same
/// places as the official SDKs and tools take it: given values, then variables
/// of the environment, then a profile in `.databrickscfg`.
///
/// | Key of a profile | Variable |
/// |---|---|
/// | `host` | `DATABRICKS_HOST` |
/// | `token` | `DATABRICKS_TOKEN` |
/// | `client_id`, `client_secret` | `DATABRICKS_CLIENT_ID`, `DATABRICKS_CLIENT_SECRET` |
/// | `azure_workspace_resource_id` | `DATABRICKS_AZURE_RESOURCE_ID` |
/// | `azure_tenant_id`, `azure_client_id`, `azure_client_secret` | `ARM_TENANT_ID`, `ARM_CLIENT_ID`, `ARM_CLIENT_SECRET` |
/// | `oidc_token_filepath`, `oidc_token_env` | `DATABRICKS_OIDC_TOKEN_FILEPATH`, `DATABRICKS_OIDC_TOKEN_ENV` |
/// | `auth_type` | `DATABRICKS_AUTH_TYPE` |
/// | `cluster_id`, `warehouse_id` | `DATABRICKS_CLUSTER_ID`, `DATABRICKS_WAREHOUSE_ID` |
/// | | `DATABRICKS_CONFIG_PROFILE`, `DATABRICKS_CONFIG_FILE` |
///
/// The file is read when a profile is named, or when neither a host nor a
/// credential is known otherwise. Fact: databricks-sdk-py 0.156, `Config`.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DatabricksConfig {
    /// Where the workspace is, for example `https://adb-1.2.azuredatabricks.net`.
    pub host: Option<String>,
    /// A personal access token.
    pub token: Option<SecretString>,
    /// A service principal of Databricks.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<SecretString>,
    /// The workspace as a resource of Azure.
    pub azure_workspace_resource_id: Option<String>,
    /// The directory of a service principal of Entra.
    pub azure_tenant_id: Option<String>,
    /// The service principal.
    pub azure_client_id: Option<String>,
    /// Its secret.
    pub azure_client_secret: Option<SecretString>,
    /// A file that holds a token of another system.
    pub oidc_token_filepath: Option<String>,
    /// The variable that holds a token of another system; `DATABRICKS_OIDC_TOKEN` by default.
    pub oidc_token_env: Option<String>,
    /// The one way to sign in that is to be used.
    pub auth_type: Option<AuthType>,
    /// The cluster that code is meant for, if it does not say otherwise.
    pub cluster_id: Option<String>,
    /// The SQL warehouse that code is meant for.
    pub warehouse_id: Option<String>,
    /// The profile to read.
    pub profile: Option<String>,
    /// The file to read it from, `~/.databrickscfg` by default.
    pub config_file: Option<PathBuf>,
}

impl DatabricksConfig {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whatever the environment and the profiles say.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn from_env() -> Result<Self> {
        Self::new().resolve()
    }

    /// Sets the workspace.
    #[must_use]
    pub fn with_host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// Sets a personal access token.
    #[must_use]
    pub fn with_token(self, token: impl Into<SecretString>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// Sets a service principal of Databricks.
    #[must_use]
    pub fn with_client(self, id: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self { client_id: Some(id.into()), client_secret: Some(secret.into()), ..self }
    }

    /// Sets a service principal of Entra.
    #[must_use]
    pub fn with_azure_client(
        self,
        tenant_id: impl Into<String>,
        client_id: impl Into<String>,
        secret: impl Into<SecretString>,
    ) -> Self {
        Self {
            azure_tenant_id: Some(tenant_id.into()),
            azure_client_id: Some(client_id.into()),
            azure_client_secret: Some(secret.into()),
            ..self
        }
    }

    /// Sets the workspace as a resource of Azure, which a service principal needs
    /// that is no member of it.
    #[must_use]
    pub fn with_azure_workspace_resource_id(self, id: impl Into<String>) -> Self {
        Self { azure_workspace_resource_id: Some(id.into()), ..self }
    }

    /// Sets the one way to sign in that is to be used.
    #[must_use]
    pub fn with_auth_type(self, auth_type: AuthType) -> Self {
        Self { auth_type: Some(auth_type), ..self }
    }

    /// Sets the profile to read.
    #[must_use]
    pub fn with_profile(self, profile: impl Into<String>) -> Self {
        Self { profile: Some(profile.into()), ..self }
    }

    /// Sets the file to read profiles from.
    #[must_use]
    pub fn with_config_file(self, file: impl Into<PathBuf>) -> Self {
        Self { config_file: Some(file.into()), ..self }
    }

    /// Adds what the environment and the profiles know to what was given.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument) when a profile
    /// that was named is not there, the file is no list of profiles, or more than
    /// one way to sign in is set up and none is chosen.
    pub fn resolve(self) -> Result<Self> {
        self.resolve_from(|name| env::var(name).ok())
    }

    pub(super) fn resolve_from(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|it| !it.trim().is_empty());
        for (key, name) in VARIABLES {
            if let Some(value) = variable(name) {
                self.fill(key, value)?;
            }
        }
        self.profile = self.profile.or_else(|| variable("DATABRICKS_CONFIG_PROFILE"));
        let named = variable("DATABRICKS_CONFIG_FILE").map(PathBuf::from);
        self.config_file = self.config_file.or(named);
        let is_known = self.host.is_some()
            || self.azure_workspace_resource_id.is_some()
            || !self.set_up().is_empty();
        if self.profile.is_some() || !is_known {
            self.read_profile(&variable)?;
        }
        self.host = self.host.map(|it| with_scheme(&it));
        self.check()?;
        Ok(self)
    }

    fn read_profile(&mut self, variable: &impl Fn(&str) -> Option<String>) -> Result<()> {
        let file = self.config_file.clone().or_else(|| profile::default_file(variable));
        let name = self.profile.clone();
        let wanted = name.as_deref().unwrap_or(profile::DEFAULT);
        let found = match &file {
            Some(file) => profile::read(file, wanted)?,
            None => None,
        };
        match found {
            Some(settings) => {
                settings.into_iter().try_for_each(|(key, value)| self.fill(&key, value))
            }
            // Nobody has asked for it.
            None if name.is_none() => Ok(()),
            None => {
                let file = file
                    .map_or_else(|| "~/.databrickscfg".to_owned(), |it| it.display().to_string());
                let reason = format!(
                    "profile: {file} has no {wanted}; add it, or unset DATABRICKS_CONFIG_PROFILE"
                );
                Err(Error::invalid(RESOLVE, reason))
            }
        }
    }

    /// Sets what is not known yet. Keys of other tools are nobody's business.
    fn fill(&mut self, key: &str, value: String) -> Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        let secret = match key {
            "token" => Some(&mut self.token),
            "client_secret" => Some(&mut self.client_secret),
            "azure_client_secret" => Some(&mut self.azure_client_secret),
            _ => None,
        };
        if let Some(secret) = secret {
            secret.get_or_insert_with(|| value.into());
            return Ok(());
        }
        let text = match key {
            "auth_type" => {
                let auth_type = value.parse()?;
                self.auth_type.get_or_insert(auth_type);
                return Ok(());
            }
            "host" => &mut self.host,
            "client_id" => &mut self.client_id,
            "azure_workspace_resource_id" => &mut self.azure_workspace_resource_id,
            "azure_tenant_id" => &mut self.azure_tenant_id,
            "azure_client_id" => &mut self.azure_client_id,
            "oidc_token_filepath" => &mut self.oidc_token_filepath,
            "oidc_token_env" => &mut self.oidc_token_env,
            "cluster_id" => &mut self.cluster_id,
            "warehouse_id" => &mut self.warehouse_id,
            _ => return Ok(()),
        };
        text.get_or_insert(value);
        Ok(())
    }

    /// The ways to sign in for which everything is there.
    fn set_up(&self) -> Vec<AuthType> {
        AuthType::ALL
            .into_iter()
            .filter(|it| match it {
                AuthType::Pat => self.token.is_some(),
                AuthType::OauthM2m => self.client_id.is_some() && self.client_secret.is_some(),
                AuthType::AzureClientSecret => {
                    self.azure_tenant_id.is_some()
                        && self.azure_client_id.is_some()
                        && self.azure_client_secret.is_some()
                }
                AuthType::FileOidc => self.oidc_token_filepath.is_some(),
                AuthType::EnvOidc => self.oidc_token_env.is_some(),
                // It is not set up here, but on the machine.
                AuthType::AzureCli => false,
            })
            .collect()
    }

    /// The way to sign in: the chosen one, else the one that is set up, else the
    /// Azure CLI.
    pub(super) fn chosen(&self) -> AuthType {
        let set_up = || self.set_up().first().copied();
        self.auth_type.or_else(set_up).unwrap_or(AuthType::AzureCli)
    }

    fn check(&self) -> Result<()> {
        let set_up = self.set_up();
        if self.auth_type.is_none() && 1 < set_up.len() {
            let names: Vec<&str> = set_up.iter().map(|it| it.as_str()).collect();
            let reason = format!(
                "auth_type: more than one way to sign in is set up ({}); choose one with DATABRICKS_AUTH_TYPE",
                names.join(", ")
            );
            return Err(Error::invalid(RESOLVE, reason));
        }
        Ok(())
    }
}

/// Keys, and the variables that hold them.
const VARIABLES: [(&str, &str); 13] = [
    ("host", "DATABRICKS_HOST"),
    ("token", "DATABRICKS_TOKEN"),
    ("client_id", "DATABRICKS_CLIENT_ID"),
    ("client_secret", "DATABRICKS_CLIENT_SECRET"),
    ("azure_workspace_resource_id", "DATABRICKS_AZURE_RESOURCE_ID"),
    ("azure_tenant_id", "ARM_TENANT_ID"),
    ("azure_client_id", "ARM_CLIENT_ID"),
    ("azure_client_secret", "ARM_CLIENT_SECRET"),
    ("oidc_token_filepath", "DATABRICKS_OIDC_TOKEN_FILEPATH"),
    ("oidc_token_env", "DATABRICKS_OIDC_TOKEN_ENV"),
    ("auth_type", "DATABRICKS_AUTH_TYPE"),
    ("cluster_id", "DATABRICKS_CLUSTER_ID"),
    ("warehouse_id", "DATABRICKS_WAREHOUSE_ID"),
];

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const FILE: &str = "[DEFAULT]\nhost = https://adb-1.test/\ntoken = dapi-fake\ncluster_id = c\n\
        [principal]\nhost = adb-2.test\nclient_id = app\nclient_secret = fake-secret\nunknown = x\n";

    fn resolve(config: DatabricksConfig, variables: &[(&str, &str)]) -> Result<DatabricksConfig> {
        config.resolve_from(|name| {
            let found = variables.iter().find(|it| it.0 == name);
            found.map(|it| it.1.to_owned())
        })
    }

    fn with_file(text: &str) -> (tempfile::TempDir, DatabricksConfig) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("databrickscfg");
        std::fs::write(&file, text).unwrap();
        (folder, DatabricksConfig::new().with_config_file(file))
    }

    #[test]
    fn a_value_that_is_given_wins_over_the_environment_and_that_over_a_profile() {
        let (_folder, config) = with_file(FILE);
        let variables =
            [("DATABRICKS_CONFIG_PROFILE", "DEFAULT"), ("DATABRICKS_TOKEN", "dapi-of-env")];
        let it = resolve(config.with_host("adb-3.test"), &variables).unwrap();
        assert_eq!(it.host.as_deref(), Some("https://adb-3.test"));
        assert_eq!(it.token.unwrap().expose_secret(), "dapi-of-env");
        assert_eq!(it.cluster_id.as_deref(), Some("c"));
    }

    #[test]
    fn the_default_profile_is_read_when_nothing_else_is_known() {
        let (_folder, config) = with_file(FILE);
        let it = resolve(config.clone(), &[]).unwrap();
        assert_eq!(it.host.as_deref(), Some("https://adb-1.test"));
        assert_eq!(it.chosen(), AuthType::Pat);
        let it = resolve(config, &[("DATABRICKS_HOST", "adb-9.test")]).unwrap();
        assert!(it.token.is_none(), "a token of another workspace would go to the wrong one");
    }

    #[test]
    fn a_profile_that_is_named_has_to_be_there() {
        let (_folder, config) = with_file(FILE);
        let it = resolve(config.clone().with_profile("principal"), &[]).unwrap();
        assert_eq!(it.chosen(), AuthType::OauthM2m);
        assert_eq!(it.host.as_deref(), Some("https://adb-2.test"));
        let err = resolve(config.with_profile("none"), &[]).unwrap_err().to_string();
        assert!(err.ends_with("has no none; add it, or unset DATABRICKS_CONFIG_PROFILE"), "{err}");
    }

    #[test]
    fn two_ways_to_sign_in_need_a_choice() {
        let variables = [
            ("DATABRICKS_HOST", "adb-1.test"),
            ("DATABRICKS_TOKEN", "dapi-fake"),
            ("DATABRICKS_CLIENT_ID", "app"),
            ("DATABRICKS_CLIENT_SECRET", "fake-secret"),
        ];
        let err = resolve(DatabricksConfig::new(), &variables).unwrap_err();
        assert_eq!(
            err.to_string(),
            "auth.databricks_config failed: auth_type: more than one way to sign in is set up \
             (pat, oauth-m2m); choose one with DATABRICKS_AUTH_TYPE"
        );
        let chosen = DatabricksConfig::new().with_auth_type(AuthType::OauthM2m);
        assert_eq!(resolve(chosen, &variables).unwrap().chosen(), AuthType::OauthM2m);
        let unknown = [("DATABRICKS_AUTH_TYPE", "magic")];
        let err = resolve(DatabricksConfig::new(), &unknown).unwrap_err().to_string();
        assert_eq!(
            err,
            "auth.databricks_config failed: auth_type: \"magic\" is none of pat, oauth-m2m, \
             env-oidc, file-oidc, azure-client-secret, azure-cli"
        );
    }

    #[test]
    fn without_anything_it_is_whoever_has_signed_in_with_the_azure_cli() {
        let (_folder, config) = with_file("");
        assert_eq!(resolve(config, &[]).unwrap().chosen(), AuthType::AzureCli);
    }

    #[test]
    fn no_secret_is_printed() {
        let config = DatabricksConfig::new()
            .with_token("fake-token")
            .with_client("app", "fake-client-secret")
            .with_azure_client("t", "c", "fake-azure-secret");
        let text = format!("{config:?}");
        assert!(!text.contains("fake-"), "{text}");
    }
}
