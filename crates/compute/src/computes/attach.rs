use azml_core::{Error, ErrorKind, ResourceId, Result};
use azml_workspace::WorkspaceRef;
use secrecy::{ExposeSecret, SecretString};

use super::ComputeName;

const OPERATION: &str = "arm.computes.attach";
const PROVIDER: &str = "Microsoft.Databricks";
const TYPE: &str = "workspaces";

/// Which Databricks workspace to attach, and with which token.
#[derive(Clone, Debug)]
pub struct AttachDatabricks {
    source: Source,
    access_token: SecretString,
}

#[derive(Clone, Debug)]
enum Source {
    Id(ResourceId),
    /// In the subscription of the Azure ML workspace.
    Name {
        resource_group: String,
        workspace_name: String,
    },
}

impl AttachDatabricks {
    /// Attaches the Databricks workspace with the ARM id `resource_id`.
    ///
    /// `access_token` is a token of that Databricks workspace.
    pub fn by_resource_id(resource_id: ResourceId, access_token: impl Into<SecretString>) -> Self {
        Self { source: Source::Id(resource_id), access_token: access_token.into() }
    }

    /// Attaches a Databricks workspace in the subscription of the Azure ML workspace.
    ///
    /// `access_token` is a token of that Databricks workspace.
    pub fn by_name(
        resource_group: impl Into<String>,
        workspace_name: impl Into<String>,
        access_token: impl Into<SecretString>,
    ) -> Self {
        let source = Source::Name {
            resource_group: resource_group.into(),
            workspace_name: workspace_name.into(),
        };
        Self { source, access_token: access_token.into() }
    }

    pub(super) fn access_token(&self) -> &SecretString {
        &self.access_token
    }

    /// The Databricks workspace's id, checked. `workspace` is the Azure ML one.
    pub(super) fn resource_id(&self, workspace: &WorkspaceRef) -> Result<ResourceId> {
        let id = match &self.source {
            Source::Id(id) => id.clone(),
            Source::Name { resource_group, workspace_name } => {
                for (field, value) in
                    [("resource_group", resource_group), ("workspace_name", workspace_name)]
                {
                    if value.is_empty() {
                        let text = format!(
                            "{field} is empty: give both resource group and name of the Databricks workspace"
                        );
                        return Err(Error::invalid(OPERATION, text));
                    }
                }
                let subscription = &workspace.subscription_id;
                ResourceId::new(subscription, resource_group, PROVIDER, TYPE, workspace_name)
                    .map_err(|err| Error::local(OPERATION, ErrorKind::InvalidArgument, err))?
            }
        };
        let is_databricks = id.provider().eq_ignore_ascii_case(PROVIDER)
            && id.resource_type().eq_ignore_ascii_case(TYPE);
        if !is_databricks {
            let text = format!("resource_id is {id}: give the id of a {PROVIDER}/{TYPE} resource");
            return Err(Error::invalid(OPERATION, text));
        }
        Ok(id)
    }

    pub(super) fn check_token(&self) -> Result<()> {
        if self.access_token.expose_secret().trim().is_empty() {
            let text = "access_token is empty: create one in the Databricks workspace";
            return Err(Error::invalid(OPERATION, text));
        }
        Ok(())
    }
}

pub(super) fn check_name(name: &ComputeName) -> Result<()> {
    let text = name.as_str();
    let is_good = (2..=16).contains(&text.len())
        && text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    if !is_good {
        let text = format!(
            "compute name \"{name}\": use 2 to 16 letters, digits and dashes, the first a letter"
        );
        return Err(Error::invalid(OPERATION, text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn workspace() -> WorkspaceRef {
        WorkspaceRef::new("s", "rg1", "ws1")
    }

    #[test]
    fn a_name_is_looked_for_in_the_workspaces_subscription() {
        let id = AttachDatabricks::by_name("g", "n", "t").resource_id(&workspace()).unwrap();
        assert_eq!(
            id.to_string(),
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Databricks/workspaces/n"
        );
    }

    #[test]
    fn another_kind_of_resource_is_refused() {
        let id = workspace().resource_id().unwrap();
        let err = AttachDatabricks::by_resource_id(id, "t").resource_id(&workspace()).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn half_a_name_is_refused() {
        for (group, name) in [("", "n"), ("g", "")] {
            let attach = AttachDatabricks::by_name(group, name, "t");
            assert!(attach.resource_id(&workspace()).is_err());
        }
    }

    #[test]
    fn an_empty_token_is_refused_and_none_is_printed() {
        assert!(AttachDatabricks::by_name("g", "n", " ").check_token().is_err());
        let attach = AttachDatabricks::by_name("g", "n", "dapi-fake-token");
        assert!(!format!("{attach:?}").contains("dapi"));
    }

    #[test]
    fn names_at_the_edges() {
        for good in ["ab", "a-", "my-dbx-cluster", "a234567890123456"] {
            check_name(&ComputeName::new(good)).unwrap();
        }
        for bad in ["", "a", "1a", "-a", "a_b", "a b", "a2345678901234567", "éa"] {
            assert!(check_name(&ComputeName::new(bad)).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_name_by_the_rule_is_taken(name in "[a-zA-Z][a-zA-Z0-9-]{1,15}") {
            prop_assert!(check_name(&ComputeName::new(name)).is_ok());
        }
    }
}
