//! `azml link`

use azml::{
    core::ResourceId,
    workspace::{DatabricksWorkspaces, DatabricksWorkspacesClient, WorkspaceConfig},
};
use clap::Subcommand;
use serde::Serialize;

use crate::{output::Output, session::Connection};

#[derive(Debug, Subcommand)]
pub(crate) enum Link {
    /// Tells which Azure ML workspace a Databricks workspace is linked to
    Get {
        #[command(flatten)]
        at: At,
    },
    /// Links a Databricks workspace to an Azure ML workspace, in place of another
    Set {
        #[command(flatten)]
        at: At,
        /// ARM id of the Azure ML workspace; by default, that of config.json
        #[arg(long, value_name = "ID")]
        workspace: Option<ResourceId>,
    },
    /// Removes the link of a Databricks workspace
    Clear {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct At {
    /// ARM id of the Databricks workspace
    #[arg(value_name = "DATABRICKS-ID")]
    databricks: ResourceId,
    #[command(flatten)]
    output: Output,
}

/// A link as it is printed.
#[derive(Debug, Serialize)]
struct Linked {
    databricks_workspace: String,
    workspace: Option<String>,
}

pub(crate) async fn run(connection: &Connection, command: &Link) -> anyhow::Result<String> {
    let client = DatabricksWorkspacesClient::new(&connection.open()?);
    let (at, link) = match command {
        Link::Get { at } => (at, client.link(&at.databricks).await?),
        Link::Set { at, workspace } => {
            let workspace = match workspace {
                Some(id) => id.clone(),
                None => WorkspaceConfig::find(".")?.into_workspace().resource_id()?,
            };
            let poller = client.set_link(&at.databricks, &workspace).await?;
            (at, poller.until_done().await?.link)
        }
        Link::Clear { at } => {
            let poller = client.clear_link(&at.databricks).await?;
            (at, poller.until_done().await?.link)
        }
    };
    let linked = Linked {
        databricks_workspace: at.databricks.to_string(),
        workspace: link.map(|it| it.to_string()),
    };
    at.output.print(&linked, |it| match &it.workspace {
        Some(workspace) => format!("{workspace}\n"),
        None => "not linked\n".to_owned(),
    })
}
