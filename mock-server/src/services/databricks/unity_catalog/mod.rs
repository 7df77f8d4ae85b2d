//! Databricks Unity Catalog 2.1: the names of data and who may use it.
//!
//! Emulated: one metastore with the catalogs `main` and `system`; catalogs,
//! schemas, tables and volumes with create, get, list, update, rename and delete;
//! grants, their own and the inherited ones. Volumes are folders below
//! `/Volumes`. Tables are descriptions: no data is behind them, and what Spark
//! makes does not appear. Grants keep nobody from anything. Metastores cannot be
//! made or assigned.
//!
//! Reference: the Unity Catalog API 2.1 of Azure Databricks.

mod routes;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub(crate) use self::{
    routes::SERVICE,
    state::{Catalogs, Event},
};
