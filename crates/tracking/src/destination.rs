use std::{fmt, path::PathBuf};

use serde::{Deserialize, Serialize};

/// Where a backend keeps its runs, as far as it can be written down: a spool
/// notes it, so that somebody else can upload what is left. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Destination {
    /// An Azure ML workspace.
    AzureMl {
        /// The address of its data plane.
        base: String,
        /// Its resource id.
        workspace: String,
    },
    /// A server that speaks the MLflow REST API.
    Mlflow {
        /// Its address, in front of `/api/2.0/mlflow`.
        base: String,
    },
    /// A folder of this machine.
    Folder {
        /// Its absolute path.
        path: PathBuf,
    },
    /// A backend of which this crate knows nothing more than a name.
    Other {
        /// What it calls itself.
        name: String,
    },
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AzureMl { base, workspace } => write!(f, "{base}{workspace}"),
            Self::Mlflow { base } => f.write_str(base),
            Self::Folder { path } => write!(f, "{}", path.display()),
            Self::Other { name } => f.write_str(name),
        }
    }
}
