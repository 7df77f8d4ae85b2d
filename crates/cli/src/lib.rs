//! The program `azml`: a look at Azure ML from the command line.
//!
//! It signs in as `--auth` says, by default as whoever the place makes one
//! (`AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`, a managed
//! identity, the Azure CLI ..., and `AZURE_CLOUD` and its kin for other clouds),
//! and takes the workspace from the `config.json` of the current folder.

mod computes;
mod experiments;
mod link;
mod output;
mod pipelines;
mod runs;
mod session;
mod tracking;
mod whoami;
mod workspaces;

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use azml::pipeline::PipelineError;
use clap::{Parser, Subcommand};

use crate::{output::Format, session::Connection};

/// What is said when nothing better is known about a failure.
const FAILED: u8 = 1;

#[derive(Debug, Parser)]
#[command(name = "azml", version, about = "Azure Machine Learning with Databricks")]
struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Signs in and tells who one is, and on which workspace one works
    Whoami {
        /// How to print the answer
        #[arg(long, value_enum, default_value_t)]
        output: Format,
    },
    /// Looks at experiments
    Experiments {
        #[command(subcommand)]
        command: Experiments,
    },
    /// Looks at workspaces
    Workspaces {
        #[command(subcommand)]
        command: Workspaces,
    },
    /// Looks at compute targets, attaches and detaches them
    Computes {
        #[command(subcommand)]
        command: computes::Computes,
    },
    /// Reads, sets or clears the link of a Databricks workspace to an Azure ML workspace
    Link {
        #[command(subcommand)]
        command: link::Link,
    },
    /// Checks, shows, submits and follows pipelines
    Pipeline {
        #[command(subcommand)]
        command: pipelines::Pipelines,
    },
    /// Looks at runs
    Runs {
        #[command(subcommand)]
        command: Runs,
    },
    /// Looks after the spool in which runs wait for their servers
    Tracking {
        #[command(subcommand)]
        command: tracking::Command,
    },
}

#[derive(Debug, Subcommand)]
enum Experiments {
    /// Lists the experiments of the workspace
    List(experiments::List),
}

#[derive(Debug, Subcommand)]
enum Workspaces {
    /// Lists the Azure ML workspaces of a subscription or resource group
    List(workspaces::List),
}

#[derive(Debug, Subcommand)]
enum Runs {
    /// Lists the runs of an experiment, or of all, the latest first
    List(runs::List),
}

/// Runs the program with `args`, the first of which is its own name.
///
/// Prints what was asked for to the standard output, and any failure as one
/// line to the standard error; several problems of a pipeline are a line each.
pub fn run<T: Into<OsString> + Clone>(args: impl IntoIterator<Item = T>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(err) => {
            // Help and version go to the standard output, and are no failure.
            let code = u8::try_from(err.exit_code()).unwrap_or(FAILED);
            let _ = err.print();
            return ExitCode::from(code);
        }
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(execute(&arguments)));
    let printed = outcome.and_then(|text| Ok(io::stdout().lock().write_all(text.as_bytes())?));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough.
        Err(err) if is_broken_pipe(&err) => ExitCode::SUCCESS,
        Err(err) => {
            let _ = writeln!(io::stderr().lock(), "error: {}", words(&err));
            ExitCode::from(FAILED)
        }
    }
}

async fn execute(arguments: &Arguments) -> anyhow::Result<String> {
    let connection = &arguments.connection;
    let is_local =
        matches!(&arguments.command, Command::Pipeline { command } if command.is_local());
    if !is_local {
        connection.sign_in().await?;
    }
    match &arguments.command {
        Command::Whoami { output } => whoami::whoami(connection, *output).await,
        Command::Workspaces { command: Workspaces::List(list) } => {
            workspaces::list(connection, list).await
        }
        Command::Experiments { command: Experiments::List(list) } => {
            experiments::list(connection, list).await
        }
        Command::Computes { command } => computes::run(connection, command).await,
        Command::Link { command } => link::run(connection, command).await,
        Command::Pipeline { command } => pipelines::run(connection, command).await,
        Command::Runs { command: Runs::List(list) } => runs::list(connection, list).await,
        Command::Tracking { command } => tracking::run(connection, command).await,
    }
}

/// What to say of a failure.
fn words(err: &anyhow::Error) -> String {
    let problems = err.downcast_ref::<PipelineError>().map_or(&[][..], PipelineError::problems);
    if problems.len() < 2 {
        return output::one_line(err);
    }
    let lines = problems.iter().map(|it| format!("\n  {}", output::in_line(&it.to_string())));
    format!("the pipeline has {} problems:{}", problems.len(), lines.collect::<String>())
}

fn is_broken_pipe(err: &anyhow::Error) -> bool {
    err.downcast_ref::<io::Error>().is_some_and(|it| it.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_wrong_word_is_a_usage_error() {
        let code = run(["azml", "runs", "burn"]);
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(2)));
    }
}
