//! Azure Machine Learning and Databricks together.
//!
//! Every crate of the project under one name, each behind a feature of the same
//! name, and one [`Client`] that opens a workspace and hands out the rest.
//!
//! ```no_run
//! use azml::{
//!     Client,
//!     pipeline::{DatabricksStep, FollowOptions, Pipeline, SubmitOptions},
//! };
//!
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! // Signs in as whoever this place makes one: see `auth::DefaultCredential`.
//! let client = Client::from_env(".").await?;
//!
//! let train = DatabricksStep::new("train")
//!     .with_notebook_path("/Shared/train")
//!     .with_compute_target("my-dbx-cluster")
//!     .with_num_workers(2);
//! let pipeline = Pipeline::new("wine").with_step(train);
//! let run = client.pipelines().submit(&pipeline, &SubmitOptions::default()).await?;
//! println!("{}", run.wait(&FollowOptions::default()).await?);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "workspace")]
mod client;

pub use azml_core as core;

#[cfg(feature = "auth")]
pub use azml_auth as auth;
#[cfg(feature = "blob")]
pub use azml_blob as blob;
#[cfg(feature = "compute")]
pub use azml_compute as compute;
#[cfg(feature = "databricks")]
pub use azml_databricks as databricks;
#[cfg(feature = "pipeline")]
pub use azml_pipeline as pipeline;
#[cfg(feature = "tracking")]
pub use azml_tracking as tracking;
#[cfg(feature = "workspace")]
pub use azml_workspace as workspace;

#[cfg(feature = "workspace")]
pub use self::client::{Client, Place};

/// The example of the README compiles.
#[cfg(all(
    doctest,
    feature = "auth",
    feature = "compute",
    feature = "pipeline",
    feature = "reqwest"
))]
#[doc = include_str!("../../../README.md")]
struct Readme;
