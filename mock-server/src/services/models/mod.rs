//! Azure ML model management: assets and registered models.
//!
//! Emulated: assets (create, get), models (register, list with its filters,
//! get, JSON-patch update, delete). The newest version of a name comes first.
//! Not emulated: images, services, profiles.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::routes::SERVICE;
