//! Experiments: runs that belong together.

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, string_id};

string_id! {
    /// Identifies an experiment. Opaque: a number on some servers, a UUID on others.
    ExperimentId
}

string_id! {
    /// Names an experiment within its server or workspace.
    ExperimentName
}

/// What the server tells about an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExperimentInfo {
    /// Id.
    pub id: ExperimentId,
    /// Name.
    pub name: ExperimentName,
}

impl ExperimentInfo {
    /// An experiment that is known to exist.
    pub fn new(id: ExperimentId, name: ExperimentName) -> Self {
        Self { id, name }
    }
}

/// The experiments of one server or workspace.
#[async_trait]
pub trait Experiments: fmt::Debug + Send + Sync {
    /// Makes the experiment `name`, or finds it if it is there.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`](azml_core::ErrorKind::InvalidArgument), before
    /// anything is sent, for a name that the server does not take.
    async fn get_or_create(&self, name: &ExperimentName) -> Result<ExperimentInfo>;

    /// Describes an experiment.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when no such experiment exists.
    async fn get(&self, id: &ExperimentId) -> Result<ExperimentInfo>;
}

const _: fn(&dyn Experiments) = |_| ();
