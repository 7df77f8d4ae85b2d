use std::{fmt, str::FromStr};

use azml_core::{Error, Result};

const PARSE: &str = "auth.databricks_config";

/// How the official tools call the ways to sign in (`auth_type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthType {
    /// `pat`: a personal access token.
    Pat,
    /// `oauth-m2m`: a service principal with a secret of Databricks.
    OauthM2m,
    /// `env-oidc`: a token of another system, in a variable.
    EnvOidc,
    /// `file-oidc`: a token of another system, in a file.
    FileOidc,
    /// `azure-client-secret`: a service principal of Entra.
    AzureClientSecret,
    /// `azure-cli`: whoever has signed in with the Azure CLI.
    AzureCli,
}

impl AuthType {
    pub(super) const ALL: [Self; 6] = [
        Self::Pat,
        Self::OauthM2m,
        Self::EnvOidc,
        Self::FileOidc,
        Self::AzureClientSecret,
        Self::AzureCli,
    ];

    /// The name in profiles and in `DATABRICKS_AUTH_TYPE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pat => "pat",
            Self::OauthM2m => "oauth-m2m",
            Self::EnvOidc => "env-oidc",
            Self::FileOidc => "file-oidc",
            Self::AzureClientSecret => "azure-client-secret",
            Self::AzureCli => "azure-cli",
        }
    }
}

impl fmt::Display for AuthType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid(PARSE, format!("auth_type: {text:?} is none of {known}"))
        })
    }
}
