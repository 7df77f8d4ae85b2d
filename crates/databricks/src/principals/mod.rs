//! Principals: users, groups and service principals, by SCIM. To change them is for
//! admins.
//!
//! The three kinds have the same calls, so they share one trait, [`Principals`], and
//! one client, [`PrincipalsClient`].

mod client;
mod definition;
mod kind;
mod ops;
mod patch;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, string_id};
use futures_util::stream::BoxStream;

pub(crate) use self::wire::WireUser;
pub use self::{
    client::PrincipalsClient,
    definition::{GroupDefinition, PersonName, ServicePrincipalDefinition, UserDefinition},
    kind::{Groups, PrincipalKind, ServicePrincipals, Users},
    patch::PrincipalPatch,
};

string_id! {
    /// Identifies a user, a group or a service principal in the workspace.
    PrincipalId
}

/// A user, or a service principal that calls as one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The id.
    pub id: PrincipalId,
    /// The name: a mail address, or the application id of a service principal.
    pub user_name: String,
    /// What people call them. May be empty.
    pub display_name: String,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Their mail addresses, the main one first.
    pub emails: Vec<String>,
    /// The groups they are in.
    pub groups: Vec<Membership>,
    /// What they may do in the workspace, for example `allow-cluster-create`.
    pub entitlements: Vec<String>,
    /// Their id with who manages them.
    pub external_id: Option<String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// The id.
    pub id: PrincipalId,
    /// What people call it.
    pub display_name: String,
    /// Who is in it.
    pub members: Vec<Membership>,
    /// The groups it is in.
    pub groups: Vec<Membership>,
    /// What those in it may do in the workspace.
    pub entitlements: Vec<String>,
    /// Its id with who manages it.
    pub external_id: Option<String>,
}

/// A service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServicePrincipal {
    /// The id.
    pub id: PrincipalId,
    /// The id of its application, by which it is known elsewhere.
    pub application_id: String,
    /// What people call it. May be empty.
    pub display_name: String,
    /// Whether it may sign in.
    pub is_active: bool,
    /// The groups it is in.
    pub groups: Vec<Membership>,
    /// What it may do in the workspace.
    pub entitlements: Vec<String>,
    /// Its id with who manages it.
    pub external_id: Option<String>,
}

/// One end of "is in a group".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Membership {
    /// Who or what it is.
    pub id: PrincipalId,
    /// What people call it. May be empty.
    pub name: String,
}

impl User {
    /// Whether they are an admin of the workspace.
    pub fn is_admin(&self) -> bool {
        self.groups.iter().any(|it| it.name == "admins")
    }
}

/// Which principals to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrincipalFilter {
    /// A SCIM filter, for example `userName co "example"`.
    pub filter: Option<String>,
    /// Only these attributes are shown, for example `id`, `userName`. Empty stands
    /// for all.
    pub attributes: Vec<String>,
    /// By which attribute they are sorted.
    pub sort_by: Option<String>,
    /// Whether the order is turned round.
    pub is_descending: bool,
}

impl PrincipalFilter {
    /// Takes only those whose `attribute` is `value`.
    pub fn equal(attribute: &str, value: &str) -> Self {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        Self::matching(format!("{attribute} eq \"{value}\""))
    }

    /// Takes only those that a SCIM filter lets through.
    pub fn matching(filter: impl Into<String>) -> Self {
        Self { filter: Some(filter.into()), ..Self::default() }
    }

    /// Shows only these attributes.
    #[must_use]
    pub fn with_attributes(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { attributes: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sorts by an attribute.
    #[must_use]
    pub fn sorted_by(self, attribute: impl Into<String>) -> Self {
        Self { sort_by: Some(attribute.into()), ..self }
    }
}

/// The principals of one kind in one Databricks workspace.
///
/// Implemented by [`PrincipalsClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Principals<Definition = GroupDefinition, Principal = Group>>`
/// is the type to store.
#[async_trait]
pub trait Principals: fmt::Debug + Send + Sync {
    /// What is said of a new one.
    type Definition: Sync;
    /// One that is there.
    type Principal;

    /// Makes one.
    ///
    /// # Errors
    ///
    /// [`Conflict`](azml_core::ErrorKind::Conflict) when there is one of that name.
    async fn create(&self, definition: &Self::Definition) -> Result<Self::Principal>;

    /// Describes one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn get(&self, id: &PrincipalId) -> Result<Self::Principal>;

    /// Lists those that the filter lets through.
    fn list(&self, filter: PrincipalFilter) -> BoxStream<'static, Result<Self::Principal>>;

    /// Replaces all that is said of one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn update(&self, id: &PrincipalId, definition: &Self::Definition) -> Result<()>;

    /// Changes parts of what is said of one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn patch(&self, id: &PrincipalId, patch: &PrincipalPatch) -> Result<()>;

    /// Removes one.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn delete(&self, id: &PrincipalId) -> Result<()>;
}

const _: fn(&dyn Principals<Definition = GroupDefinition, Principal = Group>) = |_| ();
