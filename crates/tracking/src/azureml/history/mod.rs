//! Run history: experiments, runs, their tags and their life.

mod client;
mod ops;
#[cfg(test)]
mod tests;
mod wire;
