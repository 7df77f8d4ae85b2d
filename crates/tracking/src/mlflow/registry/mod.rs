//! Registered models of an MLflow server.

mod client;
mod ops;
#[cfg(test)]
mod tests;
mod wire;
