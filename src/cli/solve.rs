//! `pipeline solve`: from a graph to the replicas of one search, the least of which estimates its frustration.
//!
//! The search is saved and goes on as a [`Session`]. Of the best replica a second table says where in the graph the
//! frustrated edges are.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::flags::{Seed, Timing};
use super::graph_dir::GraphDir;
use super::long_run::{self, LongRun};
use super::output::{self, Output};
use super::search_args::SearchArgs;
use super::{progress, searched, signals};
use crate::graph::{Layer, Totals};
use crate::report::Sample;
use crate::run::{Session, Setup};
use crate::spin::frustrated::{self, LayerPairFrustration};
use crate::spin::{self, Plan, Replica};
use crate::table::{LayerRow, ReplicaRow};

/// Find the frustration of a graph: the least energy over replicas of a spin-flip solver.
///
/// Writes one row per replica (energy, flips, final state, ...) and, beside it as FILE.layers.parquet, where in the
/// graph the frustrated edges of the best replica are.
///
/// Memory: for `sweep` and `anneal` one bit per node and replica and about 5 MB per thread; for `steepest` 9 bytes per
/// node and thread and twice the parameters. The same seed gives the same states on any number of threads.
///
/// The state of the search is saved as FILE.parquet.checkpoint every minute and on SIGINT, SIGTERM and SIGHUP; --resume
/// goes on from there and ends in the same tables, byte for byte, as an unbroken run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory, from `build-graph` or `import-graph`.
    #[arg(value_name = "DIR")]
    graph: GraphDir,
    /// Table of replicas to write.
    #[arg(short, long, value_name = "FILE.parquet", value_parser = output::file("parquet"))]
    output: PathBuf,
    /// Independent runs from different initial states.
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..=65536))]
    replicas: u32,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    seed: Seed,
    /// Seconds between two checkpoints. A killed search loses at most this and one sweep (one replica of `steepest`).
    #[arg(long, value_name = "SECS", default_value_t = 60)]
    checkpoint_every: u64,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    run: LongRun,
}

/// Runs the subcommand.
///
/// # Errors
/// If the graph cannot be read, has no weight, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let layers_path = output::beside(&args.output, "layers.parquet");
    let replaceable = args.run.replaceable(&args.output);
    let create = |path: &Path| Output::create(path, replaceable.force(path));
    let graph = args.graph.open()?;
    let plan = args.search.plan(args.replicas, args.seed.seed);
    let pairs = [&args.graph.footer(&graph)[..], &[searched::footer(&plan.effort())]].concat();
    let provenance = super::provenance(Some(plan.seed), &pairs);
    if args.run.is_complete(&[&args.output, &layers_path], &provenance) {
        return super::print(long_run::complete(&args.output));
    }
    let (replicas_out, layers_out) = (create(&args.output)?, create(&layers_path)?);
    let bar = progress::bar(args.run.quiet.quiet);
    let session = Session::begin(Setup {
        output: &args.output,
        earlier: args.run.earlier(),
        graph: (graph.fingerprint().to_owned(), graph.totals().n_nodes),
        plan: plan.clone(),
        every: Duration::from_secs(args.checkpoint_every),
        stop: signals::stop_on_signals()?,
        progress: &*bar,
    })?;
    let solved = args.run.threads.pool()?.install(|| -> anyhow::Result<_> {
        let graph = graph.verified(&session)?;
        let replicas = spin::solve(&graph, &plan, &session)?;
        let best = best(&replicas);
        let pairs = frustrated::by_layer_pair(&graph, &best.state, best.sum_abs)?;
        Ok((best.index, pairs, replicas))
    });
    let failed = || format!("cannot solve {}", args.graph);
    let solved = solved.map_err(|error| long_run::explained(error, session.interrupted(), failed()));
    let (best, pairs, replicas) = solved?;

    let name = args.graph.name();
    let layer_rows: Vec<_> = pairs.iter().map(|pair| layer_row(&name, best, graph.layers(), pair)).collect();
    let line = summary(&replicas, graph.totals(), start.elapsed().as_secs_f64())?;
    let rows: Vec<_> = replicas
        .into_iter()
        .map(|r| ReplicaRow { secs: args.timing.timing.then_some(r.secs), ..row(&name, &plan, graph.totals(), r) })
        .collect();
    output::commit(vec![
        output::stage_rows(replicas_out, &provenance, [&rows])?,
        output::stage_rows(layers_out, &provenance, [&layer_rows])?,
    ])?;
    session.finish();
    super::print(line)
}

/// The replica with the least energy, the first of them on a tie.
pub(super) fn best(replicas: &[Replica]) -> &Replica {
    let least = replicas.iter().min_by(|a, b| a.energy.total_cmp(&b.energy));
    least.expect("a plan has at least one replica")
}

/// A row without its wall time, the one thing in which equal runs differ.
fn row(graph: &str, plan: &Plan, totals: Totals, replica: Replica) -> ReplicaRow {
    ReplicaRow {
        graph: graph.to_owned(),
        method: plan.method.name().to_owned(),
        replica: i64::from(replica.index),
        seed: plan.seed,
        initial_flips: plan.initial_flips(replica.index) as i64,
        energy: replica.energy,
        satisfied_weight: replica.satisfied_weight,
        frustrated_weight: replica.frustrated_weight,
        n_nodes: i64::from(totals.n_nodes),
        n_edges: totals.n_edges as i64,
        sum_abs: replica.sum_abs,
        flips: replica.flips as i64,
        sweeps: replica.sweeps as i64,
        secs: None,
        local_minimum: replica.local_minimum,
        state: replica.state,
    }
}

fn layer_row(graph: &str, replica: u32, layers: &[Layer], pair: &LayerPairFrustration) -> LayerRow {
    LayerRow {
        graph: graph.to_owned(),
        replica: i64::from(replica),
        source: layers[pair.source].name.clone(),
        target: layers[pair.target].name.clone(),
        n_edges: pair.n_edges as i64,
        weight: pair.weight,
        frustrated_edges: pair.frustrated_edges as i64,
        frustrated_weight: pair.frustrated_weight,
    }
}

/// The last line: what was found, and what it cost.
fn summary(replicas: &[Replica], totals: Totals, secs: f64) -> anyhow::Result<String> {
    let n = replicas.len() as f64;
    let sample = Sample::of(&replicas.iter().map(|r| r.energy).collect::<Vec<_>>())?;
    let sweeps = replicas.iter().map(|r| r.sweeps).sum::<u64>();
    let flips = replicas.iter().map(|r| r.flips).sum::<u64>();
    let rate = sweeps as f64 * totals.n_edges as f64 / secs / 1e9;
    let unfinished = replicas.iter().filter(|r| !r.local_minimum).count();
    let mut line = format!(
        "ε̂ = {:.6} (least of {}; mean {:.6}, sd {:.6}); {flips} flips in {secs:.1} s",
        sample.least,
        sample.n,
        sample.mean,
        sample.sd.unwrap_or(0.0)
    );
    if sweeps > 0 {
        line += &format!(", {:.1} sweeps a replica, {rate:.2} G edges/s", sweeps as f64 / n);
    }
    line += &format!(", {}", super::peak_memory());
    if unfinished > 0 {
        line += &format!("; {unfinished} replicas stopped by --max-flips before a local minimum");
    }
    Ok(line)
}
