//! THE COMMAND LINE: arguments in, calls of the library, tables and a few lines out.
//!
//! ```text
//! network ─── build-graph ──┐                   ┌─ solve ──► replicas ─┐
//! edge list ─ import-graph ─┴─► graph directory ┼─ null ───► nulls ────┼─ compare ─► summary
//! images ────────────────────────────┬──────────┼─ active ─► active ───┘
//!                                    └──────────┴─ perturb ► omega ────── lambda ──► lambda
//! ```
//!
//! `inspect`, `verify` and `export` read a graph directory, `forward` and `images` show what becomes of images. Each subcommand has a file
//! of its name with `Args`, whose doc comments are the help that a user reads, and `run(args) -> anyhow::Result<()>`,
//! which does the same for all of them:
//!
//! 1. the outputs are opened, so that a bad path fails in the first second;
//! 2. the inputs are read, and whether they belong together is checked;
//! 3. the library computes. What runs for long is a [`run`](crate::run) that can be stopped and continued (`long_run.rs`);
//! 4. the outputs get their names, all together ([`output`]), and the last line on stdout says what was found.
//!
//! Flags that several subcommands have are groups with a file each ([`flags`], [`graph_dir`], [`image_args`],
//! [`model_args`], [`network`], [`search_args`]). Only this module prints, draws progress or reads the environment.
//! Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

pub mod active;
pub mod build_graph;
pub mod columns;
pub mod compare;
mod error;
pub mod export;
pub mod flags;
pub mod forward;
pub mod graph_dir;
pub mod image_args;
pub mod images;
pub mod import_graph;
pub mod inspect;
pub mod lambda;
mod long_run;
pub mod model_args;
pub mod network;
pub mod null;
pub mod output;
pub mod perturb;
pub mod progress;
mod provenance;
pub mod search_args;
mod searched;
mod shown;
mod signals;
pub mod solve;
mod usage;
pub mod verify;

pub use error::{chain, note, peak_memory, print};
pub use provenance::{VERSION, provenance};

use error::{ClosedPipe, Conflict};

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
    signals::ignore_file_size_signal();
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(usage) => return explain(usage),
    };
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<ClosedPipe>() => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref() {
            Some(conflict) => explain(usage_of(conflict)),
            None => {
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

/// Prints what is wrong with a command line. Help and version come this way too. Who closed the pipe does not want to
/// read them.
fn explain(usage: clap::Error) -> ExitCode {
    let usage = usage::without_far_tips(usage);
    let _ = usage.print();
    ExitCode::from(usage.exit_code() as u8)
}

/// What clap says of flags that cannot be combined.
fn usage_of(conflict: &Conflict) -> clap::Error {
    let mut cli = Cli::command();
    cli.build();
    let command = cli.find_subcommand_mut(conflict.subcommand).expect("a subcommand says its own name");
    command.error(clap::error::ErrorKind::ArgumentConflict, conflict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_is_declared_consistently() {
        Cli::command().debug_assert();
    }
}
