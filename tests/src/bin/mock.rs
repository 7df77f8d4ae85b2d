//! The program `azml-mock`, where the tests of this crate find it.

use std::process::ExitCode;

fn main() -> ExitCode {
    azml_mock::run(std::env::args_os())
}
