//! Cluster policies: what definitions of clusters must keep to.

mod client;
mod ops;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Error, ErrorKind, Result, string_id};
use futures_util::stream::BoxStream;
use serde::Serialize;
use time::OffsetDateTime;

pub use self::client::PoliciesClient;
use crate::libraries::Library;

string_id! {
    /// Identifies a cluster policy.
    PolicyId
}

string_id! {
    /// Identifies a family of policies, for example `job-cluster`.
    PolicyFamilyId
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyDefinition {
    /// What people call it: 1 to 100 characters. No two policies share it.
    pub name: String,
    /// What it is for, for people.
    pub description: Option<String>,
    /// The rules, a JSON object by field: `{"autotermination_minutes":
    /// {"type":"fixed","value":30}}`. Not together with a family.
    pub definition: Option<String>,
    /// The family that it takes its rules from.
    pub family_id: Option<PolicyFamilyId>,
    /// Rules in place of those of the family, a JSON object.
    pub family_overrides: Option<String>,
    /// How many clusters one user may have by it. `None` sets no limit.
    pub max_clusters_per_user: Option<u32>,
    /// Libraries that its clusters get.
    pub libraries: Vec<Library>,
}

impl PolicyDefinition {
    /// A policy with the rules `definition`, which are written as JSON.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when they cannot be written
    /// as JSON.
    pub fn new(name: impl Into<String>, definition: &impl Serialize) -> Result<Self> {
        let definition = serde_json::to_string(definition).map_err(|err| {
            Error::local("databricks.policies.define", ErrorKind::InvalidArgument, err)
        })?;
        Ok(Self { definition: Some(definition), ..Self::bare(name) })
    }

    /// A policy with the rules of a family.
    pub fn of_family(name: impl Into<String>, family_id: impl Into<PolicyFamilyId>) -> Self {
        Self { family_id: Some(family_id.into()), ..Self::bare(name) }
    }

    fn bare(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            definition: None,
            family_id: None,
            family_overrides: None,
            max_clusters_per_user: None,
            libraries: Vec::new(),
        }
    }

    /// Says what it is for.
    #[must_use]
    pub fn with_description(self, description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..self }
    }

    /// Sets rules in place of those of the family, a JSON object.
    #[must_use]
    pub fn with_family_overrides(self, overrides: impl Into<String>) -> Self {
        Self { family_overrides: Some(overrides.into()), ..self }
    }

    /// Sets how many clusters one user may have by it.
    #[must_use]
    pub fn with_max_clusters_per_user(self, clusters: u32) -> Self {
        Self { max_clusters_per_user: Some(clusters), ..self }
    }

    /// Gives its clusters a library.
    #[must_use]
    pub fn with_library(mut self, library: Library) -> Self {
        self.libraries.push(library);
        self
    }
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Its id.
    pub policy_id: PolicyId,
    /// What it says, in the form that [`Policies::edit`] takes.
    pub definition: PolicyDefinition,
    /// The rules that count, a JSON object: for a policy with a family, those of the
    /// family with the overrides.
    pub rules: String,
    /// Who made it. May be empty.
    pub creator_user_name: String,
    /// When it was made.
    pub created_at: Option<OffsetDateTime>,
    /// Whether the service brought it along.
    pub is_default: bool,
}

/// Rules that policies can take over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyFamily {
    /// Its id.
    pub family_id: PolicyFamilyId,
    /// What people call it.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// The rules, a JSON object.
    pub definition: String,
}

word_enum! {
    /// By what policies are sorted.
    PolicySort {
        /// By name.
        Name = "POLICY_NAME",
        /// By the time they were made.
        CreationTime = "POLICY_CREATION_TIME",
    }
}

/// In which order to list policies. The default is the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyOrder {
    /// By what. `None` is as the service likes.
    pub sort_by: Option<PolicySort>,
    /// Whether the first is the smallest. `None` is as the service likes.
    pub is_ascending: Option<bool>,
}

impl PolicyOrder {
    /// The smallest first.
    pub fn ascending(sort_by: PolicySort) -> Self {
        Self { sort_by: Some(sort_by), is_ascending: Some(true) }
    }

    /// The largest first.
    pub fn descending(sort_by: PolicySort) -> Self {
        Self { sort_by: Some(sort_by), is_ascending: Some(false) }
    }
}

/// The cluster policies of one Databricks workspace. To change them is for admins.
///
/// Implemented by [`PoliciesClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Policies>` is the type to store.
#[async_trait]
pub trait Policies: fmt::Debug + Send + Sync {
    /// Makes a policy.
    ///
    /// Not repeated after a lost response: the name would be taken.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](ErrorKind::InvalidArgument) when the rules are not as they
    /// should be, or the name is taken.
    async fn create(&self, definition: &PolicyDefinition) -> Result<PolicyId>;

    /// Replaces what a policy says. Clusters that are there keep to the old rules
    /// until they are edited.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such policy.
    async fn edit(&self, policy_id: &PolicyId, definition: &PolicyDefinition) -> Result<()>;

    /// Removes a policy. Its clusters run on, and cannot be edited.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such policy.
    async fn delete(&self, policy_id: &PolicyId) -> Result<()>;

    /// Describes a policy.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such policy.
    async fn get(&self, policy_id: &PolicyId) -> Result<Policy>;

    /// Lists the policies that the caller may use.
    fn list(&self, order: PolicyOrder) -> BoxStream<'static, Result<Policy>>;

    /// Describes a family.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when there is no such family.
    async fn get_family(&self, family_id: &PolicyFamilyId) -> Result<PolicyFamily>;

    /// Lists the families.
    fn list_families(&self) -> BoxStream<'static, Result<PolicyFamily>>;
}

const _: fn(&dyn Policies) = |_| ();
