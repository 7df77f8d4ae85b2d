//! JSON exactly as the service writes it. Nothing here leaves this crate.

use azml_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::{Library, LibraryStatus};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WireLibrary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pypi: Option<Package>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maven: Option<Maven>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cran: Option<Package>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    egg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirements: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Package {
    package: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Maven {
    coordinates: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    exclusions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
}

impl From<&Library> for WireLibrary {
    fn from(it: &Library) -> Self {
        let none = Self::default();
        match it.clone() {
            Library::Pypi { package, repo } => {
                Self { pypi: Some(Package { package, repo }), ..none }
            }
            Library::Maven { coordinates, exclusions, repo } => {
                Self { maven: Some(Maven { coordinates, exclusions, repo }), ..none }
            }
            Library::Cran { package, repo } => {
                Self { cran: Some(Package { package, repo }), ..none }
            }
            Library::Jar(path) => Self { jar: Some(path), ..none },
            Library::Egg(path) => Self { egg: Some(path), ..none },
            Library::Whl(path) => Self { whl: Some(path), ..none },
            Library::Requirements(path) => Self { requirements: Some(path), ..none },
        }
    }
}

impl WireLibrary {
    pub(crate) fn into_domain(self, operation: &'static str) -> Result<Library> {
        match self {
            Self { pypi: Some(Package { package, repo }), .. } => {
                Ok(Library::Pypi { package, repo })
            }
            Self { maven: Some(Maven { coordinates, exclusions, repo }), .. } => {
                Ok(Library::Maven { coordinates, exclusions, repo })
            }
            Self { cran: Some(Package { package, repo }), .. } => {
                Ok(Library::Cran { package, repo })
            }
            Self { jar: Some(path), .. } => Ok(Library::Jar(path)),
            Self { egg: Some(path), .. } => Ok(Library::Egg(path)),
            Self { whl: Some(path), .. } => Ok(Library::Whl(path)),
            Self { requirements: Some(path), .. } => Ok(Library::Requirements(path)),
            _ => {
                let reason = "the answer has a library of no known kind";
                Err(Error::explained(operation, ErrorKind::Decode, reason))
            }
        }
    }
}

#[derive(Serialize)]
pub(super) struct ChangeRequest<'a> {
    pub(super) cluster_id: &'a str,
    pub(super) libraries: Vec<WireLibrary>,
}

#[derive(Deserialize)]
pub(super) struct StatusResponse {
    #[serde(default)]
    pub(super) library_statuses: Vec<WireStatus>,
}

#[derive(Deserialize)]
pub(super) struct AllStatusesResponse {
    #[serde(default)]
    pub(super) statuses: Vec<WireClusterStatus>,
}

#[derive(Deserialize)]
pub(super) struct WireClusterStatus {
    pub(super) cluster_id: String,
    #[serde(default)]
    pub(super) library_statuses: Vec<WireStatus>,
}

#[derive(Deserialize)]
pub(super) struct WireStatus {
    library: WireLibrary,
    status: String,
    #[serde(default)]
    messages: Vec<String>,
    #[serde(default)]
    is_library_for_all_clusters: bool,
}

impl WireStatus {
    pub(super) fn into_domain(self, operation: &'static str) -> Result<LibraryStatus> {
        Ok(LibraryStatus {
            library: self.library.into_domain(operation)?,
            state: self.status.into(),
            messages: self.messages,
            is_for_all_clusters: self.is_library_for_all_clusters,
        })
    }
}
