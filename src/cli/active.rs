//! `pipeline active`: from images and a network to the frustration of what takes part in each answer.
//!
//! The graph is unrolled from the network again, because what ReLUs and max-pools do to an image is known to the
//! network only; that it is the stored graph is checked. A batch of sixteen images goes through the network together,
//! each in a lane; their activities cut sixteen subnetworks out of the one stream of edges, and one search solves all
//! of them. Batches are the pieces of a [`Run`]. What is active and how it is solved is [`crate::active`]'s; here are
//! the batches, the rows and the summary.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;

use super::flags::{Part, Seed, Timing};
use super::graph_dir::GraphDir;
use super::image_args::ImageArgs;
use super::long_run::{self, LongRun};
use super::network::NetworkArgs;
use super::output::{self, Output};
use super::search_args::MethodName;
use super::{print, progress, searched, signals};
use crate::active::{Active, Activity, Wiring};
use crate::forward::{Forward, States};
use crate::graph::{BlockStream as _, Layer};
use crate::image::Images;
use crate::kernel::{Isa, LANES, bit_of_lane};
use crate::report::Sample;
use crate::run::{Run, StopFlag, Workload, hex};
use crate::shard::Shards;
use crate::spin::{self, Effort, Plan, Replica, Scales};
use crate::table::{ActiveLayerRow, ActiveRow, Provenance};
use crate::unroll::Unrolled;

/// Find the frustration of the active subnetwork of each image.
///
/// The network answers each image. Nodes that a ReLU sets to zero go, and edges that max-pooling does not use; of the
/// outputs only the predicted class stays, and then only what leads to it. What is left is solved from all +1.
///
/// Writes one row per image and, beside it as FILE.layers.parquet, how much of each layer is active; `compare --active`
/// sets the energies against those of the whole network.
///
/// Sixteen images are solved at a time, as fast as one. --part deals out batches of sixteen, and the rows of all parts
/// together are those of the whole run. Memory: 64 bytes for each element of each layer's output and about 10 for each
/// node; with --keep-masks also a byte for every 4 nodes and image.
///
/// Finished batches are kept in FILE.parquet.checkpoint and on SIGINT, SIGTERM and SIGHUP; --resume goes on from there
/// and ends in the same tables, byte for byte, as an unbroken run. The batch under way is lost.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory, from `build-graph`.
    #[arg(value_name = "DIR")]
    graph: GraphDir,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    images: ImageArgs,
    /// Table of active subnetworks to write.
    #[arg(short, long, value_name = "FILE.parquet", value_parser = output::file("parquet"))]
    output: PathBuf,
    /// How to search.
    #[arg(long, value_parser = MethodName::streaming(), default_value = "sweep")]
    method: MethodName,
    /// Sweeps of the temperature schedule of `anneal`.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    sweeps: u32,
    /// Keep which nodes are active in each image, and their spins, as bits in the columns `active` and `spins`.
    #[arg(long)]
    keep_masks: bool,
    /// Only every n-th batch of sixteen images, from the i-th (from 1).
    #[arg(long, alias = "shard", value_name = "i/n", default_value_t = Part::ALL, hide_default_value = true)]
    part: Part,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    timing: Timing,
    #[command(flatten)]
    run: LongRun,
}

/// A piece of the work is a batch of images, by its number.
type BatchRun<'a> = Run<'a, usize, SolvedImage>;

/// What is known of an image.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct SolvedImage {
    image: usize,
    class: usize,
    logit: f32,
    /// By layer of the graph.
    layers: Vec<Active>,
    /// Without its state.
    replica: Replica,
    #[serde(with = "hex")]
    active: Vec<u8>,
    #[serde(with = "hex")]
    spins: Vec<u8>,
}

impl Args {
    fn plan(&self) -> Plan {
        Plan {
            method: self.method.with(self.sweeps),
            replicas: LANES as u32,
            random_flips: 0,
            seed: self.seed.seed,
            max_flips: u64::MAX,
            isa: Isa::detect(),
            memory: None,
        }
    }

    /// How every subnetwork is searched; all +1 is the only initial state.
    fn effort(&self) -> Effort {
        Effort { random_flips: None, ..self.plan().effort() }
    }

    /// Everything that decides the rows.
    fn identity(&self, fingerprint: &str, n_images: usize) -> String {
        let Self { images, part, seed, keep_masks, .. } = self;
        format!(
            "graph {fingerprint}, {}, shard {part}, {}, seed {}, masks {keep_masks}",
            images.identity(n_images),
            self.effort(),
            seed.seed
        )
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If graph, network and images cannot be read or do not belong together, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let layers_path = output::beside(&args.output, "layers.parquet");
    let replaceable = args.run.replaceable(&args.output);
    let create = |path: &Path| Output::create(path, replaceable.force(path));
    let stored = args.graph.open()?;
    let provenance = provenance(&args, &stored)?;
    if args.run.is_complete(&[&args.output, &layers_path], &provenance) {
        return print(long_run::complete(&args.output));
    }
    let (out, layers_out) = (create(&args.output)?, create(&layers_path)?);
    let place = || args.graph.to_string();
    let (net, graph) = args.network.open(&stored).with_context(place)?;
    let images = args.images.open(net.layers[0].shape, args.run.quiet)?;
    let forward = Forward::new(&net)?;
    drop(net);
    let identity = args.identity(stored.fingerprint(), images.len());
    let (pool, bar) = (args.run.threads.pool()?, progress::bar(args.run.quiet.quiet));
    let batches = args.part.of(0..images.len().div_ceil(LANES));
    let workload = Workload {
        task: "solve active subnetworks",
        unit: "image",
        total: batches.iter().map(|&batch| of_batch(batch, images.len()).len()).sum(),
        units: <[SolvedImage]>::len,
    };
    let work = Run::begin((&args.output, args.run.earlier()), identity, workload, &*bar)?;
    let stop = signals::stop_on_signals()?;
    pool.install(|| -> anyhow::Result<_> {
        stored.verified(&*bar)?;
        let wiring = Wiring::new(&graph, &forward).with_context(place)?;
        let scales = Scales::measure(&graph)?;
        let (args, graph, forward, images) = (&args, &graph, &forward, &images);
        let solver = BatchSolver { args, graph, forward, wiring, scales, images, stop };
        let failed = || format!("cannot solve active subnetworks of {}", args.graph);
        let done = work.complete(|| solver.run(&work, batches));
        done.map_err(|error| long_run::explained(error, work.interrupted(), failed()))
    })?;
    let (batches, checkpoint) = work.close();
    let solved: Vec<_> = batches.into_values().flatten().collect();
    let line = summary(&solved, graph.totals().n_nodes, start.elapsed().as_secs_f64());
    let rows = Rows { args: &args, images: &images, layers: graph.layers(), name: args.graph.name() };
    rows.write(&solved, [out, layers_out], &provenance)?;
    checkpoint.remove();
    print(line?)
}

/// The images of a batch.
fn of_batch(batch: usize, n_images: usize) -> Range<usize> {
    batch * LANES..n_images.min((batch + 1) * LANES)
}

fn provenance(args: &Args, graph: &Shards) -> anyhow::Result<Provenance> {
    let preprocess = ("preprocess", serde_json::to_string(&args.images.preprocess()?)?);
    let pairs = [&args.graph.footer(graph)[..], &[searched::footer(&args.effort()), preprocess]].concat();
    Ok(super::provenance(Some(args.seed.seed), &pairs))
}

/// What solving a batch of images needs.
struct BatchSolver<'a> {
    args: &'a Args,
    graph: &'a Unrolled,
    forward: &'a Forward,
    wiring: Wiring<'a>,
    scales: Scales,
    images: &'a Images,
    stop: StopFlag,
}

impl BatchSolver<'_> {
    /// Solves all batches of images that are not finished.
    fn run(&self, work: &BatchRun<'_>, batches: Vec<usize>) -> anyhow::Result<()> {
        work.announce();
        let mut states = States::default();
        for batch in work.missing(batches) {
            let solved = self.solve(of_batch(batch, self.images.len()), &mut states)?;
            let greatest = solved.iter().map(|solved| solved.replica.energy).fold(0.0, f64::max);
            work.note(&format!("images {}: ε at most {greatest:.6}", batch * LANES + solved.len()));
            work.add(batch, solved)?;
        }
        Ok(())
    }

    /// Solves up to sixteen images, the first of which has a number that is a multiple of sixteen.
    fn solve(&self, images: Range<usize>, states: &mut States) -> anyhow::Result<Vec<SolvedImage>> {
        if self.stop.is_set() {
            return Err(spin::Error::Interrupted.into());
        }
        let start = Instant::now();
        // Image k is in the lane of bit k; lanes without an image repeat the last one, and are not looked at.
        let in_lane = |lane| images.start + bit_of_lane(lane).min(images.len() - 1);
        let inputs = self.images.lanes(&std::array::from_fn::<_, LANES, _>(in_lane))?;
        self.forward.states_into(&inputs, states);
        self.forward.check_finite(states, LANES).map_err(|wrong| {
            let image = format!("image {}", self.images.name(in_lane(wrong.lane)));
            anyhow::Error::new(wrong).context(image)
        })?;
        let plan = self.args.plan();
        let activity = Activity::new(&self.wiring, self.graph, states, images.len(), plan.isa)?;
        let replicas = activity.solve(&self.scales, images.start as u32, &plan, &self.stop)?;
        let secs = start.elapsed().as_secs_f64() / images.len() as f64;
        let solved =
            |(k, replica): (usize, Replica)| self.solved(&activity, images.start + k, k, Replica { secs, ..replica });
        Ok(replicas.into_iter().enumerate().map(solved).collect())
    }

    /// Image `image`, which is number `k` of those that were solved.
    fn solved(&self, activity: &Activity<'_>, image: usize, k: usize, mut replica: Replica) -> SolvedImage {
        let answer = activity.answer(k);
        let state = std::mem::take(&mut replica.state);
        let (active, spins) = match self.args.keep_masks {
            true => (activity.nodes(k), state),
            false => (Vec::new(), Vec::new()),
        };
        let layers = activity.layers(k).collect();
        SolvedImage { image, class: answer.class, logit: answer.logit, layers, replica, active, spins }
    }
}

/// From what is known of an image to the rows of both tables.
struct Rows<'a> {
    args: &'a Args,
    images: &'a Images,
    layers: &'a [Layer],
    name: String,
}

impl Rows<'_> {
    /// Writes both tables, image after image.
    fn write(&self, solved: &[SolvedImage], [out, layers_out]: [Output; 2], footer: &Provenance) -> anyhow::Result<()> {
        output::commit(vec![
            output::stage_rows(out, footer, solved.iter().map(|solved| [self.of_image(solved)]))?,
            output::stage_rows(layers_out, footer, solved.iter().map(|solved| self.of_layers(solved)))?,
        ])
    }

    fn of_image(&self, solved: &SolvedImage) -> ActiveRow {
        let SolvedImage { image, class, logit, layers, replica, active, spins } = solved;
        ActiveRow {
            graph: self.name.clone(),
            image_index: *image as i64,
            image: self.images.name(*image).to_owned(),
            label: self.images.label(*image).map_or(-1, i64::from),
            class: *class as i64,
            logit: f64::from(*logit),
            method: self.args.plan().method.name().to_owned(),
            seed: self.args.seed.seed,
            energy: replica.energy,
            satisfied_weight: replica.satisfied_weight,
            frustrated_weight: replica.frustrated_weight,
            active_nodes: layers.iter().map(|layer| layer.nodes as i64).sum(),
            active_edges: layers.iter().map(|layer| layer.edges as i64).sum(),
            sum_abs: replica.sum_abs,
            flips: replica.flips as i64,
            sweeps: replica.sweeps as i64,
            secs: self.args.timing.timing.then_some(replica.secs),
            local_minimum: replica.local_minimum,
            active: self.args.keep_masks.then(|| active.clone()),
            spins: self.args.keep_masks.then(|| spins.clone()),
        }
    }

    fn of_layers(&self, solved: &SolvedImage) -> Vec<ActiveLayerRow> {
        let row = |(layer, active): (&Layer, &Active)| ActiveLayerRow {
            graph: self.name.clone(),
            image_index: solved.image as i64,
            layer: layer.name.clone(),
            n_nodes: layer.nodes.len() as i64,
            active_nodes: active.nodes as i64,
            n_edges: layer.n_edges as i64,
            active_edges: active.edges as i64,
            active_weight: active.sum_abs,
        };
        self.layers.iter().zip(&solved.layers).map(row).collect()
    }
}

/// The last line: what was found, and what it cost.
fn summary(solved: &[SolvedImage], n_nodes: u32, secs: f64) -> anyhow::Result<String> {
    let energies: Vec<_> = solved.iter().map(|solved| solved.replica.energy).collect();
    if energies.is_empty() {
        return Ok(format!("no images in this part; {secs:.1} s, {}", super::peak_memory()));
    }
    let sample = Sample::of(&energies)?;
    let nodes: u64 = solved.iter().flat_map(|solved| &solved.layers).map(|layer| layer.nodes).sum();
    Ok(format!(
        "ε̂ of active subnetworks: mean {:.6}, sd {:.6}, from {:.6} to {:.6}; {} images, {:.1} % of nodes active; {secs:.1} s, {}",
        sample.mean,
        sample.sd.unwrap_or(0.0),
        sample.least,
        energies.iter().copied().fold(0.0, f64::max),
        sample.n,
        100.0 * nodes as f64 / (f64::from(n_nodes) * sample.n as f64),
        super::peak_memory()
    ))
}
