//! The program `azml-mock` from outside: its life, its wire, its data folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crash;
mod http;
mod lifecycle;
mod program;
mod sign_in;
mod wire;
