use async_trait::async_trait;
use azml_core::{Endpoint, Error, ErrorKind, Poller, Progress, Result, WaitOptions};

use super::{
    Command, CommandContext, CommandId, CommandLanguage, CommandResult, CommandStatus, Commands,
    ContextStatus, ops,
};
use crate::clusters::ClusterId;

/// Talks to the Command Execution API 1.2 of one Databricks workspace.
///
/// ```no_run
/// use azml_core::WaitOptions;
/// use azml_databricks::{
///     Databricks,
///     clusters::ClusterId,
///     commands::{CommandLanguage, Commands},
/// };
///
/// # async fn demo(databricks: &Databricks, cluster: &ClusterId) -> azml_core::Result<()> {
/// let commands = databricks.commands();
/// let context = commands.open_context(cluster, CommandLanguage::Python).await?;
/// commands.run(&context, "x = 20", WaitOptions::default()).await?;
/// println!("{:?}", commands.run(&context, "print(x + 1)", WaitOptions::default()).await?);
/// commands.destroy_context(&context).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CommandsClient {
    endpoint: Endpoint,
}

impl CommandsClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Looks until the context is ready for commands.
    ///
    /// Ends in [`Other`](ErrorKind::Other) when it could not be made.
    pub fn poll_until_ready(
        &self,
        context: &CommandContext,
        options: WaitOptions,
    ) -> Poller<ContextStatus, ()> {
        const NAME: &str = "databricks.commands.wait_until_ready";
        let (client, context) = (self.clone(), context.clone());
        Poller::new(NAME, options, self.endpoint.clock().clone(), move || {
            let (client, context) = (client.clone(), context.clone());
            async move {
                match client.context_status(&context).await? {
                    ContextStatus::Running => Ok(Progress::Done(())),
                    ContextStatus::Error => {
                        let CommandContext { cluster_id, context_id, .. } = context;
                        let reason = format!("context {context_id} on cluster {cluster_id} failed");
                        Err(Error::explained(NAME, ErrorKind::Other, reason))
                    }
                    status => Ok(Progress::Pending(status)),
                }
            }
        })
    }

    /// Makes a context on a running cluster and waits until it is ready.
    ///
    /// # Errors
    ///
    /// Fails when the cluster does not run or has too many contexts, or when the
    /// context could not be made.
    pub async fn open_context(
        &self,
        cluster_id: &ClusterId,
        language: CommandLanguage,
    ) -> Result<CommandContext> {
        let context = self.create_context(cluster_id, language).await?;
        self.poll_until_ready(&context, WaitOptions::default()).until_done().await?;
        Ok(context)
    }

    /// Looks until the command is over, whatever it came to.
    pub fn poll_until_finished(
        &self,
        context: &CommandContext,
        command_id: &CommandId,
        options: WaitOptions,
    ) -> Poller<CommandStatus, Command> {
        const NAME: &str = "databricks.commands.wait_until_finished";
        let (client, context, id) = (self.clone(), context.clone(), command_id.clone());
        Poller::new(NAME, options, self.endpoint.clock().clone(), move || {
            let (client, context, id) = (client.clone(), context.clone(), id.clone());
            async move {
                let command = client.status(&context, &id).await?;
                Ok(if command.status.is_terminal() {
                    Progress::Done(command)
                } else {
                    Progress::Pending(command.status)
                })
            }
        })
    }

    /// Runs a command and waits for its result. Code that fails is no error here,
    /// but a [`CommandResult::Error`].
    ///
    /// # Errors
    ///
    /// [`Canceled`](ErrorKind::Canceled) when somebody canceled it,
    /// [`Timeout`](ErrorKind::Timeout) when it takes too long: it then runs on.
    pub async fn run(
        &self,
        context: &CommandContext,
        command: &str,
        options: WaitOptions,
    ) -> Result<CommandResult> {
        const NAME: &str = "databricks.commands.run";
        let id = self.execute(context, command).await?;
        let command = self.poll_until_finished(context, &id, options).until_done().await?;
        match (command.status, command.result) {
            (_, Some(result)) => Ok(result),
            (CommandStatus::Finished, None) => Ok(CommandResult::Text(String::new())),
            (CommandStatus::Canceled, None) => {
                let reason = format!("command {id} was canceled");
                Err(Error::explained(NAME, ErrorKind::Canceled, reason))
            }
            (status, None) => {
                let reason = format!("command {id} came to {status} without a result");
                Err(Error::explained(NAME, ErrorKind::Other, reason))
            }
        }
    }
}

#[async_trait]
impl Commands for CommandsClient {
    async fn create_context(
        &self,
        cluster_id: &ClusterId,
        language: CommandLanguage,
    ) -> Result<CommandContext> {
        let context_id = self.endpoint.call(&ops::CreateContext(cluster_id, &language)).await?;
        Ok(CommandContext { cluster_id: cluster_id.clone(), context_id, language })
    }

    async fn context_status(&self, context: &CommandContext) -> Result<ContextStatus> {
        self.endpoint.call(&ops::GetContextStatus(context)).await
    }

    async fn destroy_context(&self, context: &CommandContext) -> Result<()> {
        self.endpoint.call(&ops::DestroyContext(context)).await
    }

    async fn execute(&self, context: &CommandContext, command: &str) -> Result<CommandId> {
        self.endpoint.call(&ops::Execute(context, command)).await
    }

    async fn status(&self, context: &CommandContext, command_id: &CommandId) -> Result<Command> {
        self.endpoint.call(&ops::Status(context, command_id)).await
    }

    async fn cancel(&self, context: &CommandContext, command_id: &CommandId) -> Result<()> {
        self.endpoint.call(&ops::Cancel(context, command_id)).await
    }
}
