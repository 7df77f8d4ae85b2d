//! `azml tracking`

use std::{collections::BTreeMap, env, path::PathBuf, sync::Arc};

use anyhow::{Context, bail};
use azml::{
    core::{Endpoint, ResourceId, Scope, StaticToken, TokenCredential},
    tracking::{
        AzureMlTracking, Destination, FolderTracking, MlflowServer, MlflowTracking, Spool,
        SpoolOptions, SpooledRun, Tracking, Uploaded,
    },
};
use clap::Subcommand;
use secrecy::SecretString;
use serde::Serialize;
use time::format_description::well_known::Rfc3339;

use crate::{
    output::{self, Output},
    session::Connection,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Brings what runs have left in a spool to their servers
    ///
    /// Ends the runs of dead processes, as they said or as killed. A run that still
    /// logs is brought as far as it is; that can be repeated.
    Sync(Sync),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sync {
    #[arg(help = "The spool; AZML_SPOOL_DIR or the usual place when left out", value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Only tells what is there
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

/// One run as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    local_id: String,
    run_id: Option<String>,
    experiment: String,
    destination: String,
    started_at: String,
    outcome: String,
    #[serde(skip)]
    has_failed: bool,
}

pub(crate) async fn run(connection: &Connection, command: &Command) -> anyhow::Result<String> {
    let Command::Sync(sync) = command;
    let folder = sync.folder.clone().unwrap_or_else(|| SpoolOptions::new().folder);
    let mut places = BTreeMap::new();
    let mut lines = Vec::new();
    for run in Spool::open(&folder).runs()? {
        let outcome = if sync.dry_run {
            Ok(if run.is_live()? { "live".to_owned() } else { "left behind".to_owned() })
        } else {
            upload(connection, &mut places, &run).await
        };
        lines.push(Line::new(&run, &outcome));
    }
    let failed = lines.iter().filter(|it| it.has_failed).count();
    let text = sync.output.print(&lines, |it| table(it))?;
    if failed > 0 {
        bail!("{failed} of {} runs still wait in {}:\n{text}", lines.len(), folder.display());
    }
    Ok(text)
}

async fn upload(
    connection: &Connection,
    places: &mut BTreeMap<String, Tracking>,
    run: &SpooledRun,
) -> anyhow::Result<String> {
    let key = run.destination().to_string();
    if !places.contains_key(&key) {
        places.insert(key.clone(), open(connection, run.destination())?);
    }
    let tracking = places.get(&key).context("a place that was just opened is missing")?;
    Ok(match run.upload(tracking).await? {
        Uploaded::Ended { rejected: 0 } => "ended".to_owned(),
        Uploaded::Ended { rejected } => format!("ended; the server refused {rejected} records"),
        Uploaded::Live => "live".to_owned(),
        _ => "busy".to_owned(),
    })
}

/// The server of a run, as whoever `--auth` says; plain MLflow as whoever
/// `MLFLOW_TRACKING_TOKEN` says, or nobody.
fn open(connection: &Connection, destination: &Destination) -> anyhow::Result<Tracking> {
    Ok(match destination {
        Destination::AzureMl { base, workspace } => {
            let session = connection.open()?;
            let endpoint = session.endpoint(base.as_str(), session.cloud().arm_scope());
            let workspace: ResourceId = ResourceId::parse(workspace)?;
            Tracking::new(AzureMlTracking::new(endpoint, workspace))
        }
        Destination::Mlflow { base } => {
            let session = connection.open()?;
            let plain = Endpoint::new(base.as_str(), session.transport().clone());
            let token = env::var("MLFLOW_TRACKING_TOKEN").ok().filter(|it| !it.is_empty());
            let server = MlflowTracking::new(plain.clone()).server();
            let endpoint = match (token, server) {
                (Some(token), _) => {
                    let token: Arc<dyn TokenCredential> =
                        Arc::new(StaticToken::new(SecretString::from(token)));
                    plain.with_credential(token, Scope::new("mlflow"))
                }
                (None, MlflowServer::AzureMl) => {
                    session.endpoint(base.as_str(), session.cloud().arm_scope())
                }
                (None, MlflowServer::Databricks) => {
                    session.endpoint(base.as_str(), session.cloud().databricks_scope())
                }
                (None, _) => plain,
            };
            Tracking::new(MlflowTracking::new(endpoint))
        }
        Destination::Folder { path } => Tracking::new(FolderTracking::new(path)),
        other => bail!("{other} is no place that this program knows"),
    })
}

impl Line {
    fn new(run: &SpooledRun, outcome: &anyhow::Result<String>) -> Self {
        let has_failed = outcome.is_err();
        let outcome = match outcome {
            Ok(outcome) => outcome.clone(),
            Err(err) => format!("failed: {}", output::one_line(err)),
        };
        Self {
            local_id: run.local_id().to_string(),
            run_id: run.id().map(ToString::to_string),
            experiment: run.experiment().to_string(),
            destination: run.destination().to_string(),
            started_at: run.started_at().format(&Rfc3339).unwrap_or_default(),
            outcome,
            has_failed,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let cells = |it: &Line| {
        [&it.local_id, &it.experiment, &it.destination, &it.started_at, &it.outcome]
            .map(Clone::clone)
    };
    let heading = ["LOCAL ID", "EXPERIMENT", "SERVER", "STARTED", "OUTCOME"];
    output::table(heading, lines.iter().map(cells).collect())
}
