use azml_core::{Error, Result};

use crate::ArtifactPath;

const NAME: &str = "mlflow.artifacts";

/// Where the artifacts of a run or the files of a model are, within what the
/// server keeps for its clients. Without a `/` at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mlflow) struct Root(String);

impl Root {
    /// Reads an artifact URI.
    pub(in crate::mlflow) fn parse(uri: &str) -> Result<Self> {
        let Some(rest) = uri.strip_prefix("mlflow-artifacts:") else {
            let scheme = uri.split(':').next().unwrap_or_default();
            let remedy = match scheme {
                "azureml" => "use AzureMlTracking",
                _ => "start `mlflow server` without --no-serve-artifacts and with a proxied root",
            };
            let reason = format!(
                "the artifacts are at {uri:?}, which this server does not keep for its clients; \
                 {remedy}"
            );
            return Err(Error::invalid(NAME, reason));
        };
        // With an authority, which is this server by whatever name.
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => rest,
        };
        Ok(Self(path.trim_matches('/').to_owned()))
    }

    /// A file or folder of this machine's user, below the last folder, if it is one.
    pub(in crate::mlflow) fn split(&self) -> Option<(Self, ArtifactPath)> {
        let (root, path) = self.0.rsplit_once('/')?;
        Some((Self(root.to_owned()), ArtifactPath::parse(path).ok()?))
    }

    /// The name of a file.
    pub(in crate::mlflow) fn file(&self, path: &ArtifactPath) -> String {
        self.folder(path.as_str())
    }

    /// The name of a folder, which is a path or empty.
    pub(in crate::mlflow) fn folder(&self, folder: &str) -> String {
        match (self.0.is_empty(), folder.is_empty()) {
            (true, _) => folder.to_owned(),
            (_, true) => self.0.clone(),
            _ => format!("{}/{folder}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_what_follows_the_scheme_and_the_server() {
        for uri in ["mlflow-artifacts:/1/r/artifacts", "mlflow-artifacts://host:5000/1/r/artifacts"]
        {
            assert_eq!(Root::parse(uri).unwrap(), Root("1/r/artifacts".to_owned()), "{uri}");
        }
        let err = Root::parse("s3://bucket/1").unwrap_err();
        insta::assert_snapshot!(err, @r#"mlflow.artifacts failed: the artifacts are at "s3://bucket/1", which this server does not keep for its clients; start `mlflow server` without --no-serve-artifacts and with a proxied root"#);
        assert!(Root::parse("azureml://x").is_err() && Root::parse("").is_err());
    }
}
