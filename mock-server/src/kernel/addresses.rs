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
    Azure(&'static Sovereign),
    Local { scheme: &'static str, authority: Authority },
}

/// One of Microsoft's clouds by its names.
#[derive(Debug, PartialEq, Eq)]
struct Sovereign {
    /// What Azure's tools call it.
    name: &'static str,
    portal: &'static str,
    /// The old audience of the resource manager.
    classic: &'static str,
    /// Where one signs in; the first is the one that is told.
    entra: &'static [&'static str],
    arm: &'static str,
    /// The rest of a data plane's host behind its region.
    data_plane: &'static str,
    /// Hosts of the data plane that have no region.
    studio: &'static str,
    databricks: &'static str,
    storage: &'static str,
}

static PUBLIC: Sovereign = Sovereign {
    name: "AzureCloud",
    portal: "https://portal.azure.com",
    classic: "management.core.windows.net",
    // The last is the metadata service of virtual machines, at which they sign in.
    entra: &[
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
        "169.254.169.254",
    ],
    arm: "management.azure.com",
    data_plane: "api.azureml.ms",
    studio: "ml.azure.com",
    databricks: "azuredatabricks.net",
    storage: "core.windows.net",
};

static CHINA: Sovereign = Sovereign {
    name: "AzureChinaCloud",
    portal: "https://portal.azure.cn",
    classic: "management.core.chinacloudapi.cn",
    entra: &["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
    arm: "management.chinacloudapi.cn",
    data_plane: "api.ml.azure.cn",
    studio: "ml.azure.cn",
    databricks: "databricks.azure.cn",
    storage: "core.chinacloudapi.cn",
};

static USGOV: Sovereign = Sovereign {
    name: "AzureUSGovernment",
    portal: "https://portal.azure.us",
    classic: "management.core.usgovcloudapi.net",
    entra: &["login.microsoftonline.us"],
    arm: "management.usgovcloudapi.net",
    data_plane: "api.ml.azure.us",
    studio: "ml.azure.us",
    databricks: "databricks.azure.us",
    storage: "core.usgovcloudapi.net",
};

static SOVEREIGNS: &[&Sovereign] = &[&PUBLIC, &CHINA, &USGOV];

/// What `host` is called below `domain`.
fn below<'a>(host: &'a str, domain: &str) -> Option<&'a str> {
    host.strip_suffix(domain)?.strip_suffix('.').filter(|it| !it.is_empty())
}

impl Sovereign {
    fn place_of(&self, host: &str) -> Option<Place> {
        let blob = below(host, self.storage).and_then(|it| it.strip_suffix(".blob"));
        if let Some(account) = blob.filter(|it| !it.contains('.')) {
            return Some(Place::Blob { account: account.to_owned() });
        }
        let is_data_plane = host == self.studio
            || below(host, self.data_plane).is_some()
            || below(host, "experiments.azureml.net").is_some();
        if self.entra.contains(&host) {
            Some(Place::Entra)
        } else if host == self.arm {
            Some(Place::Arm)
        } else if is_data_plane {
            Some(Place::DataPlane)
        } else {
            below(host, self.databricks).map(|_| Place::Databricks { host: host.to_owned() })
        }
    }
}

/// The cloud and the part of it that a host name belongs to.
fn find(host: &str) -> Option<(&'static Sovereign, Place)> {
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    SOVEREIGNS.iter().find_map(|it| Some((*it, it.place_of(&host)?)))
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
        find(host).map_or(Self::Anywhere, |(_, place)| place)
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
        let names = if let Some((sovereign, _)) = find(host) {
            Names::Azure(sovereign)
        } else {
            let scheme = if secure { "https" } else { "http" };
            Names::Local { scheme, authority: Authority(host.to_owned()) }
        };
        Self { names, prefix: prefix.to_owned() }
    }

    /// By the names of Azure.
    pub(crate) fn azure() -> Self {
        Self { names: Names::Azure(&PUBLIC), prefix: String::new() }
    }

    /// How a child process on this machine reaches the world behind `prefix`.
    pub(crate) fn loopback(authority: Authority, prefix: &str) -> Self {
        Self { names: Names::Local { scheme: "https", authority }, prefix: prefix.to_owned() }
    }

    /// What stands in front of all paths of the world.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Either the address that the client used, or a name of its cloud.
    fn address(&self, scheme: Option<&str>, name: impl Fn(&Sovereign) -> String) -> String {
        match &self.names {
            Names::Azure(sovereign) => format!("https://{}", name(sovereign)),
            Names::Local { scheme: own, authority } => {
                format!("{}://{}{}", scheme.unwrap_or(own), authority.0, self.prefix)
            }
        }
    }

    fn sovereign(&self) -> &'static Sovereign {
        match &self.names {
            Names::Azure(sovereign) => sovereign,
            Names::Local { .. } => &PUBLIC,
        }
    }

    /// What Azure's tools call the cloud. A local one has the name of the public
    /// one, because SDKs look an unknown name up at Microsoft.
    pub(crate) fn cloud_name(&self) -> &'static str {
        self.sovereign().name
    }

    pub(crate) fn portal(&self) -> &'static str {
        self.sovereign().portal
    }

    /// What tokens for the resource manager are made for.
    pub(crate) fn arm_audiences(&self) -> [String; 2] {
        match &self.names {
            Names::Azure(it) => [it.classic, it.arm].map(|it| format!("https://{it}/")),
            Names::Local { .. } => [format!("{}/arm", self.arm()), self.arm()],
        }
    }

    /// Where the client signs in. Always TLS.
    pub(crate) fn entra(&self) -> String {
        self.address(Some("https"), |it| it.entra[0].to_owned())
    }

    /// Where the resource manager is. Always TLS.
    pub(crate) fn arm(&self) -> String {
        self.address(Some("https"), |it| it.arm.to_owned())
    }

    /// The data plane of Azure ML in `region`, by the scheme that the client uses.
    pub(crate) fn data_plane(&self, region: &str) -> String {
        self.address(None, |it| format!("{region}.{}", it.data_plane))
    }

    /// The origin that the client used, by the scheme that it used.
    pub(crate) fn origin(&self) -> Option<String> {
        match &self.names {
            Names::Azure(_) => None,
            Names::Local { .. } => Some(self.address(None, |_| String::new())),
        }
    }

    /// The Databricks workspace with the real name `host`. Always TLS.
    pub(crate) fn databricks(&self, host: &str) -> String {
        self.address(Some("https"), |_| host.to_owned())
    }

    /// What comes behind `{account}.blob.`. A local one carries user
    /// information, so that `https://{account}.blob.{suffix}` has the local
    /// authority as its host, without any name service.
    pub(crate) fn storage_suffix(&self) -> String {
        match &self.names {
            Names::Azure(sovereign) => sovereign.storage.to_owned(),
            Names::Local { authority, .. } => format!("mock@{}", authority.0),
        }
    }

    /// A blob's URL. `query` is a signature without its question mark.
    pub(crate) fn blob(&self, account: &str, container: &str, name: &str, query: &str) -> String {
        let (suffix, name) = (self.storage_suffix(), utf8_percent_encode(name, PATH));
        let prefix = match &self.names {
            Names::Azure(_) => "",
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
    fn each_cloud_of_microsoft_gets_its_own_names() {
        let china = site("login.chinacloudapi.cn", true);
        assert_eq!(china.arm(), "https://management.chinacloudapi.cn");
        assert_eq!(china.storage_suffix(), "core.chinacloudapi.cn");
        let usgov = site("management.usgovcloudapi.net:443", true);
        assert_eq!(usgov.entra(), "https://login.microsoftonline.us");
        assert_eq!(usgov.data_plane("usgovvirginia"), "https://usgovvirginia.api.ml.azure.us");
        let databricks = |host: &str| Place::Databricks { host: host.to_owned() };
        for host in ["adb-1.2.databricks.azure.us", "adb-1.2.databricks.azure.cn"] {
            assert_eq!(Place::of(host), databricks(host));
        }
    }

    #[test]
    fn a_name_that_only_ends_like_one_of_azure_is_none() {
        for host in ["evilazuredatabricks.net", ".azuredatabricks.net", "blob.core.windows.net"] {
            assert_eq!(Place::of(host), Place::Anywhere, "{host}");
        }
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
