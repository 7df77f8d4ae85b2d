use std::{error::Error, fmt, str::FromStr};

/// An absolute path of the Files API, for example
/// `/Volumes/main/default/wine/red.csv`.
///
/// Invariant: starts with `/`, has no empty, `.` or `..` segment, and does not end
/// in `/`. Whether it leads to something, the service knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FilePath(Box<str>);

/// The text is no path of the Files API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseFilePathError(Box<str>);

impl FilePath {
    /// The path as the service writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// What is below it at `relative`.
    ///
    /// # Errors
    ///
    /// Fails when `relative` begins with `/`, climbs out, or has empty parts.
    pub fn join(&self, relative: &str) -> Result<Self, ParseFilePathError> {
        format!("{}/{relative}", self.0).parse()
    }
}

impl FromStr for FilePath {
    type Err = ParseFilePathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || ParseFilePathError(text.into());
        let tail = text.strip_prefix("dbfs:").unwrap_or(text).strip_prefix('/').ok_or_else(bad)?;
        let is_legal = |segment: &str| !matches!(segment, "" | "." | "..");
        if !tail.split('/').all(is_legal) {
            return Err(bad());
        }
        Ok(Self(format!("/{tail}").into()))
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ParseFilePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no absolute path of a file: {:?}; it has the form /Volumes/catalog/schema/volume/file",
            self.0
        )
    }
}

impl Error for ParseFilePathError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_printed_parses_back(segments in prop::collection::vec("[^/.]{1,8}", 1..5)) {
            let path: FilePath = format!("/{}", segments.join("/")).parse().unwrap();
            prop_assert_eq!(path.name(), segments.last().unwrap());
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }

        #[test]
        fn whatever_is_joined_stays_below(relative in ".*") {
            let root: FilePath = "/Volumes/a/b/c".parse().unwrap();
            if let Ok(joined) = root.join(&relative) {
                prop_assert!(joined.as_str().starts_with("/Volumes/a/b/c/"));
            }
        }
    }

    #[test]
    fn a_path_is_absolute_and_cannot_climb_out() {
        for text in ["", "/", "a", "/a/../b", "/a//b", "/a/", "/a/./b"] {
            assert!(text.parse::<FilePath>().is_err(), "{text}");
        }
        let path: FilePath = "dbfs:/Volumes/a/b/c/d e".parse().unwrap();
        assert_eq!(path.as_str(), "/Volumes/a/b/c/d e");
    }
}
