//! `azml experiments`

use anyhow::Context;
use azml::{
    Client,
    tracking::{ExperimentInfo, ExperimentView},
};
use futures_util::TryStreamExt;
use serde::Serialize;

use crate::{
    output::{self, Format},
    session::Connection,
};

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Lists archived experiments too
    #[arg(long)]
    all: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    output: Format,
}

/// One experiment as it is printed.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    name: String,
    is_archived: bool,
}

pub(crate) async fn list(connection: &Connection, list: &List) -> anyhow::Result<String> {
    let client = Client::open(connection.open()?, ".").await?;
    let view = if list.all { ExperimentView::All } else { ExperimentView::Active };
    let experiments = client.tracking().backend().experiments().list(view);
    let experiments: Vec<_> =
        experiments.try_collect().await.context("cannot list the experiments")?;
    render(experiments.into_iter().map(Line::from).collect(), list.output)
}

impl From<ExperimentInfo> for Line {
    fn from(it: ExperimentInfo) -> Self {
        let (id, name) = (it.id.to_string(), it.name.to_string());
        Self { id, name, is_archived: it.is_archived }
    }
}

fn render(lines: Vec<Line>, format: Format) -> anyhow::Result<String> {
    Ok(match format {
        Format::Json => {
            serde_json::to_string_pretty(&lines).context("cannot print the experiments")? + "\n"
        }
        Format::Table => {
            let archived = |it: bool| if it { "yes" } else { "" }.to_owned();
            let cells = |it: Line| [it.name, it.id, archived(it.is_archived)];
            let rows = lines.into_iter().map(cells).collect();
            output::table(["NAME", "ID", "ARCHIVED"], rows)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_experiment_is_marked() {
        let line = Line { id: "1".to_owned(), name: "wine".to_owned(), is_archived: true };
        assert_eq!(
            render(vec![line], Format::Table).unwrap(),
            "NAME  ID  ARCHIVED\nwine  1   yes\n"
        );
    }
}
