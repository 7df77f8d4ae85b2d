//! The program `azml`, where the tests of this crate find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    azml_cli::run(std::env::args_os())
}
