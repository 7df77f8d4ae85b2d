//! What holds for every world, whatever its services do.

mod faults;
mod history;
mod strict;
mod user;
