//! `azml runs`

use anyhow::Context;
use azml::{
    Client,
    core::ErrorKind,
    tracking::{ExperimentId, ExperimentInfo, ExperimentName, RunInfo, RunQuery},
};
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    output::{self, Format},
    session::Connection,
};

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Lists only the runs of this experiment
    #[arg(long, short, env = "MLFLOW_EXPERIMENT_NAME", value_name = "NAME")]
    experiment: Option<String>,
    /// Lists at most this many
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
    /// Lists runs that are part of another too, such as steps of a pipeline
    #[arg(long)]
    children: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// One run as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    experiment: String,
    id: String,
    name: Option<String>,
    status: String,
    created_at: Option<String>,
    ended_at: Option<String>,
}

pub(crate) async fn list(connection: &Connection, list: &List) -> anyhow::Result<String> {
    let client = Client::open(connection.open()?, ".").await?;
    let mut query = RunQuery::new();
    if list.children {
        query = query.with_children();
    }
    let lines = if let Some(name) = &list.experiment {
        // Runs are listed by the experiment's name; making the experiment to learn
        // its id would be more than was asked for.
        let name = ExperimentName::new(name.as_str());
        let experiment = ExperimentInfo::new(ExperimentId::new(""), name);
        of(&client, &experiment, &query, list.limit).await?
    } else {
        let experiments: Vec<_> =
            client.tracking().experiments().try_collect().await.context(FAILED)?;
        let mut lines = Vec::new();
        for experiment in &experiments {
            lines.extend(of(&client, experiment, &query, list.limit).await?);
        }
        // The latest of all experiments first. As texts, instants sort like instants.
        lines.sort_by(|one, other| other.created_at.cmp(&one.created_at));
        lines.truncate(list.limit);
        lines
    };
    render(lines, list.output)
}

const FAILED: &str = "cannot list the experiments";

/// The latest runs of one experiment.
async fn of(
    client: &Client,
    experiment: &ExperimentInfo,
    query: &RunQuery,
    limit: usize,
) -> anyhow::Result<Vec<Line>> {
    let runs = client.tracking().backend().runs().list(experiment, query);
    let runs: azml::core::Result<Vec<RunInfo>> = runs.take(limit).try_collect().await;
    let runs = runs.map_err(|err| {
        let missing = err.kind() == ErrorKind::NotFound;
        let err = anyhow::Error::from(err);
        if missing {
            let workspace = client.workspace().name();
            err.context(format!("{workspace} has no experiment {}", experiment.name))
        } else {
            err
        }
    })?;
    Ok(runs.into_iter().map(|it| Line::new(&experiment.name, it)).collect())
}

impl Line {
    fn new(experiment: &ExperimentName, run: RunInfo) -> Self {
        let text = |at: Option<OffsetDateTime>| at.and_then(|it| it.format(&Rfc3339).ok());
        Self {
            experiment: experiment.to_string(),
            id: run.id.to_string(),
            name: run.name,
            status: run.status_text,
            created_at: text(run.created_at),
            ended_at: text(run.ended_at),
        }
    }
}

fn render(lines: Vec<Line>, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Json => {
            serde_json::to_string_pretty(&lines).context("cannot print the runs")? + "\n"
        }
        Format::Table => {
            let cells = |it: Line| {
                let (name, created_at, ended_at) = (it.name, it.created_at, it.ended_at);
                let [name, created_at, ended_at] =
                    [name, created_at, ended_at].map(Option::unwrap_or_default);
                [it.experiment, it.id, name, it.status, created_at, ended_at]
            };
            let rows = lines.into_iter().map(cells).collect();
            output::table(["EXPERIMENT", "RUN", "NAME", "STATUS", "CREATED", "ENDED"], rows)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            experiment: "wine".to_owned(),
            id: "r1".to_owned(),
            name: None,
            status: "Completed".to_owned(),
            created_at: Some("2026-01-01T00:00:00Z".to_owned()),
            ended_at: None,
        }
    }

    #[test]
    fn json_says_what_is_not_known() {
        let text = render(vec![line()], Format::Json).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[0]["name"], serde_json::Value::Null);
        assert_eq!(value[0]["status"], "Completed");
    }

    #[test]
    fn an_empty_list_is_a_heading() {
        let text = render(vec![], Format::Table).unwrap();
        assert!(text.starts_with("EXPERIMENT"));
    }
}
