//! The metric service, second version.

mod client;
mod lenient;
mod ops;
#[cfg(test)]
mod tests;
mod wire;
