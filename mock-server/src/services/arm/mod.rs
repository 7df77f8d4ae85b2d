//! Azure Resource Manager: subscriptions, resources, Azure ML and Databricks
//! workspaces, compute targets.

mod routes;
mod state;

pub(crate) use self::{
    routes::SERVICE,
    state::{ACCOUNT, Arm, Due, Event, TENANT},
};
