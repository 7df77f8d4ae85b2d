//! Absolute paths, and where they are on this machine.

use std::path::PathBuf;

use crate::kernel::{Refusal, files::Folder};

/// `path` without what changes nothing: double and final slashes, single dots.
///
/// # Errors
///
/// Refuses a path that is not absolute or would leave its root.
pub(crate) fn normal(path: &str) -> Result<String, Refusal> {
    let refused = |what: &str| Err(Refusal::invalid(format!("{what}: {path}")));
    let Some(inner) = path.strip_prefix('/') else { return refused("Path must be absolute") };
    let parts = inner.split('/').filter(|it| !matches!(*it, "" | "."));
    let parts: Vec<&str> = parts.collect();
    let is_bad = |it: &&str| *it == ".." || 255 < it.len() || it.contains(['\0', '\\']);
    if parts.iter().any(is_bad) {
        return refused("Path is malformed");
    }
    Ok(format!("/{}", parts.join("/")))
}

/// The folder above, `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    let (above, _) = path.trim_end_matches('/').rsplit_once('/')?;
    Some(if above.is_empty() { "/" } else { above })
}

/// Where a normal path is.
pub(crate) fn local(root: &Folder, path: &str) -> PathBuf {
    root.path().join(path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_stays_below_its_root() {
        assert_eq!(normal("//a/./b/").unwrap(), "/a/b");
        assert_eq!(normal("/").unwrap(), "/");
        assert_eq!(normal("a").unwrap_err().message, "Path must be absolute: a");
        assert_eq!(normal("/a/../b").unwrap_err().message, "Path is malformed: /a/../b");
        assert_eq!(parent("/a/b"), Some("/a"));
        assert_eq!(parent("/a"), Some("/"));
        assert_eq!(parent("/"), None);
    }
}
