//! The program `azml-mock`.

fn main() -> std::process::ExitCode {
    azml_mock::run(std::env::args_os())
}
