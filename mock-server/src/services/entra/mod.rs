//! Microsoft Entra ID: where programs sign in.
//!
//! Emulated: the `OpenID` documents, the token endpoints of both generations for
//! the grant `client_credentials` (secret or assertion), the keys, the discovery
//! of instances. The same below `/adfs`, because MSAL takes an authority that
//! begins so as it is, without a question to Microsoft.
//! Not emulated: device code, refresh tokens, managed identities, users.
//!
//! Signing happens outside the world's lock. No secret is ever repeated.
//!
//! Reference: what MSAL 1.39 and `azure_identity` 1.0 send and need.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{routes::SERVICE, state::Entra};
