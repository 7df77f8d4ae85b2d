//! Microsoft Entra ID: where programs and users sign in.
//!
//! Emulated: the `OpenID` documents, the token endpoints of both generations,
//! the keys, the discovery of instances. The same below `/adfs`, because MSAL
//! takes an authority that begins so as it is, without a question to Microsoft.
//! The grants are
//! - `client_credentials` with a secret, with an assertion that the program
//!   signed itself (form, audience, subject and time are checked, and that the
//!   key of a certificate that is known made the signature), or with the token of
//!   a workload (form, audience and time; issuer and subject, once a federated
//!   credential of the application is known; no issuer's keys are fetched);
//! - `device_code` for the user of the mock: approved at once, or by hand, on
//!   the page that the answer names or by `POST /_mock/device_codes`;
//! - `refresh_token`: each use gives a new one, old ones stay good, as with the
//!   real service. Refresh tokens are bound to client and user, to no resource.
//!
//! What is known of an application is extended by `POST /_mock/apps`.
//! Managed identities are a service of their own, beside this one.
//! Not emulated: the browser (`authorization_code`), passwords, on-behalf-of.
//!
//! Signing happens outside the world's lock. No secret is ever repeated.
//!
//! Reference: what MSAL 1.39 and `azure_identity` 1.0 send and need; Microsoft's
//! documents on the device authorization grant, on certificate credentials, on
//! workload identity federation and on error codes.

mod managed_identity;
mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    managed_identity::SERVICE as MANAGED_IDENTITY,
    routes::{SERVICE, answer_device_code, device_codes, register},
    state::{Entra, Event},
};
