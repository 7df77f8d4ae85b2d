//! How workspaces come, change and go: by operations that go on after the answer.

use serde::{Deserialize, Serialize};

use super::{DatabricksWorkspace, MlWorkspace};
use crate::kernel::lro::LongRunning;

/// How a resource is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Provisioning {
    pub(in super::super) state: State,
    /// The operation that goes on.
    pub(super) operation_id: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Creating,
    Updating,
    #[default]
    Succeeded,
    Deleting,
}

impl Provisioning {
    /// The beginning of the operation `id`.
    pub(in super::super) fn begun(state: State, id: &str) -> Self {
        Self { state, operation_id: Some(id.to_owned()) }
    }

    pub(in super::super) fn is_busy(&self) -> bool {
        self.state != State::Succeeded
    }

    /// The service's word for it.
    pub(in super::super) fn word(&self) -> &'static str {
        match self.state {
            State::Creating => "Creating",
            State::Updating => "Updating",
            State::Succeeded => "Succeeded",
            State::Deleting => "Deleting",
        }
    }
}

/// Which type a resource is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ResourceKind {
    MachineLearning,
    Databricks,
}

/// A resource as it is from some moment on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Resource {
    MachineLearning(Box<MlWorkspace>),
    Databricks(Box<DatabricksWorkspace>),
}

/// What an operation does, and to what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(in super::super) run: LongRunning,
    pub(in super::super) kind: ResourceKind,
    /// The resource by its key in the state.
    pub(in super::super) key: String,
    pub(super) target: State,
}

impl Operation {
    pub(in super::super) fn new(
        run: LongRunning,
        kind: ResourceKind,
        key: String,
        target: State,
    ) -> Self {
        Self { run, kind, key, target }
    }
}
