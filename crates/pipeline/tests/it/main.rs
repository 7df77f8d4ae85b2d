//! Pipelines on the mock cloud, in-process, under virtual time.

mod azureml;
mod both_backends;
mod place;
