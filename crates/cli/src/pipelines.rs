//! `azml pipeline`

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use azml::{
    Client,
    compute::{ComputeTarget, ComputeType, Computes as _},
    pipeline::{
        AzureMlPipelines, DatabricksJobs, FollowOptions, ParameterName, ParameterValue, Pipeline,
        PipelineEvent, PipelineRun, PipelineStatus, SubmitOptions, Surroundings,
    },
};
use clap::{Subcommand, ValueEnum};
use futures_util::TryStreamExt;
use serde::Serialize;

use crate::{
    output::{Format, Output},
    session::Connection,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Pipelines {
    /// Checks a pipeline, and lists all that is wrong with it
    Validate {
        /// The YAML file
        file: PathBuf,
        /// Asks the workspace too, whether its compute targets are there
        #[arg(long)]
        online: bool,
        #[command(flatten)]
        output: Output,
    },
    /// Prints a pipeline in another form, and sends nothing
    Graph {
        /// The YAML file
        file: PathBuf,
        /// The form
        #[arg(long, value_enum, default_value_t)]
        format: Graph,
        #[command(flatten)]
        choices: Choices,
    },
    /// Submits a pipeline, and prints the id of the run
    Submit {
        /// The YAML file
        file: PathBuf,
        #[command(flatten)]
        choices: Choices,
        #[command(flatten)]
        output: Output,
    },
    /// Submits a pipeline and tells what happens, until it has ended
    Follow {
        /// The YAML file
        file: PathBuf,
        #[command(flatten)]
        choices: Choices,
        /// Leaves out what the steps print
        #[arg(long)]
        no_logs: bool,
        /// How to print events: lines for people, or one JSON document a line
        #[arg(long, value_enum, default_value_t)]
        output: Format,
    },
    /// Prints the JSON Schema of the YAML form
    Schema,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Graph {
    #[value(help = "What Azure ML would be sent, as JSON")]
    #[default]
    Wire,
    #[value(help = "A Mermaid flowchart")]
    Mermaid,
    #[value(help = "The language of Graphviz")]
    Dot,
    #[value(help = "The run that Databricks itself would be sent, as JSON")]
    Databricks,
}

/// What a submission chooses.
#[derive(Debug, clap::Args)]
pub(crate) struct Choices {
    /// Runs under this experiment
    #[arg(long, value_name = "NAME")]
    experiment: Option<String>,
    /// Chooses the value of a parameter; its type is the default's
    #[arg(long = "parameter", short, value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// Tags the run
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = pair)]
    tags: Vec<(String, String)>,
    /// Runs all steps anew, whatever could be reused
    #[arg(long)]
    regenerate_outputs: bool,
}

#[derive(Debug, Serialize)]
struct Valid {
    valid: bool,
    steps: usize,
}

#[derive(Debug, Serialize)]
struct Submitted {
    id: String,
    experiment: String,
}

pub(crate) async fn run(connection: &Connection, command: &Pipelines) -> anyhow::Result<String> {
    match command {
        Pipelines::Validate { file, online, output } => {
            let pipeline = Pipeline::from_yaml_file(file)?;
            // As a submission does it: the experiment and the folders are looked at, too.
            pipeline.to_wire(&SubmitOptions::default())?;
            if *online {
                validate_online(connection, &pipeline).await?;
            }
            let valid = Valid { valid: true, steps: pipeline.steps.len() };
            output.print(&valid, |it| format!("{}: valid, {} steps\n", file.display(), it.steps))
        }
        Pipelines::Graph { file, format, choices } => {
            let pipeline = Pipeline::from_yaml_file(file)?;
            let options = choices.options(&pipeline)?;
            Ok(match format {
                Graph::Wire => pretty(&pipeline.to_wire(&options)?)?,
                Graph::Mermaid => pipeline.to_mermaid(),
                Graph::Dot => pipeline.to_dot(),
                Graph::Databricks => pretty(&DatabricksJobs::preview(&pipeline, &options).await?)?,
            })
        }
        Pipelines::Submit { file, choices, output } => {
            let run = submit(connection, file, choices).await?;
            let experiment = run.details().await?.experiment;
            let submitted = Submitted { id: run.id().to_string(), experiment };
            output.print(&submitted, |it| format!("{}\n", it.id))
        }
        Pipelines::Follow { file, choices, no_logs, output } => {
            let run = submit(connection, file, choices).await?;
            follow(&run, !no_logs, *output).await?;
            Ok(String::new())
        }
        Pipelines::Schema => Ok(Pipeline::yaml_schema()),
    }
}

impl Pipelines {
    /// Whether anything has to be asked of Azure.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Validate { online, .. } => !online,
            Self::Graph { .. } | Self::Schema => true,
            Self::Submit { .. } | Self::Follow { .. } => false,
        }
    }
}

impl Choices {
    /// Values take the type of their parameter's default; the rest is checked with the
    /// pipeline.
    fn options(&self, pipeline: &Pipeline) -> anyhow::Result<SubmitOptions> {
        let mut options = SubmitOptions::default().with_regenerate_outputs(self.regenerate_outputs);
        options.experiment.clone_from(&self.experiment);
        options.tags.clone_from(&self.tags);
        for (name, text) in &self.parameters {
            let name = ParameterName::new(name.as_str());
            let default = pipeline.parameter(&name).map(|it| &it.default);
            let value = match default {
                Some(default) => {
                    typed(default, text).with_context(|| format!("--parameter {name}={text}"))?
                }
                None => text.as_str().into(),
            };
            options = options.with_parameter(name, value);
        }
        Ok(options)
    }
}

/// JSON for people.
fn pretty(json: &str) -> anyhow::Result<String> {
    let value: serde_json::Value = serde_json::from_str(json)?;
    Ok(format!("{value:#}\n"))
}

/// `text` as a value of the type of `default`.
fn typed(default: &ParameterValue, text: &str) -> anyhow::Result<ParameterValue> {
    Ok(match default {
        ParameterValue::Integer(_) => text.parse::<i64>().context("is no whole number")?.into(),
        ParameterValue::Float(_) => text.parse::<f64>().context("is no number")?.into(),
        ParameterValue::Boolean(_) => match text {
            "true" | "True" => true.into(),
            "false" | "False" => false.into(),
            _ => bail!("is neither true nor false"),
        },
        _ => text.into(),
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

async fn validate_online(connection: &Connection, pipeline: &Pipeline) -> anyhow::Result<()> {
    let client = Client::open(connection.open()?, ".").await?;
    let targets: Vec<ComputeTarget> = client.computes().list().try_collect().await?;
    let known = targets.into_iter().filter(|it| it.compute_type == ComputeType::Databricks);
    let surroundings = Surroundings::default().with_computes(known.map(|it| it.name.to_string()));
    let problems = pipeline.problems_in(&surroundings);
    if problems.is_empty() {
        return Ok(());
    }
    Err(azml::pipeline::PipelineError::Invalid(problems).into())
}

async fn submit(
    connection: &Connection,
    file: &Path,
    choices: &Choices,
) -> anyhow::Result<PipelineRun> {
    let pipeline = Pipeline::from_yaml_file(file)?;
    let options = choices.options(&pipeline)?;
    // What is wrong with the file is told before anybody signs in.
    pipeline.validate()?;
    let client = Client::open(connection.open()?, ".").await?;
    let mut backend = AzureMlPipelines::new(client.workspace());
    if let Some(folder) = cache() {
        backend = backend.with_snapshot_cache(folder.join("azml/snapshots"));
    }
    Ok(azml::pipeline::Pipelines::new(backend).submit(&pipeline, &options).await?)
}

/// Where programs keep what they can do without.
fn cache() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|it| !it.is_empty()).map(PathBuf::from);
    let home = || folder("HOME").map(|it| it.join(".cache"));
    folder("XDG_CACHE_HOME").or_else(|| folder("LOCALAPPDATA")).or_else(home)
}

/// Prints events as they come. A run that does not end well is a failure.
async fn follow(run: &PipelineRun, logs: bool, format: Format) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    print_line(&mut out, format, "submitted", &[("run", run.id().as_str())])?;
    let mut events = run.follow(&FollowOptions::default().with_logs(logs));
    while let Some(event) = events.try_next().await? {
        match &event {
            PipelineEvent::StepQueued(it) => {
                print_line(&mut out, format, "queued", &[("step", it.name.as_str())])?;
            }
            PipelineEvent::StepStarted(it) => {
                print_line(&mut out, format, "started", &[("step", it.name.as_str())])?;
            }
            PipelineEvent::StepLog { step, line, .. } => {
                print_line(&mut out, format, "log", &[("step", step.as_str()), ("line", line)])?;
            }
            PipelineEvent::StepReused(it) => {
                let from = it.reused_from.as_ref().map(ToString::to_string).unwrap_or_default();
                let fields = [("step", it.name.as_str()), ("from", &from)];
                print_line(&mut out, format, "reused", &fields)?;
            }
            PipelineEvent::StepFinished(it) => {
                let status = it.status.to_string();
                let took = it.duration().map(|it| format!("{} s", it.as_secs()));
                let mut fields = vec![("step", it.name.as_str()), ("status", &*status)];
                fields.extend(took.as_deref().map(|it| ("took", it)));
                fields.extend(it.error.as_deref().map(|it| ("error", it)));
                print_line(&mut out, format, "finished", &fields)?;
            }
            PipelineEvent::Finished(status) => {
                print_line(&mut out, format, "ended", &[("status", &status.to_string())])?;
                if *status != PipelineStatus::Finished {
                    bail!("the run {} ended as {status}", run.id());
                }
            }
            _ => (),
        }
    }
    Ok(())
}

fn print_line(
    out: &mut impl Write,
    format: Format,
    event: &str,
    fields: &[(&str, &str)],
) -> anyhow::Result<()> {
    match format {
        Format::Json => {
            let mut document = BTreeMap::from([("event", event)]);
            document.extend(fields.iter().copied());
            writeln!(out, "{}", serde_json::to_string(&document)?)?;
        }
        Format::Table => {
            let values: Vec<_> = fields.iter().map(|it| it.1).collect();
            writeln!(out, "{event:<10}{}", values.join("  "))?;
        }
    }
    // Whoever reads along should not wait for a full buffer.
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_the_type_of_the_default() {
        assert_eq!(typed(&3.into(), "5").unwrap(), 5.into());
        assert_eq!(typed(&0.5.into(), "1e-3").unwrap(), 0.001.into());
        assert_eq!(typed(&false.into(), "true").unwrap(), true.into());
        assert_eq!(typed(&"".into(), "5").unwrap(), "5".into());
        assert!(typed(&3.into(), "x").is_err());
    }

    #[test]
    fn pairs_are_split_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(pair("a").is_err());
    }
}
