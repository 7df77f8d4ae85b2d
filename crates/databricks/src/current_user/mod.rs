//! The current user: whoever the calls are made as.

mod client;
mod ops;

use std::fmt;

use async_trait::async_trait;
use azml_core::Result;

pub use self::client::CurrentUserClient;
use crate::principals::User;

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
