//! Pipelines on the mock cloud, in-process, under virtual time.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod azureml;
mod both_backends;
mod place;
