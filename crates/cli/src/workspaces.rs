//! `azml workspaces`

use anyhow::bail;
use azml::workspace::{Workspace, WorkspaceConfig, WorkspaceSummary};
use futures_util::TryStreamExt;
use serde::Serialize;

use crate::{
    output::{self, Output},
    session::Connection,
};

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// The subscription; by default, that of config.json
    #[arg(long, env = "AZURE_SUBSCRIPTION_ID", value_name = "ID")]
    subscription: Option<String>,
    /// Lists those of this resource group only
    #[arg(long, short = 'g', value_name = "NAME")]
    resource_group: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// One workspace as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    resource_group: String,
    location: String,
    id: String,
}

pub(crate) async fn list(connection: &Connection, list: &List) -> anyhow::Result<String> {
    let session = connection.open()?;
    let subscription = match &list.subscription {
        Some(id) => id.clone(),
        None => match WorkspaceConfig::find(".") {
            Ok(config) => config.into_workspace().subscription_id,
            Err(err) => bail!("which subscription? Give --subscription: {err}"),
        },
    };
    let found = match &list.resource_group {
        Some(group) => Workspace::list_in_group(&session, &subscription, group),
        None => Workspace::list(&session, &subscription),
    };
    let found: Vec<WorkspaceSummary> = found.try_collect().await?;
    let lines: Vec<_> = found.into_iter().map(Line::from).collect();
    list.output.print(&lines, |lines| {
        let rows = lines.iter().map(|it| {
            [it.name.clone(), it.resource_group.clone(), it.location.clone(), it.id.clone()]
        });
        output::table(["WORKSPACE", "RESOURCE GROUP", "LOCATION", "ID"], rows.collect())
    })
}

impl From<WorkspaceSummary> for Line {
    fn from(it: WorkspaceSummary) -> Self {
        Self {
            resource_group: it.id.resource_group().to_owned(),
            id: it.id.to_string(),
            name: it.name,
            location: it.location,
        }
    }
}
