use std::env;

use crate::{Error, Result, Scope};

const FROM_ENV: &str = "cloud.from_env";

/// One Azure cloud: where to sign in, where resources are managed, and what the
/// tokens are for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cloud {
    /// The name that Azure's tools give it, for example `AzureCloud`.
    pub name: String,
    /// Origin that hands out tokens.
    pub authority: String,
    /// Origin of the resource manager (ARM).
    pub resource_manager: String,
    /// Audience of tokens for the resource manager.
    pub arm_audience: String,
    /// Audience of tokens that show Databricks what the caller may manage: the
    /// resource manager by its older name, with the `/` at its end.
    pub service_management_audience: String,
    /// Audience of tokens for Azure ML.
    pub ml_audience: String,
    /// Audience of tokens for Databricks: an application id.
    pub databricks_audience: String,
    /// Audience of tokens for storage.
    pub storage_audience: String,
    /// How storage hosts end: `<account>.blob.<suffix>`.
    pub storage_suffix: String,
}

impl Cloud {
    /// The cloud that most people use.
    pub fn public() -> Self {
        Self {
            name: "AzureCloud".to_owned(),
            authority: "https://login.microsoftonline.com".to_owned(),
            resource_manager: "https://management.azure.com".to_owned(),
            arm_audience: "https://management.azure.com".to_owned(),
            service_management_audience: "https://management.core.windows.net/".to_owned(),
            ml_audience: "https://ml.azure.com".to_owned(),
            databricks_audience: "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d".to_owned(),
            storage_audience: "https://storage.azure.com".to_owned(),
            storage_suffix: "core.windows.net".to_owned(),
        }
    }

    /// The cloud operated by 21Vianet in China.
    pub fn china() -> Self {
        Self {
            name: "AzureChinaCloud".to_owned(),
            authority: "https://login.chinacloudapi.cn".to_owned(),
            resource_manager: "https://management.chinacloudapi.cn".to_owned(),
            arm_audience: "https://management.chinacloudapi.cn".to_owned(),
            service_management_audience: "https://management.core.chinacloudapi.cn/".to_owned(),
            ml_audience: "https://ml.azure.cn".to_owned(),
            storage_suffix: "core.chinacloudapi.cn".to_owned(),
            ..Self::public()
        }
    }

    /// The cloud of the government of the United States.
    pub fn usgov() -> Self {
        Self {
            name: "AzureUSGovernment".to_owned(),
            authority: "https://login.microsoftonline.us".to_owned(),
            resource_manager: "https://management.usgovcloudapi.net".to_owned(),
            arm_audience: "https://management.usgovcloudapi.net".to_owned(),
            service_management_audience: "https://management.core.usgovcloudapi.net/".to_owned(),
            ml_audience: "https://ml.azure.us".to_owned(),
            storage_suffix: "core.usgovcloudapi.net".to_owned(),
            ..Self::public()
        }
    }

    /// A cloud whose authority and resource manager have one origin, as the
    /// bundled mock has. Audiences and storage are those of [`public`](Self::public).
    pub fn at_origin(https_origin: impl Into<String>) -> Self {
        let origin = https_origin.into();
        Self { name: "Custom".to_owned(), ..Self::public() }
            .with_authority(origin.clone())
            .with_resource_manager(origin)
    }

    /// The cloud that the environment names.
    ///
    /// `AZURE_CLOUD` is one of `AzureCloud` (the default), `AzureChinaCloud` and
    /// `AzureUSGovernment`. `AZURE_AUTHORITY_HOST`,
    /// `AZURE_RESOURCE_MANAGER_ENDPOINT` and `AZURE_STORAGE_SUFFIX` replace parts
    /// of it.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) when a variable
    /// holds something else.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let variable = |name: &str| variable(name).filter(|it| !it.trim().is_empty());
        let url = |name: &str| match variable(name) {
            Some(text) if !text.contains("://") => Ok(Some(format!("https://{text}"))),
            Some(text) if text.starts_with("https://") || text.starts_with("http://") => {
                Ok(Some(text))
            }
            Some(_) => Err(Error::invalid(FROM_ENV, format!("{name}: begins with https://"))),
            None => Ok(None),
        };
        let mut cloud = match variable("AZURE_CLOUD").as_deref() {
            None => Self::public(),
            Some(name) => Self::by_name(name).ok_or_else(|| {
                let known = "AzureCloud, AzureChinaCloud, AzureUSGovernment";
                Error::invalid(FROM_ENV, format!("AZURE_CLOUD: {name} is none of {known}"))
            })?,
        };
        if let Some(authority) = url("AZURE_AUTHORITY_HOST")? {
            cloud = cloud.with_authority(authority);
        }
        if let Some(origin) = url("AZURE_RESOURCE_MANAGER_ENDPOINT")? {
            cloud = cloud.with_resource_manager(origin);
        }
        if let Some(suffix) = variable("AZURE_STORAGE_SUFFIX") {
            cloud = cloud.with_storage_suffix(suffix);
        }
        Ok(cloud)
    }

    fn by_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "azurecloud" | "azurepubliccloud" | "public" => Some(Self::public()),
            "azurechinacloud" | "china" => Some(Self::china()),
            "azureusgovernment" | "usgov" => Some(Self::usgov()),
            _ => None,
        }
    }

    /// Sets the name.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Sets the origin that hands out tokens.
    #[must_use]
    pub fn with_authority(self, origin: impl Into<String>) -> Self {
        Self { authority: without_slash(origin.into()), ..self }
    }

    /// Sets the origin of the resource manager. Its audience stays as it is.
    #[must_use]
    pub fn with_resource_manager(self, origin: impl Into<String>) -> Self {
        Self { resource_manager: without_slash(origin.into()), ..self }
    }

    /// Sets the audience of tokens for the resource manager.
    #[must_use]
    pub fn with_arm_audience(self, audience: impl Into<String>) -> Self {
        Self { arm_audience: without_slash(audience.into()), ..self }
    }

    /// Sets the audience of tokens for Azure ML.
    #[must_use]
    pub fn with_ml_audience(self, audience: impl Into<String>) -> Self {
        Self { ml_audience: without_slash(audience.into()), ..self }
    }

    /// Sets the audience of tokens for Databricks.
    #[must_use]
    pub fn with_databricks_audience(self, audience: impl Into<String>) -> Self {
        Self { databricks_audience: without_slash(audience.into()), ..self }
    }

    /// Sets the audience of tokens for storage.
    #[must_use]
    pub fn with_storage_audience(self, audience: impl Into<String>) -> Self {
        Self { storage_audience: without_slash(audience.into()), ..self }
    }

    /// Sets how storage hosts end.
    #[must_use]
    pub fn with_storage_suffix(self, suffix: impl Into<String>) -> Self {
        Self { storage_suffix: suffix.into(), ..self }
    }

    /// What to ask for to manage resources.
    pub fn arm_scope(&self) -> Scope {
        Scope::resource(&self.arm_audience)
    }

    /// What to ask for to show Databricks what the caller may manage.
    pub fn service_management_scope(&self) -> Scope {
        // The slash is part of the audience.
        Scope::new(format!("{}/.default", self.service_management_audience))
    }

    /// What to ask for to use Azure ML.
    pub fn ml_scope(&self) -> Scope {
        Scope::resource(&self.ml_audience)
    }

    /// What to ask for to use Databricks.
    pub fn databricks_scope(&self) -> Scope {
        Scope::resource(&self.databricks_audience)
    }

    /// What to ask for to read and write blobs.
    pub fn storage_scope(&self) -> Scope {
        Scope::resource(&self.storage_audience)
    }
}

fn without_slash(mut text: String) -> String {
    text.truncate(text.trim_end_matches('/').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn the_environment_names_a_cloud_and_replaces_parts_of_it() {
        let cloud = Cloud::from_variables(|name| match name {
            "AZURE_CLOUD" => Some("AzureChinaCloud".to_owned()),
            "AZURE_AUTHORITY_HOST" => Some("login.a.test/".to_owned()),
            "AZURE_STORAGE_SUFFIX" => Some("storage.test".to_owned()),
            _ => None,
        });
        let expected = Cloud::china()
            .with_authority("https://login.a.test")
            .with_storage_suffix("storage.test");
        assert_eq!(cloud.unwrap(), expected);
    }

    #[test]
    fn an_unknown_cloud_is_refused() {
        let value = |name: &str| (name == "AZURE_CLOUD").then(|| "Moon".to_owned());
        let err = Cloud::from_variables(value).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn an_empty_environment_means_the_public_cloud() {
        assert_eq!(Cloud::from_variables(|_| None).unwrap(), Cloud::public());
    }
}
