use std::fmt;

use axum::http::{HeaderMap, Uri, header::HOST};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Keeps what is legal in a path, the slash included.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Host and port, for example `127.0.0.1:4711`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authority(pub(crate) String);

/// Under which names the client that asks knows this cloud.
///
/// This is the one place where absolute URLs are made. A client that came by a
/// real Azure name (through the proxy, or in-process) gets Azure names back;
/// any other gets the address that it used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    names: Names,
    /// `/__tenant/{id}` in a world of its own, empty in the default world.
    prefix: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Names {
    Azure,
    Local { scheme: &'static str, authority: Authority },
}

/// Which part of Azure a host name belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Entra,
    Arm,
    DataPlane,
    Databricks {
        host: String,
    },
    Blob {
        account: String,
    },
    /// Not an Azure name: the path tells.
    Anywhere,
}

impl Place {
    pub(crate) fn of(host: &str) -> Self {
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if let Some(account) = host.strip_suffix(".blob.core.windows.net") {
            return Self::Blob { account: account.to_owned() };
        }
        match host.as_str() {
            "login.microsoftonline.com" | "login.windows.net" | "sts.windows.net" | "169.254.169.254" => Self::Entra,
            "management.azure.com" => Self::Arm,
            "ml.azure.com" => Self::DataPlane,
            it if it.ends_with(".api.azureml.ms") || it.ends_with(".experiments.azureml.net") => {
                Self::DataPlane
            }
            it if it.ends_with(".azuredatabricks.net") => Self::Databricks { host },
            _ => Self::Anywhere,
        }
    }

    /// Whether the proxy may answer for this name.
    pub(crate) fn is_azure(&self) -> bool {
        *self != Self::Anywhere
    }
}

impl Site {
    pub(crate) fn new(uri: &Uri, headers: &HeaderMap, tls: bool, prefix: &str) -> Self {
        let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
        let host = text("x-forwarded-host")
            .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
            .or_else(|| text(HOST.as_str()))
            .unwrap_or("localhost");
        // The blob host of a local client has user information in front.
        let host = host.rsplit('@').next().unwrap_or(host);
        let secure = match text("x-forwarded-proto").or_else(|| uri.scheme_str()) {
            Some(scheme) => scheme == "https",
            None => tls,
        };
        let names = if Place::of(host).is_azure() {
            Names::Azure
        } else {
            let scheme = if secure { "https" } else { "http" };
            Names::Local { scheme, authority: Authority(host.to_owned()) }
        };
        Self { names, prefix: prefix.to_owned() }
    }

    /// By the names of Azure.
    pub(crate) fn azure() -> Self {
        Self { names: Names::Azure, prefix: String::new() }
    }

    /// How a child process on this machine reaches the world behind `prefix`.
    pub(crate) fn loopback(authority: Authority, prefix: &str) -> Self {
        Self { names: Names::Local { scheme: "https", authority }, prefix: prefix.to_owned() }
    }

    /// What stands in front of all paths of the world.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    fn local(&self, scheme: Option<&str>) -> Option<String> {
        match &self.names {
            Names::Azure => None,
            Names::Local { scheme: own, authority } => {
                Some(format!("{}://{}{}", scheme.unwrap_or(own), authority.0, self.prefix))
            }
        }
    }

    /// Where the client signs in. Always TLS.
    pub(crate) fn entra(&self) -> String {
        self.local(Some("https")).unwrap_or_else(|| "https://login.microsoftonline.com".into())
    }

    /// Where the resource manager is. Always TLS.
    pub(crate) fn arm(&self) -> String {
        self.local(Some("https")).unwrap_or_else(|| "https://management.azure.com".into())
    }

    /// The data plane of Azure ML in `region`, by the scheme that the client uses.
    pub(crate) fn data_plane(&self, region: &str) -> String {
        self.local(None).unwrap_or_else(|| format!("https://{region}.api.azureml.ms"))
    }

    /// The origin that the client used, by the scheme that it used.
    pub(crate) fn origin(&self) -> Option<String> {
        self.local(None)
    }

    /// The Databricks workspace with the real name `host`. Always TLS.
    pub(crate) fn databricks(&self, host: &str) -> String {
        self.local(Some("https")).unwrap_or_else(|| format!("https://{host}"))
    }

    /// What comes behind `{account}.blob.`. A local one carries user
    /// information, so that `https://{account}.blob.{suffix}` has the local
    /// authority as its host, without any name service.
    pub(crate) fn storage_suffix(&self) -> String {
        match &self.names {
            Names::Azure => "core.windows.net".to_owned(),
            Names::Local { authority, .. } => format!("mock@{}", authority.0),
        }
    }

    /// A blob's URL. `query` is a signature without its question mark.
    pub(crate) fn blob(&self, account: &str, container: &str, name: &str, query: &str) -> String {
        let (suffix, name) = (self.storage_suffix(), utf8_percent_encode(name, PATH));
        let prefix = match &self.names {
            Names::Azure => "",
            Names::Local { .. } => &self.prefix,
        };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("https://{account}.blob.{suffix}{prefix}/{container}/{name}{mark}{query}")
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(host: &str, tls: bool) -> Site {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        Site::new(&Uri::from_static("/"), &headers, tls, "")
    }

    #[test]
    fn a_client_that_came_by_an_azure_name_gets_azure_names() {
        let site = site("eastus.api.azureml.ms", true);
        assert_eq!(site.entra(), "https://login.microsoftonline.com");
        assert_eq!(
            site.blob("acct", "c", "a b/c", "sig=1"),
            "https://acct.blob.core.windows.net/c/a%20b/c?sig=1"
        );
    }

    #[test]
    fn a_local_client_gets_its_own_address_and_tls_where_the_services_insist() {
        let site = site("127.0.0.1:4711", false);
        assert_eq!(site.data_plane("eastus"), "http://127.0.0.1:4711");
        assert_eq!(site.arm(), "https://127.0.0.1:4711");
        assert_eq!(site.blob("acct", "c", "a", ""), "https://acct.blob.mock@127.0.0.1:4711/c/a");
    }

    #[test]
    fn addresses_in_a_world_of_its_own_lead_back_into_it() {
        let site = Site::loopback(Authority("127.0.0.1:4711".into()), "/__tenant/t1");
        assert_eq!(site.arm(), "https://127.0.0.1:4711/__tenant/t1");
        assert_eq!(
            site.blob("acct", "c", "a", ""),
            "https://acct.blob.mock@127.0.0.1:4711/__tenant/t1/c/a"
        );
    }
}
