//! `pipeline build-graph`: from a network to its full signed graph on disk.
//!
//! Reads the network, unrolls it and writes the blocks as they come, so that no graph is ever in memory. The manifest says
//! where the graph is from and by which rules it was made (`describe`): the subcommands that need the network again read
//! it by the same rules.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use super::flags::{ByteSize, Force, Quiet};
use super::model_args::ModelArgs;
use super::output;
use super::provenance::sha256;
use crate::net::Network;
use crate::shard::{self, Description, Existing, Summary, Target};
use crate::unroll::{BatchNormRule, Options, ResidualRule, Unrolled};

/// Turn a network into its full signed graph, stored as a graph directory.
///
/// Every element of the input and of the output of each convolution, pooling and dense layer is a node; every
/// multiplication is an edge. The graph of a network with shared weights takes little more room than its parameters.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: ModelArgs,
    /// Graph directory to write.
    #[arg(short, long, value_name = "DIR", value_parser = output::directory())]
    output: PathBuf,
    /// What batch normalisation does to the weights before it.
    #[arg(long, value_name = "RULE", default_value = "ignore")]
    batch_norm: BatchNorm,
    /// What an addition is.
    #[arg(long, value_name = "RULE", default_value = "expand")]
    residual: Residual,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum BatchNorm {
    /// Nothing; a warning counts negative scales.
    Ignore,
    /// Weights are multiplied by the sign of the scale.
    Sign,
    /// Weights are multiplied by the scale over the standard deviation.
    Fold,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Residual {
    /// No node: every addend is a source of the next layer.
    Expand,
    /// A layer of its own, with edges of weight 1.
    Node,
}

impl From<BatchNorm> for BatchNormRule {
    fn from(rule: BatchNorm) -> Self {
        match rule {
            BatchNorm::Ignore => Self::Ignore,
            BatchNorm::Sign => Self::Sign,
            BatchNorm::Fold => Self::Fold,
        }
    }
}

impl From<Residual> for ResidualRule {
    fn from(rule: Residual) -> Self {
        match rule {
            Residual::Expand => Self::Expand,
            Residual::Node => Self::Node,
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If the network cannot be read, has no graph, or the graph cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let mut target = Target::new(&args.output);
    if args.force.force {
        target.existing = Existing::Replace;
    }
    target.check()?;

    let net = args.source.network()?;
    let graph = Unrolled::new(&net, options(&args)).with_context(|| format!("`{}` has no graph", net.name))?;
    for warning in net.warnings.iter().chain(graph.warnings()) {
        super::note(args.quiet, format_args!("warning: {warning}"));
    }
    let description = describe(&args, &net)?;
    drop(net);
    let bar = super::progress::bar(args.quiet.quiet);
    let written = shard::write_to(&graph, &description, &target, &*bar);
    drop(bar);
    let written = written.with_context(|| format!("cannot write graph {}", args.output.display()))?;
    report(&args.output, &written, start)
}

fn options(args: &Args) -> Options {
    Options { batch_norm: args.batch_norm.into(), residual: args.residual.into() }
}

/// What the manifest says about the graph's origin. File names without folders, so that it does not depend on paths.
fn describe(args: &Args, net: &Network) -> anyhow::Result<Description> {
    let mut description = Description::default();
    description.set("network", &net.name);
    let source = &args.source;
    if let Some(name) = &source.arch {
        description.set("architecture", name);
    }
    if let Some(path) = source.model.as_ref().or(source.weights.as_ref()) {
        description.set("source", path.file_name().unwrap_or_default().display());
        description.set("source_sha256", sha256(path)?);
    }
    if let Some(init) = source.init {
        description.set("init", format!("{init:?}").to_lowercase());
        description.set("seed", source.seed.seed);
    }
    if let Some([h, w]) = source.input_size {
        description.set("input_size", format_args!("{h}x{w}"));
    }
    description.set("batch_norm", format!("{:?}", args.batch_norm).to_lowercase());
    description.set("residual", format!("{:?}", args.residual).to_lowercase());
    description.set("program", format_args!("frustration {}", super::VERSION));
    Ok(description)
}

fn report(output: &Path, written: &Summary, start: Instant) -> anyhow::Result<()> {
    let totals = written.totals;
    super::print(format_args!("graph          {}", output.display()))?;
    super::print(format_args!("nodes          {}", totals.n_nodes))?;
    super::print(format_args!("edges          {}", totals.n_edges))?;
    super::print(format_args!("sum |w|        {}", totals.sum_abs))?;
    super::print(format_args!("bytes on disk  {} ({})", written.bytes, ByteSize(written.bytes)))?;
    super::print(format_args!("bits per edge  {:.4}", written.bits_per_edge()))?;
    super::print(format_args!("fingerprint    {}", written.fingerprint))?;
    let secs = start.elapsed().as_secs_f64();
    super::print(format_args!("{secs:.1} s, {}", super::peak_memory()))
}
