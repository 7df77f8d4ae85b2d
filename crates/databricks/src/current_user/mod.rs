//! The current user: whoever the calls are made as.

mod client;
mod ops;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, string_id};

pub use self::client::CurrentUserClient;

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

/// A group that somebody is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Membership {
    /// The group.
    pub id: PrincipalId,
    /// What people call it.
    pub name: String,
}

impl User {
    /// Whether they are an admin of the workspace.
    pub fn is_admin(&self) -> bool {
        self.groups.iter().any(|it| it.name == "admins")
    }
}

/// Whoever calls one Databricks workspace.
///
/// Implemented by [`CurrentUserClient`].
#[async_trait]
pub trait CurrentUser: fmt::Debug + Send + Sync {
    /// Tells who is calling. A cheap way to find out whether a credential is good.
    ///
    /// # Errors
    ///
    /// [`Unauthenticated`](azml_core::ErrorKind::Unauthenticated) or
    /// [`PermissionDenied`](azml_core::ErrorKind::PermissionDenied) when the
    /// credential is not good.
    async fn me(&self) -> Result<User>;
}

const _: fn(&dyn CurrentUser) = |_| ();
