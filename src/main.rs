//! The `pipeline` binary: parse, run, exit code.
use std::process::ExitCode;

fn main() -> ExitCode {
    frustration::cli::run(std::env::args_os())
}
