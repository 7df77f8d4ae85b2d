//! The program `azml-mock`: serves a mock cloud, and tells what it emulates and
//! how to use it.

mod ca;
mod coverage;
mod env;
mod serve;

use std::{
    ffi::OsString,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

/// Serves the REST APIs of Azure ML and Databricks on this machine.
#[derive(Debug, Parser)]
#[command(name = "azml-mock", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a mock cloud until it is told to stop.
    Serve(serve::Options),
    /// Tells which operations are emulated.
    Coverage(coverage::Options),
    /// Prints the environment with which official SDKs reach a mock cloud.
    Env(env::Options),
    /// Prints the certificate that clients must trust.
    Ca(ca::Options),
    /// Runs one task. Started by the local executor only.
    #[command(hide = true)]
    ExecTask {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// Why the program ends without having done its work, in one line.
#[derive(Debug)]
struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(err: E) -> Self {
        Self(err.to_string())
    }
}

/// Runs the program with `args`, of which the first is the program's name, and
/// returns its exit status: 0 when all went well, 2 when it could not start.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(err) => {
            // Help and version come this way, too, and go to standard output.
            let _ = err.print();
            return ExitCode::from(u8::try_from(err.exit_code()).unwrap_or(2));
        }
    };
    let done = match arguments.command {
        Command::Serve(options) => serve::run(&options),
        Command::Coverage(options) => coverage::run(&options),
        Command::Env(options) => env::run(&options),
        Command::Ca(options) => ca::run(&options),
        Command::ExecTask { arguments } => return crate::exec_task(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            tell(&mut io::stderr(), &format!("azml-mock: {reason}"));
            ExitCode::from(2)
        }
    }
}

/// Writes a line. A reader that has gone away is no reason to stop.
fn tell(to: &mut impl Write, line: &str) {
    let _ = writeln!(to, "{line}").and_then(|()| to.flush());
}
