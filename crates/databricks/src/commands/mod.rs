//! Commands: code that runs on a cluster at once, in a context that remembers.
//!
//! This is API 1.2, on which notebooks of other products and `dbutils` of the
//! official SDKs rest.

mod client;
mod ops;
mod result;
mod wire;

use std::fmt;

use async_trait::async_trait;
use azml_core::{Result, string_id};

pub use self::{
    client::CommandsClient,
    result::{Cell, Column, CommandResult},
};
use crate::clusters::ClusterId;

string_id! {
    /// Identifies a context on its cluster.
    ContextId
}

string_id! {
    /// Identifies a command in its context.
    CommandId
}

word_enum! {
    /// The language of a command.
    CommandLanguage {
        /// Python.
        Python = "python",
        /// Scala.
        Scala = "scala",
        /// SQL.
        Sql = "sql",
        /// R.
        R = "r",
    }
}

word_enum! {
    /// How far a context is.
    ContextStatus {
        /// Being made.
        Pending = "Pending",
        /// Ready for commands.
        Running = "Running",
        /// It could not be made.
        Error = "Error",
    }
}

word_enum! {
    /// How far a command is.
    CommandStatus {
        /// Waits for those before it.
        Queued = "Queued",
        /// At work.
        Running = "Running",
        /// About to be canceled.
        Canceling = "Cancelling",
        /// Over. The result tells how it went.
        Finished = "Finished",
        /// Canceled.
        Canceled = "Cancelled",
        /// The context failed.
        Error = "Error",
    }
}

impl CommandStatus {
    /// Whether nothing more will happen.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Finished | Self::Canceled | Self::Error)
    }
}

/// Where commands run one after the other and see what those before them left.
/// A cluster has at most 150 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandContext {
    /// Its cluster.
    pub cluster_id: ClusterId,
    /// Its id.
    pub context_id: ContextId,
    /// The language of its commands.
    pub language: CommandLanguage,
}

impl CommandContext {
    /// A context that is there already.
    pub fn new(cluster_id: ClusterId, context_id: ContextId, language: CommandLanguage) -> Self {
        Self { cluster_id, context_id, language }
    }
}

/// A command as the service last described it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Command {
    /// Its id.
    pub command_id: CommandId,
    /// How far it is.
    pub status: CommandStatus,
    /// What it came to, once it is over.
    pub result: Option<CommandResult>,
}

/// The commands on the clusters of one Databricks workspace.
///
/// Implemented by [`CommandsClient`]. Implement it yourself to fake or to decorate
/// the service; `Arc<dyn Commands>` is the type to store.
#[async_trait]
pub trait Commands: fmt::Debug + Send + Sync {
    /// Makes a context on a running cluster and returns without waiting for it.
    ///
    /// Not repeated after a lost response: nobody would know of the first one.
    ///
    /// # Errors
    ///
    /// Fails when the cluster does not run or has too many contexts.
    async fn create_context(
        &self,
        cluster_id: &ClusterId,
        language: CommandLanguage,
    ) -> Result<CommandContext>;

    /// Tells how far a context is.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn context_status(&self, context: &CommandContext) -> Result<ContextStatus>;

    /// Ends a context and what runs in it.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn destroy_context(&self, context: &CommandContext) -> Result<()>;

    /// Starts a command and returns without waiting for it.
    ///
    /// Not repeated after a lost response: it would run twice.
    ///
    /// # Errors
    ///
    /// Fails when there is no such context.
    async fn execute(&self, context: &CommandContext, command: &str) -> Result<CommandId>;

    /// Tells how far a command is and what it came to.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn status(&self, context: &CommandContext, command_id: &CommandId) -> Result<Command>;

    /// Asks to cancel a command and returns without waiting.
    ///
    /// # Errors
    ///
    /// [`NotFound`](azml_core::ErrorKind::NotFound) when there is none.
    async fn cancel(&self, context: &CommandContext, command_id: &CommandId) -> Result<()>;
}

const _: fn(&dyn Commands) = |_| ();
