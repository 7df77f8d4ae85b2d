//! `config.json`: which workspace a project folder belongs to.
//!
//! The file names and the order of the search are those of the Azure ML SDK,
//! so that both find the same workspace from the same folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use azml_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error as ThisError;

use crate::WorkspaceRef;

/// Folders in which the file may lie, in the order of the search.
const FOLDERS: [&str; 3] = [".azureml", "aml_config", ""];
/// Names of the file, in the order of the search within one kind of folder.
const FILE_NAMES: [&str; 2] = ["config.json", "project.json"];
const OPERATION: &str = "workspace.config";

/// A `config.json` that was found and understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceConfig {
    file: PathBuf,
    workspace: WorkspaceRef,
}

/// Why a project folder does not say which workspace it belongs to.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither the folder nor any of its parents has the file.
    #[error(
        "no workspace configuration at or above {}: looked for .azureml/config.json, aml_config/config.json and \
         config.json (and project.json beside each); download config.json from the workspace's page in the portal, \
         or write it with WorkspaceConfig::write",
        .start.display()
    )]
    NotFound {
        /// Where the search began.
        start: PathBuf,
    },
    /// The file cannot be read or written.
    #[error("cannot access {}; check the path and its permissions", .file.display())]
    Inaccessible {
        /// The file or folder in question.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not a JSON object.
    #[error("{} is not a JSON object; download it anew from the workspace's page in the portal", .file.display())]
    Malformed {
        /// The file in question.
        file: PathBuf,
        /// Where the text stops making sense.
        source: serde_json::Error,
    },
    /// A key is missing, empty or of the wrong type.
    #[error("{}: the key \"{key}\" {problem}; {remedy}", .file.display())]
    Key {
        /// The file in question.
        file: PathBuf,
        /// The key in question.
        key: &'static str,
        /// What is wrong with its value.
        problem: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
}

impl From<ConfigError> for Error {
    fn from(err: ConfigError) -> Self {
        let kind = match err {
            ConfigError::NotFound { .. } => ErrorKind::NotFound,
            _ => ErrorKind::InvalidArgument,
        };
        let text = err.to_string();
        let explained = Self::explained(OPERATION, kind, text);
        match err {
            ConfigError::Inaccessible { source, .. } => explained.with_source(source),
            ConfigError::Malformed { source, .. } => explained.with_source(source),
            ConfigError::NotFound { .. } | ConfigError::Key { .. } => explained,
        }
    }
}

#[derive(Serialize)]
struct Written<'a> {
    subscription_id: &'a str,
    resource_group: &'a str,
    workspace_name: &'a str,
}

impl WorkspaceConfig {
    /// Finds and reads the configuration that applies to `path`.
    ///
    /// A file is read as it is. For a folder, three kinds of place are tried in
    /// this order: the subfolder `.azureml`, the subfolder `aml_config`, the
    /// folder itself; in each first `config.json`, then `project.json`. Each
    /// combination is looked for in `path` and then in every parent before the
    /// next one is tried, so a parent's `.azureml/config.json` wins over
    /// `config.json` in the folder itself.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the file, the key and the remedy.
    pub fn find(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let inaccessible = |source| ConfigError::Inaccessible { file: path.to_path_buf(), source };
        // A relative path has few parents of its own; the working folder has the rest.
        let start = std::path::absolute(path).map_err(inaccessible)?;
        if fs::metadata(&start).map_err(inaccessible)?.is_file() {
            return Self::read(&start);
        }
        for folder in FOLDERS {
            for name in FILE_NAMES {
                let found =
                    start.ancestors().map(|it| it.join(folder).join(name)).find(|it| it.is_file());
                if let Some(file) = found {
                    return Self::read(&file);
                }
            }
        }
        Err(ConfigError::NotFound { start })
    }

    /// Reads the configuration in `file`.
    ///
    /// The key `Scope`, an ARM id, wins; otherwise `subscription_id`,
    /// `resource_group` and `workspace_name` must all be there.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the file, the key and the remedy.
    pub fn read(file: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let file = file.as_ref().to_path_buf();
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(source) => return Err(ConfigError::Inaccessible { file, source }),
        };
        // Some editors put a byte order mark in front.
        let text = text.trim_start_matches('\u{feff}');
        let keys = match Map::deserialize(&mut serde_json::Deserializer::from_str(text)) {
            Ok(keys) => keys,
            Err(source) => return Err(ConfigError::Malformed { file, source }),
        };
        match reference(&keys) {
            Ok(workspace) => Ok(Self { file, workspace }),
            Err(Bad { key, problem, remedy }) => {
                Err(ConfigError::Key { file, key, problem, remedy })
            }
        }
    }

    /// Writes `.azureml/config.json` below `dir`, so that programs started
    /// there find `workspace`. Answers the path of the file.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Inaccessible`] when the file cannot be written.
    pub fn write(dir: impl AsRef<Path>, workspace: &WorkspaceRef) -> Result<PathBuf, ConfigError> {
        let folder = dir.as_ref().join(FOLDERS[0]);
        let file = folder.join(FILE_NAMES[0]);
        let written = Written {
            subscription_id: &workspace.subscription_id,
            resource_group: &workspace.resource_group,
            workspace_name: &workspace.name,
        };
        let result = serde_json::to_string_pretty(&written)
            .map_err(io::Error::from)
            .and_then(|text| fs::create_dir_all(&folder).map(|()| text))
            .and_then(|text| fs::write(&file, text + "\n"));
        match result {
            Ok(()) => Ok(file),
            Err(source) => Err(ConfigError::Inaccessible { file, source }),
        }
    }

    /// The file that was read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The workspace it names.
    pub fn workspace(&self) -> &WorkspaceRef {
        &self.workspace
    }

    /// The workspace it names, by value.
    pub fn into_workspace(self) -> WorkspaceRef {
        self.workspace
    }
}

struct Bad {
    key: &'static str,
    problem: &'static str,
    remedy: &'static str,
}

fn reference(keys: &Map<String, Value>) -> Result<WorkspaceRef, Bad> {
    const SCOPE: &str = "write /subscriptions/ID/resourceGroups/GROUP/providers/\
                         Microsoft.MachineLearningServices/workspaces/NAME";
    if let Some(scope) = keys.get("Scope") {
        let bad = |problem| Bad { key: "Scope", problem, remedy: SCOPE };
        let scope = scope.as_str().ok_or_else(|| bad("is not a text"))?;
        // By place, as the SDK does it: more pieces may follow the name.
        let pieces: Vec<&str> = scope.split('/').collect();
        let [_, _, subscription_id, _, resource_group, _, _, _, name, ..] = pieces[..] else {
            return Err(bad("is not the id of a workspace"));
        };
        if [subscription_id, resource_group, name].iter().any(|it| it.is_empty()) {
            return Err(bad("is not the id of a workspace"));
        }
        return Ok(WorkspaceRef::new(subscription_id, resource_group, name));
    }
    Ok(WorkspaceRef::new(
        text(keys, "subscription_id", "add the id of the workspace's subscription")?,
        text(keys, "resource_group", "add the name of the workspace's resource group")?,
        text(keys, "workspace_name", "add the name of the workspace")?,
    ))
}

fn text<'a>(
    keys: &'a Map<String, Value>,
    key: &'static str,
    remedy: &'static str,
) -> Result<&'a str, Bad> {
    let problem = match keys.get(key) {
        None => "is missing",
        Some(Value::String(text)) if text.trim().is_empty() => "is empty",
        Some(Value::String(text)) => return Ok(text),
        Some(_) => "is not a text",
    };
    Err(Bad { key, problem, remedy })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// A folder three levels deep, below a place without any configuration.
    fn project() -> (TempDir, PathBuf) {
        let root = TempDir::new().unwrap();
        let leaf = root.path().join("a/b");
        fs::create_dir_all(&leaf).unwrap();
        (root, leaf)
    }

    fn put(file: &Path, name: &str) {
        let folder = file.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        let text = format!(
            r#"{{"subscription_id": "s", "resource_group": "g", "workspace_name": "{name}"}}"#
        );
        fs::write(file, text).unwrap();
    }

    fn found(path: &Path) -> String {
        WorkspaceConfig::find(path).unwrap().into_workspace().name
    }

    #[test]
    fn a_parents_azureml_folder_wins_over_the_plain_file_at_hand() {
        let (root, leaf) = project();
        put(&leaf.join("project.json"), "plain-project");
        assert_eq!(found(&leaf), "plain-project");
        put(&leaf.join("config.json"), "plain");
        assert_eq!(found(&leaf), "plain");
        put(&root.path().join("aml_config/project.json"), "root-amlconfig-project");
        assert_eq!(found(&leaf), "root-amlconfig-project");
        put(&root.path().join("aml_config/config.json"), "root-amlconfig");
        assert_eq!(found(&leaf), "root-amlconfig");
        put(&leaf.join(".azureml/project.json"), "azureml-project");
        assert_eq!(found(&leaf), "azureml-project");
        put(&root.path().join(".azureml/config.json"), "root-azureml");
        assert_eq!(found(&leaf), "root-azureml");
        put(&leaf.join(".azureml/config.json"), "azureml");
        assert_eq!(found(&leaf), "azureml");
    }

    #[test]
    fn a_file_is_taken_as_it_is() {
        let (root, leaf) = project();
        put(&root.path().join(".azureml/config.json"), "root");
        let file = leaf.join("other.json");
        put(&file, "other");
        assert_eq!(found(&file), "other");
    }

    #[test]
    fn scope_wins_over_the_three_keys() {
        let (_root, leaf) = project();
        let text = r#"{"Scope": "/subscriptions/s1/resourceGroups/g1/providers/Microsoft.MachineLearningServices/workspaces/w1/projects/p", "workspace_name": "other"}"#;
        fs::write(leaf.join("config.json"), text).unwrap();
        let config = WorkspaceConfig::find(&leaf).unwrap();
        assert_eq!(config.workspace(), &WorkspaceRef::new("s1", "g1", "w1"));
    }

    #[test]
    fn a_missing_key_is_named_with_its_file_and_remedy() {
        let (_root, leaf) = project();
        let file = leaf.join("config.json");
        fs::write(&file, r#"{"subscription_id": "s", "workspace_name": "w"}"#).unwrap();
        let err = WorkspaceConfig::find(&leaf).unwrap_err();
        assert_eq!(
            err.to_string(),
            format!(
                "{}: the key \"resource_group\" is missing; add the name of the workspace's resource group",
                file.display()
            )
        );
    }

    #[test]
    fn a_folder_without_configuration_says_what_was_looked_for() {
        let (_root, leaf) = project();
        let err = WorkspaceConfig::find(&leaf).unwrap_err();
        assert!(matches!(&err, ConfigError::NotFound { start } if start == &leaf));
        assert_eq!(Error::from(err).kind(), ErrorKind::NotFound);
    }

    #[test]
    fn text_that_is_no_json_object_names_the_file() {
        let (_root, leaf) = project();
        for text in ["", "{", "[]", "null", "\"x\""] {
            fs::write(leaf.join("config.json"), text).unwrap();
            let err = WorkspaceConfig::find(&leaf).unwrap_err();
            assert!(matches!(err, ConfigError::Malformed { .. }), "{text:?}: {err}");
        }
    }

    #[test]
    fn what_was_written_is_found_again() {
        let (root, leaf) = project();
        let workspace = WorkspaceRef::new("s", "g", "w");
        let file = WorkspaceConfig::write(root.path(), &workspace).unwrap();
        let config = WorkspaceConfig::find(&leaf).unwrap();
        assert_eq!((config.file(), config.workspace()), (&*file, &workspace));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let root = TempDir::new().unwrap();
            let file = root.path().join("config.json");
            fs::write(&file, text).unwrap();
            let _ = WorkspaceConfig::read(&file);
        }

        #[test]
        fn the_nearest_folder_wins_within_one_kind(depth in 1..6_usize, at in 0..6_usize) {
            let root = TempDir::new().unwrap();
            let mut folder = root.path().to_path_buf();
            let mut nearest = None;
            for level in 0..depth {
                folder.push(format!("d{level}"));
                fs::create_dir_all(&folder).unwrap();
                if level <= at {
                    put(&folder.join(".azureml/config.json"), &level.to_string());
                    nearest = Some(level.to_string());
                }
            }
            prop_assert_eq!(Some(found(&folder)), nearest);
        }
    }
}
