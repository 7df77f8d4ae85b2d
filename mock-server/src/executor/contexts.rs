//! Contexts in which commands are executed one after the other.

use crate::kernel::WorldId;

/// One process that keeps its variables from command to command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct ContextId {
    pub(crate) world: WorldId,
    pub(crate) epoch: u64,
    pub(crate) workspace: u64,
    pub(crate) cluster_id: String,
    pub(crate) context_id: String,
}

/// One command for a context.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "local"), expect(dead_code, reason = "nobody executes it"))]
pub(crate) struct CommandText {
    pub(crate) command_id: String,
    pub(crate) language: String,
    pub(crate) text: String,
}
