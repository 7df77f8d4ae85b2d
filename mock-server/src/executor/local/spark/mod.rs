//! Warm JVMs: one for each cluster whose tasks need Spark, and only so many at once.

mod jvm;
mod machine;
mod machines;

pub(super) use self::{
    jvm::{Death, Gateway, Jvm},
    machine::Machine,
    machines::{Lease, Machines},
};
