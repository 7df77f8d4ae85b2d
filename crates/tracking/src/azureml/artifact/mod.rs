//! The artifact service: it names files; blob storage holds them.

mod client;
mod ops;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use ops::{Announce, PrefixContentInfo};
