//! `azml computes`

use anyhow::Context;
use azml::{
    Client,
    compute::{AttachDatabricks, ComputeName, ComputeTarget, ComputeType, Computes as _},
    core::ResourceId,
};
use clap::Subcommand;
use futures_util::TryStreamExt;
use serde::Serialize;

use crate::{
    output::{self, Output},
    session::Connection,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Computes {
    /// Lists the compute targets of the workspace
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Attaches a Databricks workspace, and waits until it can be used
    #[command(after_help = "The access token is taken from the variable DATABRICKS_TOKEN.")]
    Attach {
        /// What to call it: 2 to 16 letters, digits and dashes
        name: String,
        /// ARM id of the Databricks workspace
        #[arg(long, value_name = "ID")]
        databricks: ResourceId,
        #[command(flatten)]
        output: Output,
    },
    /// Detaches a compute target; the resource behind it lives on
    Detach {
        /// The compute target
        name: String,
        #[command(flatten)]
        output: Output,
    },
}

/// One compute target as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    state: String,
    resource_id: Option<String>,
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Detached {
    detached: String,
}

pub(crate) async fn run(connection: &Connection, command: &Computes) -> anyhow::Result<String> {
    match command {
        Computes::List { output } => {
            let targets = client(connection).await?.computes().list();
            let targets: Vec<ComputeTarget> = targets.try_collect().await?;
            let lines: Vec<_> = targets.into_iter().map(Line::from).collect();
            output.print(&lines, |it| table(it))
        }
        Computes::Attach { name, databricks, output } => {
            let token = std::env::var("DATABRICKS_TOKEN").ok().filter(|it| !it.trim().is_empty());
            let token = token.context("environment: set DATABRICKS_TOKEN to an access token")?;
            let attach = AttachDatabricks::by_resource_id(databricks.clone(), token);
            let computes = client(connection).await?.computes();
            let poller = computes.attach(&ComputeName::new(name.as_str()), &attach).await?;
            let target = poller.until_done().await?;
            output.print(&[Line::from(target)], |it| table(it))
        }
        Computes::Detach { name, output } => {
            let computes = client(connection).await?.computes();
            computes.detach(&ComputeName::new(name.as_str())).await?.until_done().await?;
            let detached = Detached { detached: name.clone() };
            output.print(&detached, |it| format!("{} is detached\n", it.detached))
        }
    }
}

async fn client(connection: &Connection) -> anyhow::Result<Client> {
    Ok(Client::open(connection.open()?, ".").await?)
}

impl From<ComputeTarget> for Line {
    fn from(it: ComputeTarget) -> Self {
        let kind = match it.compute_type {
            ComputeType::Unknown(word) => word,
            kind => format!("{kind:?}"),
        };
        Self {
            name: it.name.to_string(),
            kind,
            state: format!("{:?}", it.provisioning_state),
            resource_id: it.resource_id.map(|it| it.to_string()),
            problem: it.provisioning_errors.into_iter().next().map(|it| it.message),
        }
    }
}

fn table(lines: &[Line]) -> String {
    let text = |it: &Option<String>| it.clone().unwrap_or_default();
    let rows = lines.iter().map(|it| {
        [
            it.name.clone(),
            it.kind.clone(),
            it.state.clone(),
            text(&it.resource_id),
            text(&it.problem),
        ]
    });
    output::table(["COMPUTE", "TYPE", "STATE", "RESOURCE", "PROBLEM"], rows.collect())
}
