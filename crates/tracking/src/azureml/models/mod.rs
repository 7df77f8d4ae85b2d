//! Model management: registered models and the assets behind them.

mod client;
mod ops;
#[cfg(test)]
mod tests;
mod wire;
