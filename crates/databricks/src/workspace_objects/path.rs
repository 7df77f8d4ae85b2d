use std::{error::Error, fmt, str::FromStr};

/// An absolute path in the workspace, for example `/Users/me@example.test/train`.
///
/// Invariant: starts with `/`, has no empty, `.` or `..` segment, and does not end
/// in `/` unless it is the root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkspacePath(Box<str>);

/// The text is not an absolute path in the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseWorkspacePathError(Box<str>);

impl WorkspacePath {
    /// The path as the service writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WorkspacePath {
    type Err = ParseWorkspacePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseWorkspacePathError(text.into());
        let tail = text.strip_prefix('/').ok_or_else(bad)?;
        let is_legal = |segment: &str| !matches!(segment, "" | "." | "..");
        if !tail.is_empty() && !tail.split('/').all(is_legal) {
            return Err(bad());
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ParseWorkspacePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not an absolute workspace path: {:?}; it has the form /Users/me/notebook",
            self.0
        )
    }
}

impl Error for ParseWorkspacePathError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_parses_back(segments in prop::collection::vec("[^/.]{1,8}", 0..5)) {
            let path: WorkspacePath = format!("/{}", segments.join("/")).parse().unwrap();
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn a_path_has_no_part_that_leads_elsewhere(text in ".*") {
            if let Ok(path) = text.parse::<WorkspacePath>() {
                prop_assert!(!path.as_str().split('/').any(|it| it == ".."));
            }
        }
    }

    #[test]
    fn a_path_is_absolute_and_cannot_climb_out() {
        for text in ["", "a", "/a/../b", "/a//b", "/a/"] {
            assert!(text.parse::<WorkspacePath>().is_err(), "{text}");
        }
        for text in ["/", "/Users/me@example.test/a b"] {
            assert_eq!(text.parse::<WorkspacePath>().unwrap().as_str(), text);
        }
    }
}
