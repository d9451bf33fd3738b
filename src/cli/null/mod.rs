//! `pipeline null`

mod work;

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::Builder;
use std::time::Instant;

use anyhow::Context as _;

use super::build_graph::Scheme;
use super::finished;
use super::flags::{Part, Seed, Threads, Timing};
use super::graph_dir::GraphDir;
use super::long_run::{self, LongRun};
use super::output::{self, Output};
use super::search::Search;
use super::{conflict, note, print, progress, searched, session};
use crate::graph::{BlockStream, Totals};
use crate::null::n2::Unshared;
use crate::null::{self, Kind, Model, Revalued};
use crate::progress::{Progress, Silent};
use crate::report::Sample;
use crate::shard::{self, Description, Existing, Generated, ShardStream, Shards, Target, Topology};
use crate::spin::siblings::{self, Siblings};
use crate::spin::{self, Method, Plan, Replica};
use crate::table::NullRow;
use crate::temporary;

/// Find the frustration of null models of a network: the same graph with other weights.
///
/// n1 permutes the parameters inside each convolution and each dense layer, n2 the weights of all their edges together (4
/// bytes an edge on disk while it is solved), n3 draws new ones from the distributions that networks start training from.
/// Pooling weights stay. Each null model is solved from several initial states, as
/// `solve` does: instance k starts as replica k, instance 0 from all +1. The table has one row per null model and
/// instance; `compare` sets it against the network's.
///
/// Nothing depends on anything but the graph, the seed, and the null model's kind, distribution and index: --part lets
/// several machines share the work. The rows of all parts together are those of the whole run; give `compare` --null
/// once for each file, or concatenate them, e.g. with polars: pl.read_parquet("nulls-*.parquet").
///
/// With `steepest` every thread solves a null model of its own. With `sweep` and `anneal` all threads solve some n1 or n3
/// side by side, 16 / instances of them where that is four or more; n2 one after the other. --memory is for all null
/// models that are under way, and as many fewer are as do not fit. Each needs 4 bytes per parameter besides what `solve`
/// does, and side by side 4 bytes per node.
///
/// Finished null models are kept in FILE.parquet.checkpoint, every second and on SIGINT, SIGTERM and SIGHUP; --resume goes on
/// from there and ends in the same table, byte for byte, as an unbroken run. Those under way are lost.
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
    search: Search,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    run: LongRun,
}

/// The rows of finished null models, by distribution and index: the order of the table.
type Finished = finished::Finished<(Option<String>, u32), NullRow>;

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
            (KindName::N3, None) => work::N3.to_vec(),
            (_, Some(_)) => return Err(conflict("null", "--distribution is for --kind n3").into()),
            (KindName::N1, None) => vec![Kind::N1],
            (KindName::N2, None) => vec![Kind::N2],
        };
        Ok(self.part.of(work::models(&kinds, self.models)))
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

    /// Where the graph of a null model is kept, if it is.
    fn target(&self, model: Model) -> Option<Target> {
        let mut target = Target::new(&self.keep.as_ref()?.join(model.to_string()));
        if self.run.force.force || self.run.resume {
            target.existing = Existing::Replace;
        }
        Some(target)
    }

    /// Whether its graph is where it is to be kept, if it is.
    fn is_kept(&self, model: Model) -> bool {
        self.target(model).is_none_or(|target| target.dir.exists())
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If the graph cannot be read or has no such null models, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let models = args.models()?;
    let replaceable = args.run.replaceable(&args.output);
    let graph = args.graph.open()?;
    let pairs = [&args.graph.footer(&graph)[..], &[searched::footer(&args.search.effort())]].concat();
    let provenance = super::provenance(Some(args.seed.seed), &pairs);
    if args.run.is_complete(&[&args.output], &provenance) && models.iter().all(|model| args.is_kept(*model)) {
        return print(long_run::complete(&args.output));
    }
    let out = Output::create(&args.output, replaceable.force(&args.output))?;
    models
        .iter()
        .try_for_each(|model| null::check(graph.layers(), model.kind))
        .with_context(|| refused(&args.graph))?;
    let mut finished = Finished::begin(&args.output, args.identity(graph.fingerprint()), &args.run)?;
    let missing = missing(&args, &models, &mut finished)?;
    let pool = args.run.threads.pool()?;
    let bar = progress::bar(args.run.quiet.quiet);
    let graph = pool.install(|| graph.verified(&*bar)).with_context(|| refused(&args.graph))?;
    let job = Job {
        args: &args,
        graph,
        name: args.graph.name(),
        stop: session::stop_on_signals()?,
        bar,
        finished: Mutex::new(finished),
        copied: AtomicBool::new(false),
    };
    job.bar.begin("solve null models", models.len() as u64);
    job.bar.advance((models.len() - missing.len()) as u64);
    let solved = job.solve_all(&missing, pool.current_num_threads());
    job.bar.end();
    if job.copied.load(Ordering::Relaxed) {
        note(args.run.quiet, "frames could not be linked to those of the graph; the kept graphs have copies");
    }
    let mut finished = job.finished.into_inner().expect("no thread panics while it holds the lock");
    if let Err(error) = solved {
        finished.save()?;
        let error = error.context(refused(&args.graph));
        return Err(finished.explained(error, "null model", finished.len(), models.len()));
    }
    let timed = |row: &NullRow| NullRow { secs: row.secs.filter(|_| args.timing.timing), ..row.clone() };
    let rows: Vec<_> = finished.rows().map(timed).collect();
    output::write_rows(out, &provenance, &rows)?;
    finished.remove();
    summary(&rows, start.elapsed().as_secs_f64())?.into_iter().try_for_each(print)
}

/// The null models that are still to be solved: also those whose graph should have been kept and was not.
fn missing(args: &Args, models: &[Model], finished: &mut Finished) -> anyhow::Result<Vec<Model>> {
    if let Some(folder) = &args.keep {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut missing = Vec::new();
    for &model in models {
        if !(finished.has(&key(model)) && args.is_kept(model)) {
            args.target(model).map_or(Ok(()), |target| target.check())?;
            finished.forget(&key(model));
            missing.push(model);
        }
    }
    Ok(missing)
}

fn key(model: Model) -> (Option<String>, u32) {
    (model.kind.distribution().map(str::to_owned), model.index)
}

fn refused(graph: &GraphDir) -> String {
    format!("cannot solve null models of {graph}")
}

/// What all threads share.
struct Job<'a> {
    args: &'a Args,
    graph: ShardStream<'a>,
    name: String,
    stop: Arc<AtomicBool>,
    bar: Box<dyn Progress>,
    finished: Mutex<Finished>,
    /// The frames of a kept graph could not be linked.
    copied: AtomicBool,
}

impl Job<'_> {
    /// Solves all models: with `steepest`, which keeps no more threads busy than there are instances, a model on each
    /// thread; otherwise as many as there are lanes for side by side on all of them. Fewer at once if so many do not fit
    /// the memory.
    fn solve_all(&self, models: &[Model], threads: usize) -> anyhow::Result<()> {
        let plan = self.args.plan();
        let mut at_once = match plan.method {
            Method::Steepest => threads.min(models.len()).max(1),
            Method::Sweep | Method::Anneal { .. } => 1,
        };
        loop {
            let Err(error) = self.solve_at_once(models, at_once, threads / at_once) else { return Ok(()) };
            let fitting = match (error.downcast_ref(), plan.memory) {
                (Some(spin::Error::Memory { least, .. }), Some(limit)) => (limit / least) as usize,
                _ => return Err(error),
            };
            if at_once == 1 {
                return Err(error);
            }
            at_once = fitting.clamp(1, at_once - 1);
        }
    }

    /// Solves models on `at_once` pools of `threads` threads each. Pools of their own: a thread that waits for a part of
    /// one model must not begin another, which would take memory of its own.
    fn solve_at_once(&self, models: &[Model], at_once: usize, threads: usize) -> anyhow::Result<()> {
        let mut plan = self.args.plan();
        plan.memory = plan.memory.map(|limit| limit / at_once as u64);
        let next = AtomicUsize::new(0);
        let worker = || -> anyhow::Result<()> {
            let solved = Threads { threads }.pool()?.install(|| {
                let together = match self.args.kind {
                    KindName::N2 => 1,
                    KindName::N1 | KindName::N3 => siblings::at_once(&self.graph, &plan, models.len()),
                };
                while let Some(models) = models.chunks(together).nth(next.fetch_add(1, Ordering::Relaxed)) {
                    self.solve_some(models, &plan)?;
                }
                Ok(())
            });
            // Whatever ended this thread ends the others.
            next.store(models.len(), Ordering::Relaxed);
            solved
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..at_once).map(|_| Builder::new().spawn_scoped(scope, worker)).collect();
            let ended = workers.into_iter().map(|worker| match worker {
                Ok(worker) => worker.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(refused) => {
                    next.store(models.len(), Ordering::Relaxed);
                    Err(refused).context("the system refuses to start threads; ask for fewer with --threads")
                }
            });
            ended.fold(Ok(()), Result::and)
        })
    }

    /// Makes some null models, solves them side by side, and adds them to the finished ones, unless they are there already.
    fn solve_some(&self, models: &[Model], plan: &Plan) -> anyhow::Result<()> {
        let is_missing = |model: &Model| !self.finished().has(&key(*model));
        let missing: Vec<_> = models.iter().copied().filter(is_missing).collect();
        match missing.len() > 1 && siblings::at_once(&self.graph, plan, missing.len()) == missing.len() {
            true => self.solve_siblings(&missing, plan),
            false => missing.into_iter().try_for_each(|model| self.solve_one(model, plan)),
        }
    }

    fn solve_one(&self, model: Model, plan: &Plan) -> anyhow::Result<()> {
        self.go_on()?;
        let plan = self.plan_of(model, plan);
        let (replicas, totals) = match self.revalued(model, &plan)? {
            Some(stream) => (self.solve_stream(&stream, &plan)?, stream.totals()),
            None => self.solve_unshared(model, &plan)?,
        };
        self.add(model, &plan, totals, &replicas)
    }

    /// Models that differ from the graph in its values only.
    fn solve_siblings(&self, models: &[Model], plan: &Plan) -> anyhow::Result<()> {
        let mut siblings = Siblings::new(&self.graph, plan, models.len());
        let mut totals = Vec::with_capacity(models.len());
        for &model in models {
            self.go_on()?;
            let plan = self.plan_of(model, plan);
            let stream = self.revalued(model, &plan)?.expect("siblings are not asked for where edges have own values");
            totals.push(stream.totals());
            siblings.push(stream, plan.seed)?;
        }
        let solved = siblings.solve(&session::Watch(&self.stop))?;
        let mut solved = models.iter().zip(totals).zip(solved);
        solved
            .try_for_each(|((&model, totals), replicas)| self.add(model, &self.plan_of(model, plan), totals, &replicas))
    }

    fn finished(&self) -> MutexGuard<'_, Finished> {
        self.finished.lock().expect("no thread panics while it holds the lock")
    }

    /// # Errors
    /// If the run is to end.
    fn go_on(&self) -> Result<(), spin::Error> {
        if self.stop.load(Ordering::Relaxed) { Err(spin::Error::Interrupted) } else { Ok(()) }
    }

    fn plan_of(&self, model: Model, plan: &Plan) -> Plan {
        Plan { seed: model.solver_seed(self.args.seed.seed), ..plan.clone() }
    }

    /// Adds a solved null model to the finished ones.
    fn add(&self, model: Model, plan: &Plan, totals: Totals, replicas: &[Replica]) -> anyhow::Result<()> {
        let rows: Vec<_> = replicas.iter().map(|replica| self.row(model, plan, totals, replica)).collect();
        let least = rows.iter().map(|row| row.energy).fold(f64::INFINITY, f64::min);
        self.finished().add(key(model), rows)?;
        self.bar.advance(1);
        self.bar.note(&format!("{model}: ε {least:.6}"));
        Ok(())
    }

    /// The graph with the null model's values, kept where it is to be kept; nothing if edges have values of their own.
    fn revalued(&self, model: Model, plan: &Plan) -> anyhow::Result<Option<Revalued<'_>>> {
        let (graph, seed) = (&self.graph, self.args.seed.seed);
        let values = match model.kind {
            Kind::N1 => null::n1(graph, seed, model.index)?,
            Kind::N3(init) => null::n3(graph, init, seed, model.index)?,
            Kind::N2 => return Ok(None),
        };
        let stream = Revalued::new(graph, values)?;
        if let Some(target) = self.args.target(model) {
            let description = self.description(model, plan);
            let written = shard::write_revalued(&self.graph, &stream, &description, &target, &Silent);
            let (_, topology) = written.with_context(|| format!("cannot keep {}", target.dir.display()))?;
            self.copied.fetch_or(topology == Topology::Copied, Ordering::Relaxed);
        }
        Ok(Some(stream))
    }

    /// Solves the graph with a weight of its own for every edge, from disk: 4 bytes an edge, beside the table unless kept.
    fn solve_unshared(&self, model: Model, plan: &Plan) -> anyhow::Result<(Vec<Replica>, Totals)> {
        let unshared = Unshared::new(&self.graph, self.args.seed.seed, model.index.into())?;
        let (folder, name) = (output::folder(&self.args.output)?, self.args.output.file_name().unwrap_or_default());
        let scratch = temporary::create(folder, name, |builder| builder.tempdir_in(folder));
        let scratch = scratch.with_context(|| format!("cannot write to {}", folder.display()))?;
        let target = self.args.target(model).unwrap_or_else(|| Target::new(&scratch.item.path().join("n2")));
        let fill = |first: u64, values: &mut [f32]| unshared.fill(first, values);
        let made = Generated {
            topology: &unshared,
            n_values: unshared.n_values(),
            fill: &fill,
            own_values: unshared.own_values(),
        };
        let written = shard::write_generated(&made, &self.description(model, plan), &target, &Silent);
        written.with_context(|| format!("cannot write {}", target.dir.display()))?;
        let shards = Shards::open(&target.dir)?;
        let stream = shards.unverified();
        Ok((self.solve_stream(&stream, plan)?, stream.totals()))
    }

    /// What a kept graph's manifest says of its origin, besides what the network's says.
    fn description(&self, model: Model, plan: &Plan) -> Description {
        let mut description = self.graph.description().clone();
        description.set("null_model", model);
        description.set("null_model_of", self.graph.fingerprint());
        description.set("null_model_seed", self.args.seed.seed);
        description.set("solver_seed", plan.seed);
        description.set("program", format_args!("frustration {}", super::VERSION));
        description
    }

    fn solve_stream(&self, stream: &dyn BlockStream, plan: &Plan) -> Result<Vec<Replica>, spin::Error> {
        spin::solve(stream, plan, &session::Watch(&self.stop))
    }

    fn row(&self, model: Model, plan: &Plan, totals: Totals, replica: &Replica) -> NullRow {
        NullRow {
            graph: self.name.clone(),
            kind: model.kind.name().to_owned(),
            distribution: model.kind.distribution().map(str::to_owned),
            index: i64::from(model.index),
            instance: i64::from(replica.index),
            method: plan.method.name().to_owned(),
            seed: self.args.seed.seed,
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
