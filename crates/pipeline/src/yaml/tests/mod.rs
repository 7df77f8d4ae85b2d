//! The form against what the official SDK makes of the same definitions.

mod definitions;
mod fixture;
mod form;
mod refused;
mod round_trip;
