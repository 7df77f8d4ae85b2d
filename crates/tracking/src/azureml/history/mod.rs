//! Run history: experiments, runs, their tags and their life.

mod client;
mod experiments;
mod filter;
mod life;
#[cfg(test)]
mod life_tests;
mod ops;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use life::GetToken;
