//! Signatures that open a blob, a folder or a container.

use super::{Fields, Need};

/// What a signature opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope<'a> {
    Container,
    /// Everything below a folder of this many parts.
    Folder(usize, &'a str),
    Blob(&'a str),
}

impl<'a> Scope<'a> {
    /// A folder ends in a slash; the empty name is the container.
    pub(super) fn of(prefix_or_blob: &'a str) -> Self {
        match prefix_or_blob.strip_suffix('/') {
            None if prefix_or_blob.is_empty() => Self::Container,
            None => Self::Blob(prefix_or_blob),
            Some(folder) => Self::Folder(folder.split('/').count(), folder),
        }
    }

    /// The scope that a request for `name` claims to have.
    pub(super) fn claimed(resource: &str, depth: &str, name: &'a str) -> Option<Self> {
        match resource {
            "c" => Some(Self::Container),
            "b" => Some(Self::Blob(name)),
            "d" => {
                let depth: usize = depth.parse().ok()?;
                let end = match name.match_indices('/').nth(depth.checked_sub(1)?) {
                    Some((at, _)) => at,
                    None if name.split('/').count() == depth => name.len(),
                    None => return None,
                };
                Some(Self::Folder(depth, &name[..end]))
            }
            _ => None,
        }
    }

    pub(super) fn letter(self) -> &'static str {
        match self {
            Self::Container => "c",
            Self::Folder(..) => "d",
            Self::Blob(_) => "b",
        }
    }
}

/// The version that brought the kind of resource into what is signed.
const WITH_RESOURCE: &str = "2018-11-09";

/// What is signed. The version tells which fields take part.
pub(super) fn to_sign(fields: &Fields, account: &str, container: &str, scope: Scope<'_>) -> String {
    let resource = match scope {
        Scope::Container => format!("/blob/{account}/{container}"),
        Scope::Folder(_, path) | Scope::Blob(path) => format!("/blob/{account}/{container}/{path}"),
    };
    let mut lines = fields.lines(&["sp", "st", "se"]);
    lines.push(&resource);
    lines.extend(fields.lines(&["si", "sip", "spr", "sv"]));
    if WITH_RESOURCE <= fields.get("sv") {
        lines.extend(fields.lines(&["sr", "snapshot"]));
    }
    if fields.has_encryption_scope() {
        lines.push(fields.get("ses"));
    }
    lines.extend(fields.lines(&["rscc", "rscd", "rsce", "rscl", "rsct"]));
    lines.join("\n")
}

/// Such a signature lists a container, and makes, shows or removes none.
pub(super) fn may(need: &Need<'_>) -> bool {
    !need.of_container || need.permissions == "l"
}
