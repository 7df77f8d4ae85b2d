use azml_core::{Page, PageToken, RequestBuilder, Response, Result};
use serde::de::DeserializeOwned;

use super::{
    Group, GroupDefinition, ServicePrincipal, ServicePrincipalDefinition, User, UserDefinition,
    wire,
};
use crate::fault;

mod sealed {
    pub trait Sealed {}
}

/// Users, groups or service principals: implemented by these three, and by nothing
/// else.
pub trait PrincipalKind: sealed::Sealed + Send + Sync + 'static {
    /// What is said of a new one.
    type Definition: Send + Sync;
    /// One that is there.
    type Principal: Send + 'static;

    /// The last part of the path.
    #[doc(hidden)]
    const FOLDER: &'static str;
    /// What the calls are called in errors and spans.
    #[doc(hidden)]
    const CALLS: Calls;

    #[doc(hidden)]
    fn write(request: RequestBuilder, definition: &Self::Definition) -> RequestBuilder;

    #[doc(hidden)]
    fn read(operation: &'static str, response: &Response) -> Result<Self::Principal>;

    #[doc(hidden)]
    fn read_page(operation: &'static str, response: &Response) -> Result<Page<Self::Principal>>;
}

/// What the calls on one kind are called.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    pub(super) create: &'static str,
    pub(super) get: &'static str,
    pub(super) list: &'static str,
    pub(super) update: &'static str,
    pub(super) patch: &'static str,
    pub(super) delete: &'static str,
}

macro_rules! kind {
    (
        $(#[$doc:meta])*
        $kind:ident($folder:literal, $definition:ty => $new:ty, $wire:ty => $principal:ty),
        $create:literal, $get:literal, $list:literal, $update:literal, $patch:literal,
        $delete:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub struct $kind;

        impl sealed::Sealed for $kind {}

        impl PrincipalKind for $kind {
            type Definition = $definition;
            type Principal = $principal;

            const FOLDER: &'static str = $folder;
            const CALLS: Calls = Calls {
                create: $create,
                get: $get,
                list: $list,
                update: $update,
                patch: $patch,
                delete: $delete,
            };

            fn write(request: RequestBuilder, definition: &$definition) -> RequestBuilder {
                request.json(&<$new>::from(definition))
            }

            fn read(operation: &'static str, response: &Response) -> Result<$principal> {
                Ok(fault::read::<$wire>(operation, response)?.into())
            }

            fn read_page(operation: &'static str, response: &Response) -> Result<Page<$principal>> {
                page::<$wire, _>(operation, response)
            }
        }
    };
}

kind! {
    /// [`Principals`](super::Principals) that are users.
    Users("Users", UserDefinition => wire::NewUser<'_>, wire::WireUser => User),
    "databricks.users.create", "databricks.users.get", "databricks.users.list",
    "databricks.users.update", "databricks.users.patch", "databricks.users.delete"
}

kind! {
    /// [`Principals`](super::Principals) that are groups.
    Groups("Groups", GroupDefinition => wire::NewGroup<'_>, wire::WireGroup => Group),
    "databricks.groups.create", "databricks.groups.get", "databricks.groups.list",
    "databricks.groups.update", "databricks.groups.patch", "databricks.groups.delete"
}

kind! {
    /// [`Principals`](super::Principals) that are service principals.
    ServicePrincipals(
        "ServicePrincipals",
        ServicePrincipalDefinition => wire::NewServicePrincipal<'_>,
        wire::WireServicePrincipal => ServicePrincipal
    ),
    "databricks.service_principals.create", "databricks.service_principals.get",
    "databricks.service_principals.list", "databricks.service_principals.update",
    "databricks.service_principals.patch", "databricks.service_principals.delete"
}

/// A page. Its token is the number of the next item, counted from 1.
fn page<W: DeserializeOwned + Into<P>, P>(
    operation: &'static str,
    response: &Response,
) -> Result<Page<P>> {
    let body: wire::ListResponse<W> = fault::read(operation, response)?;
    let count = i64::try_from(body.resources.len()).unwrap_or(i64::MAX);
    let next = body.start_index.0.max(1).saturating_add(count);
    // A page without items ends the listing, whatever the total says.
    let is_last = count == 0 || body.total_results.0 < next;
    let token = (!is_last).then(|| PageToken(next.to_string()));
    Ok(Page::new(body.resources.into_iter().map(Into::into).collect(), token))
}
