//! The command line: one file per subcommand, each with `Args` (its doc comments are the help) and
//! `run(args) -> anyhow::Result<()>`. Only this module prints, draws progress or reads the environment.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

pub mod active;
pub mod build_graph;
pub mod columns;
pub mod compare;
mod error;
pub mod export;
mod finished;
pub mod flags;
pub mod forward;
pub mod graph_dir;
pub mod image_args;
pub mod images;
pub mod import_graph;
pub mod inspect;
pub mod lambda;
mod long_run;
pub mod network;
pub mod null;
pub mod output;
pub mod perturb;
pub mod progress;
mod provenance;
pub mod search;
mod searched;
pub mod session;
mod shown;
pub mod solve;
pub mod source;
mod usage;
pub mod verify;

pub use error::{chain, note, peak_memory, print};
pub use provenance::provenance;

/// Version and git revision, as `--version` and the tables state it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("FRUSTRATION_REVISION"), ")");

/// Frustration of pretrained convolutional networks, out of core.
#[derive(Debug, clap::Parser)]
#[command(name = "pipeline", version = VERSION, propagate_version = true, max_term_width = 120)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Active(Box<active::Args>),
    BuildGraph(build_graph::Args),
    Compare(compare::Args),
    Export(export::Args),
    Forward(forward::Args),
    Images(images::Args),
    ImportGraph(import_graph::Args),
    Inspect(inspect::Args),
    Lambda(lambda::Args),
    Null(null::Args),
    Perturb(Box<perturb::Args>),
    Solve(solve::Args),
    Verify(verify::Args),
}

impl Command {
    fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Active(args) => active::run(*args),
            Self::BuildGraph(args) => on_all_cores(|| build_graph::run(args)),
            Self::Compare(args) => compare::run(args),
            Self::Export(args) => on_all_cores(|| export::run(args)),
            Self::Forward(args) => forward::run(args),
            Self::Images(args) => images::run(args),
            Self::ImportGraph(args) => on_all_cores(|| import_graph::run(args)),
            Self::Inspect(args) => inspect::run(args),
            Self::Lambda(args) => lambda::run(args),
            Self::Null(args) => null::run(args),
            Self::Perturb(args) => perturb::run(*args),
            Self::Solve(args) => solve::run(args),
            Self::Verify(args) => verify::run(args),
        }
    }
}

/// Runs what has no `--threads`. Without a pool of its own it would panic where the system refuses threads.
fn on_all_cores(run: impl FnOnce() -> anyhow::Result<()> + Send) -> anyhow::Result<()> {
    flags::Threads::default().pool()?.install(run)
}

/// Parses the command line (program name first), runs the subcommand and reports its error, if any.
pub fn run<I, T>(args: I) -> ExitCode
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    session::ignore_file_size_signal();
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(usage) => return explain(usage),
    };
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<error::ClosedPipe>() => ExitCode::SUCCESS,
        Err(error) => match error.downcast() {
            Ok(usage) => explain(usage),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "pipeline: error: {}", chain(&error));
                ExitCode::FAILURE
            }
        },
    }
}

fn parse<T: Into<OsString> + Clone>(args: impl IntoIterator<Item = T>) -> Result<Cli, clap::Error> {
    let mut cli = Cli::command();
    let matches = cli.try_get_matches_from_mut(args)?;
    usage::check(&mut cli, &matches)?;
    Cli::from_arg_matches(&matches)
}

/// Prints what is wrong with a command line. Help and version come this way too. Who closed the pipe does not want to read
/// them.
fn explain(usage: clap::Error) -> ExitCode {
    let usage = usage::without_far_tips(usage);
    let _ = usage.print();
    ExitCode::from(usage.exit_code() as u8)
}

/// Flags of a subcommand that cannot be combined, where their declaration cannot say so.
fn conflict(subcommand: &str, message: impl Display) -> clap::Error {
    let mut cli = Cli::command();
    cli.build();
    let command = cli.find_subcommand_mut(subcommand).expect("a subcommand asks for itself");
    command.error(clap::error::ErrorKind::ArgumentConflict, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_is_declared_consistently() {
        Cli::command().debug_assert();
    }
}
