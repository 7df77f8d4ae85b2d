//! The GraphQL that MLflow's pages speak: fixed fields over the same answers
//! that REST gives. The query language is read by a library; what a document
//! may ask for is in [`schema`].

mod document;
mod limits;
mod schema;
mod selection;
mod validation;

pub(in crate::services::mlflow) use self::{
    document::{Asked, asked},
    selection::selected,
};
