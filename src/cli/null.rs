//! `pipeline null`: from a graph to the energies of its null models.
//!
//! How null models are made is [`null`]'s, and which are solved at the same time [`schedule`]'s. Here a null model is a
//! piece of a [`Run`]: what is missing is handed to its solver, and what comes back, on any thread, becomes rows.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context as _;

use super::error::Conflict;
use super::flags::{Part, Seed, Timing};
use super::graph_dir::GraphDir;
use super::long_run::{self, LongRun};
use super::model_args::Scheme;
use super::output::{self, Output};
use super::search_args::SearchArgs;
use super::{note, print, progress, searched, signals};
use crate::null::schedule::{self, ModelFolder, NullSolver, SolvedModel};
use crate::null::{self, Kind, Model};
use crate::report::Sample;
use crate::run::{Run, Workload};
use crate::shard::Existing;
use crate::spin::{Plan, Replica};
use crate::table::NullRow;

/// Find the frustration of null models of a network: the same graph with other weights.
///
/// n1 permutes the parameters inside each convolution and each dense layer, n2 the weights of all their edges together
/// (4 bytes an edge on disk while it is solved), n3 draws new ones from the distributions that networks start training
/// from. Pooling weights stay. Each null model is solved from several initial states, as `solve` does: instance k
/// starts as replica k, instance 0 from all +1. The table has one row per null model and instance; `compare` sets it
/// against the network's.
///
/// Nothing depends on anything but the graph, the seed, and the null model's kind, distribution and index: --part lets
/// several machines share the work. The rows of all parts together are those of the whole run; give `compare` --null
/// once for each file, or concatenate them, e.g. with polars: pl.read_parquet("nulls-*.parquet").
///
/// With `steepest` every thread solves a null model of its own. With `sweep` and `anneal` all threads solve some n1 or
/// n3 side by side, 16 / instances of them where that is four or more; n2 one after the other. --memory is for all null
/// models that are under way, and as many fewer are as do not fit. Each needs 4 bytes per parameter besides what
/// `solve` does, and side by side 4 bytes per node.
///
/// Finished null models are kept in FILE.parquet.checkpoint, every second and on SIGINT, SIGTERM and SIGHUP; --resume
/// goes on from there and ends in the same table, byte for byte, as an unbroken run. Those under way are lost.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory, from `build-graph`.
    #[arg(value_name = "DIR")]
    graph: GraphDir,
    /// Table of null models to write.
    #[arg(short, long, value_name = "FILE.parquet", value_parser = output::file("parquet"))]
    output: PathBuf,
    /// How the weights of a null model come about.
    #[arg(long, value_enum)]
    kind: KindName,
    /// What n3 draws from; without, half of the models from each: he first, with the odd one.
    #[arg(long, value_enum)]
    distribution: Option<Scheme>,
    /// Null models.
    #[arg(long, value_name = "N", default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..=65536))]
    models: u32,
    /// Initial states that each null model is solved from.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=65536))]
    instances: u32,
    /// Only every n-th null model, from the i-th (from 1).
    #[arg(long, alias = "shard", value_name = "i/n", default_value_t = Part::ALL, hide_default_value = true)]
    part: Part,
    /// Folder for the graphs of the null models, which `solve`, `verify` and `inspect` open: DIR/n1-0, DIR/n3-he-0, ...
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    run: LongRun,
}

/// A piece of the work is a null model, by distribution and index: the order of the table.
type Piece = (Option<String>, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum KindName {
    /// The parameters of each layer permuted.
    N1,
    /// The weights of all edges permuted.
    N2,
    /// New parameters for each layer.
    N3,
}

impl Args {
    /// The null models of this run.
    fn models(&self) -> anyhow::Result<Vec<Model>> {
        let kinds = match (self.kind, self.distribution) {
            (KindName::N3, Some(scheme)) => vec![Kind::N3(scheme.into())],
            (KindName::N3, None) => schedule::N3.to_vec(),
            (_, Some(_)) => {
                let message = "--distribution is for --kind n3";
                return Err(Conflict { subcommand: "null", message }.into());
            }
            (KindName::N1, None) => vec![Kind::N1],
            (KindName::N2, None) => vec![Kind::N2],
        };
        Ok(self.part.of(schedule::models(&kinds, self.models)))
    }

    /// How a null model is solved, but for the seed.
    fn plan(&self) -> Plan {
        self.search.plan(self.instances, self.seed.seed)
    }

    /// Everything that decides the rows.
    fn identity(&self, fingerprint: &str) -> String {
        let Self { kind, distribution, models, instances, part, seed, search, .. } = self;
        let distribution = distribution.map_or(String::new(), |scheme| format!(" {scheme:?}"));
        format!(
            "graph {fingerprint}, {models} models {kind:?}{distribution}, shard {part}, {instances} instances, {}, seed {}",
            search.effort(),
            seed.seed
        )
    }

    /// Where the graphs of null models are kept, if they are.
    fn folder(&self) -> Option<ModelFolder> {
        let existing = match self.run.force.force || self.run.resume {
            true => Existing::Replace,
            false => Existing::Keep,
        };
        Some(ModelFolder { path: self.keep.clone()?, existing, copied: AtomicBool::new(false) })
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If the graph cannot be read or has no such null models, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let (models, folder) = (args.models()?, args.folder());
    let replaceable = args.run.replaceable(&args.output);
    let graph = args.graph.open()?;
    let pairs = [&args.graph.footer(&graph)[..], &[searched::footer(&args.search.effort())]].concat();
    let provenance = super::provenance(Some(args.seed.seed), &pairs);
    if args.run.is_complete(&[&args.output], &provenance) && models.iter().all(|&model| is_kept(folder.as_ref(), model))
    {
        return print(long_run::complete(&args.output));
    }
    let out = Output::create(&args.output, replaceable.force(&args.output))?;
    models
        .iter()
        .try_for_each(|model| null::check(graph.layers(), model.kind))
        .with_context(|| refused(&args.graph))?;
    let bar = progress::bar(args.run.quiet.quiet);
    let workload =
        Workload { task: "solve null models", unit: "null model", total: models.len(), units: |_: &[NullRow]| 1 };
    let identity = args.identity(graph.fingerprint());
    let work = Run::begin((&args.output, args.run.earlier()), identity, workload, &*bar)?;
    let missing = missing(&models, folder.as_ref(), &work)?;
    let pool = args.run.threads.pool()?;
    let graph = pool.install(|| graph.verified(&*bar)).with_context(|| refused(&args.graph))?;
    let solver = NullSolver {
        graph,
        plan: args.plan(),
        threads: pool.current_num_threads(),
        output: &args.output,
        folder: folder.as_ref(),
        program: &format!("frustration {}", super::VERSION),
        control: &signals::stop_on_signals()?,
    };
    let done = solve(&solver, &args.graph.name(), &missing, &work);
    if folder.is_some_and(|folder| folder.copied.load(Ordering::Relaxed)) {
        note(args.run.quiet, "frames could not be linked to those of the graph; the kept graphs have copies");
    }
    done.map_err(|error| long_run::explained(error, work.interrupted(), refused(&args.graph)))?;
    let (pieces, checkpoint) = work.close();
    let timed = |row: NullRow| NullRow { secs: row.secs.filter(|_| args.timing.timing), ..row };
    let rows: Vec<_> = pieces.into_values().flatten().map(timed).collect();
    output::write_rows(out, &provenance, &rows)?;
    checkpoint.remove();
    summary(&rows, start.elapsed().as_secs_f64())?.into_iter().try_for_each(print)
}

/// Whether a null model's graph is where it is to be kept, if it is.
fn is_kept(folder: Option<&ModelFolder>, model: Model) -> bool {
    folder.is_none_or(|folder| folder.target(model).dir.exists())
}

/// The null models that are still to be solved: also those whose graph should have been kept and was not.
fn missing(
    models: &[Model],
    folder: Option<&ModelFolder>,
    work: &Run<'_, Piece, NullRow>,
) -> anyhow::Result<Vec<Model>> {
    if let Some(folder) = folder {
        std::fs::create_dir_all(&folder.path).with_context(|| format!("cannot make {}", folder.path.display()))?;
    }
    let mut missing = Vec::new();
    for &model in models {
        if !(work.has(&piece(model)) && is_kept(folder, model)) {
            folder.map_or(Ok(()), |folder| folder.target(model).check())?;
            work.forget(&piece(model));
            missing.push(model);
        }
    }
    Ok(missing)
}

fn piece(model: Model) -> Piece {
    (model.kind.distribution().map(str::to_owned), model.index)
}

fn refused(graph: &GraphDir) -> String {
    format!("cannot solve null models of {graph}")
}

/// Solves the null models that are missing, and adds their rows to the finished ones.
fn solve(
    solver: &NullSolver<'_>,
    graph: &str,
    missing: &[Model],
    work: &Run<'_, Piece, NullRow>,
) -> anyhow::Result<()> {
    let add = |solved: SolvedModel| {
        let rows: Vec<_> = solved.replicas.iter().map(|replica| row(graph, &solver.plan, &solved, replica)).collect();
        let least = rows.iter().map(|row| row.energy).fold(f64::INFINITY, f64::min);
        work.add(piece(solved.model), rows)?;
        work.note(&format!("{}: ε {least:.6}", solved.model));
        Ok(())
    };
    work.complete(|| {
        work.announce();
        Ok(solver.solve(missing, &add)?)
    })
}

fn row(graph: &str, plan: &Plan, solved: &SolvedModel, replica: &Replica) -> NullRow {
    let SolvedModel { model, totals, .. } = solved;
    NullRow {
        graph: graph.to_owned(),
        kind: model.kind.name().to_owned(),
        distribution: model.kind.distribution().map(str::to_owned),
        index: i64::from(model.index),
        instance: i64::from(replica.index),
        method: plan.method.name().to_owned(),
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
        secs: Some(replica.secs),
        local_minimum: replica.local_minimum,
    }
}

/// The last lines: what was found in each kind of null model, and what it cost.
fn summary(rows: &[NullRow], secs: f64) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for case in rows.chunk_by(|a, b| a.distribution == b.distribution) {
        let energies: Vec<_> = case.iter().map(|row| row.energy).collect();
        let sample = Sample::of(&energies)?;
        let name = [Some(case[0].kind.as_str()), case[0].distribution.as_deref()].into_iter().flatten();
        lines.push(format!(
            "{}: mean ε̂ {:.6}, sd {:.6}, least {:.6} of {}",
            name.collect::<Vec<_>>().join("-"),
            sample.mean,
            sample.sd.unwrap_or(0.0),
            sample.least,
            sample.n
        ));
    }
    let flips = rows.iter().map(|row| row.flips).sum::<i64>();
    let mut line = format!("{} solutions, {flips} flips in {secs:.1} s, {}", rows.len(), super::peak_memory());
    let unfinished = rows.iter().filter(|row| !row.local_minimum).count();
    if unfinished > 0 {
        line += &format!("; {unfinished} stopped by --max-flips before a local minimum");
    }
    lines.push(line);
    Ok(lines)
}
