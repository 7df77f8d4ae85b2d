//! The program `azml`.

use std::process::ExitCode;

fn main() -> ExitCode {
    azml_cli::run(std::env::args_os())
}
