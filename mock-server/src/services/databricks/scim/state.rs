use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The admin of every new workspace.
pub(crate) const ADMIN: &str = "tester@example.com";

/// The service principal of the default world.
pub(crate) const SERVICE_PRINCIPAL: &str = "55555555-5555-5555-5555-555555555555";

/// Who may use a workspace, by user name or client id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Principals(BTreeMap<String, Principal>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Principal {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) is_person: bool,
}

impl Principals {
    pub(crate) fn seeded() -> Self {
        let principal = |id, name: &str, display_name: &str, is_person| {
            let (name, display_name) = (name.to_owned(), display_name.to_owned());
            (name.clone(), Principal { id, name, display_name, is_person })
        };
        Self(BTreeMap::from([
            principal(1001, ADMIN, "Test User", true),
            principal(1002, SERVICE_PRINCIPAL, "mock service principal", false),
        ]))
    }

    /// Whether somebody may do everything. All who are known may, at present.
    pub(crate) fn is_admin(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Principal> {
        self.0.get(name)
    }
}
