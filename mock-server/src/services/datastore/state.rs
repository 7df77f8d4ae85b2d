use crate::{
    kernel::Refusal,
    services::{azure::AtWorkspace, blob},
};

/// The datastore that is meant when none is named.
pub(super) const DEFAULT: &str = "workspaceblobstore";

/// A name for a container of the workspace's storage account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Datastore {
    pub(super) name: &'static str,
    pub(super) container: String,
}

/// The datastores that every workspace has.
pub(super) fn all(at: &AtWorkspace) -> [Datastore; 2] {
    [
        Datastore { name: DEFAULT, container: blob::default_container(&at.workspace_id) },
        Datastore { name: "workspaceartifactstore", container: blob::ARTIFACTS.to_owned() },
    ]
}

pub(super) fn find(at: &AtWorkspace, name: &str) -> Result<Datastore, Refusal> {
    let found = all(at).into_iter().find(|it| it.name.eq_ignore_ascii_case(name));
    let missing =
        || Refusal::not_found(format!("Could not find datastore: {name}")).with_code("UserError");
    found.ok_or_else(missing)
}
