//! Where the exchanges in `fixtures/` come from.

use std::{fs, path::Path};

use anyhow::Context;
use serde_json::Value;

use crate::project::Project;

/// An exchange that somebody has seen or published.
pub(super) struct Origin {
    /// Who: the origin up to its first comma or colon.
    pub(super) source: String,
    method: String,
    path: String,
}

impl Origin {
    pub(super) fn new(origin: &str, method: &str, path: &str) -> Self {
        let source = origin.split([',', ':']).next().unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        Self { source: source.to_owned(), method: method.to_owned(), path: path.to_owned() }
    }

    /// Whether it is an exchange of the operation with this path, in which
    /// `{name}` stands for one part and `{*name}` for all that follow.
    pub(super) fn is_of(&self, method: &str, template: &str) -> bool {
        if self.method != method {
            return false;
        }
        let mut parts = self.path.split('/');
        for wanted in template.split('/') {
            if wanted.starts_with("{*") {
                return parts.next().is_some();
            }
            let is_open = wanted.starts_with('{');
            if !parts.next().is_some_and(|it| is_open || it.eq_ignore_ascii_case(wanted)) {
                return false;
            }
        }
        parts.next().is_none()
    }
}

/// All exchanges, in the order of their files.
pub(super) fn read(project: &Project) -> anyhow::Result<Vec<Origin>> {
    let mut origins = Vec::new();
    collect(&project.path("fixtures"), &mut origins)?;
    Ok(origins)
}

fn collect(folder: &Path, origins: &mut Vec<Origin>) -> anyhow::Result<()> {
    let mut entries =
        fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, origins)?;
        } else if path.extension().is_some_and(|it| it == "json") {
            let text = fs::read_to_string(&path)?;
            let exchange: Value = serde_json::from_str(&text)
                .with_context(|| format!("{} is no JSON", path.display()))?;
            let request = &exchange["request"];
            let fields = (&exchange["origin"], &request["method"], &request["path"]);
            if let (Some(origin), Some(method), Some(path)) =
                (fields.0.as_str(), fields.1.as_str(), fields.2.as_str())
            {
                origins.push(Origin::new(origin, method, path));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_belongs_to_the_operation_with_its_path() {
        let origin = Origin::new("azureml-core 1.61, recorded", "GET", "/a/b/c/d?x=1");
        assert_eq!(origin.source, "azureml-core 1.61");
        assert!(origin.is_of("GET", "/a/{b}/c/{d}"));
        assert!(origin.is_of("GET", "/a/{*rest}"));
        assert!(!origin.is_of("POST", "/a/{b}/c/{d}"));
        assert!(!origin.is_of("GET", "/a/{b}/c"));
        assert!(!origin.is_of("GET", "/a/{b}/c/{d}/e"));
    }
}
