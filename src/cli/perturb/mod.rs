//! `pipeline perturb`: from images, a network and its best state to the share of the outputs that follow the state's order.
//!
//! The network is one subject, each N3 model another: it has to be solved for its own order before images are pushed
//! along it. A piece of the [`Run`] is an image that a subject sees. Subjects come one after the other, images of one
//! in parallel, as many at once as keep all threads busy. Directions, norms and Ω are [`perturb`]'s.

mod norm;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use rayon::prelude::*;

use self::norm::Norms;
use super::error::Conflict;
use super::flags::{Part, Seed};
use super::graph_dir::GraphDir;
use super::image_args::ImageArgs;
use super::long_run::{self, LongRun};
use super::network::NetworkArgs;
use super::output::{self, Output};
use super::search_args::SearchArgs;
use super::{print, progress, searched, signals, solve};
use crate::forward::Forward;
use crate::image::Images;
use crate::net::Network;
use crate::net::arch::Init;
use crate::null::{self, Kind, Model, Revalued};
use crate::perturb::{self, Arm, Case, Experiment, Outcome, Signs};
use crate::progress::Progress;
use crate::run::{Run, StopFlag, Workload};
use crate::shard::{ShardStream, Shards};
use crate::spin::{self, Plan};
use crate::table::{self, OmegaRow, Provenance, ReplicaRow};
use crate::unroll::{StoredParameters, Unrolled};

/// Perturb images along the order that the ground state predicts, and count which outputs follow it.
///
/// An image is pushed by S_x times a positive random vector, and omega is the share of the logits (before softmax) that
/// change as S_y says; S_x and S_y are the spins of the best replica on the inputs and the outputs, of its two signs
/// the one in which most inputs are +1. An image gets --perturbations of them, whose norms are spaced by ratio over
/// --norm. `lambda` sums up.
///
/// Two cases to compare with: `n3` is the network with new weights (He normal; biases and normalisation stay), pushed
/// along the order of its own best state, which is searched as the flags of `solve` say, by `anneal` unless they say
/// otherwise: a descent keeps some of the order of the state it begins from. Each image goes to one of --n3-models, by
/// turns. `random-direction` is the network with random signs in place of S_x and S_y, other ones for every
/// perturbation.
///
/// A perturbation depends on the seed, the case and the numbers of image and perturbation only: --part lets several
/// machines share the images. The rows of all parts together are those of the whole run; give `lambda` --omega once for
/// each file.
///
/// Finished images are kept in FILE.parquet.checkpoint, every second and on SIGINT, SIGTERM and SIGHUP; --resume goes
/// on from there and ends in the same table, byte for byte, as an unbroken run.
#[derive(Debug, clap::Args)]
#[command(mut_arg("method", |method| method.default_value("anneal")))]
pub struct Args {
    /// Graph directory, from `build-graph`.
    #[arg(value_name = "DIR")]
    graph: GraphDir,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    images: ImageArgs,
    /// Replicas of the graph, from `solve`; for the cases `real` and `random-direction`.
    #[arg(long, value_name = "FILE.parquet")]
    replicas: Option<PathBuf>,
    /// Table to write.
    #[arg(short, long, value_name = "FILE.parquet", value_parser = output::file("parquet"))]
    output: PathBuf,
    /// What to do to whom.
    #[arg(long, value_enum, value_name = "CASES", value_delimiter = ',', default_value = "real,n3,random-direction")]
    cases: Vec<CaseName>,
    /// Perturbations of each image in each case.
    #[arg(long, value_name = "K", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=65536))]
    perturbations: u32,
    /// Least and greatest Euclidean norm of a perturbation, in units of the network's input. By default as much as 0.01
    /// to 10 grey levels of 255 for each element (root mean square); tensors need it.
    #[arg(long, value_name = "MIN..MAX")]
    norm: Option<Norms>,
    /// Models with new weights.
    #[arg(long, value_name = "M", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=65536))]
    n3_models: u32,
    /// Initial states that each is solved from.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=65536))]
    n3_replicas: u32,
    /// Only every n-th image, from the i-th (from 1).
    #[arg(long, alias = "shard", value_name = "i/n", default_value_t = Part::ALL, hide_default_value = true)]
    part: Part,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    seed: Seed,
    #[command(flatten)]
    run: LongRun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum CaseName {
    /// The network, along the order of its best state.
    Real,
    /// New weights, along their own.
    N3,
    /// The network, along random directions.
    RandomDirection,
}

impl CaseName {
    fn case(self) -> Case {
        match self {
            Self::Real => Case::Real,
            Self::N3 => Case::N3,
            Self::RandomDirection => Case::RandomDirection,
        }
    }
}

/// Who is perturbed: 0 is the network, 1 + m the N3 model m.
type Subject = u32;

/// A piece of the work is an image that a subject sees.
type Piece = (Subject, usize);

impl Args {
    fn has(&self, case: Case) -> bool {
        self.cases.iter().any(|name| name.case() == case)
    }

    /// The cases of a subject, in the order of the table.
    fn cases_of(&self, subject: Subject) -> Vec<Case> {
        let is_of = |case: &Case| self.has(*case) && (*case == Case::N3) == (subject > 0);
        Case::ALL.into_iter().filter(is_of).collect()
    }

    /// All subjects of the run, each with its images.
    fn subjects(&self, images: &[usize]) -> Vec<(Subject, Vec<usize>)> {
        let of_model =
            |model| images.iter().copied().filter(move |image| image % self.n3_models as usize == model as usize);
        let models = (0..self.n3_models).map(|model| (1 + model, of_model(model).collect()));
        let all = std::iter::once((0, images.to_vec())).chain(models);
        all.filter(|(subject, images)| !images.is_empty() && !self.cases_of(*subject).is_empty()).collect()
    }

    /// How an N3 model is solved.
    fn plan(&self, model: Model) -> Plan {
        self.search.plan(self.n3_replicas, model.solver_seed(self.seed.seed))
    }

    /// Everything that decides the rows.
    fn identity(&self, fingerprint: &str, replicas: Option<&str>, norms: Norms, n_images: usize) -> String {
        let Self { images, cases, perturbations, n3_models, n3_replicas, part, search, seed, .. } = self;
        format!(
            "graph {fingerprint}, replicas {}, {}, {cases:?}, {perturbations} perturbations of norm {norms}, {n3_models} \
             n3 models from {n3_replicas} states by {}, shard {part}, seed {}",
            replicas.unwrap_or("none"),
            images.identity(n_images),
            search.effort(),
            seed.seed
        )
    }
}

/// Runs the subcommand.
///
/// # Errors
/// If graph, network, images and replicas cannot be read or do not belong together, or the output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let replaceable = args.run.replaceable(&args.output);
    let graph = args.graph.open()?;
    let replicas = match &args.replicas {
        Some(path) if args.has(Case::Real) => Some(super::provenance::sha256(path)?),
        _ => None,
    };
    let provenance = provenance(&args, &graph, replicas.clone())?;
    if args.run.is_complete(&[&args.output], &provenance) {
        return print(long_run::complete(&args.output));
    }
    let out = Output::create(&args.output, replaceable.force(&args.output))?;
    let (net, unrolled) = args.network.open(&graph).with_context(|| args.graph.to_string())?;
    let parameters = parameters(&args, &graph, unrolled)?;
    let signs = args.has(Case::Real).then(|| signs(args.replicas.as_deref(), &graph)).transpose()?;
    let shape = net.layers[0].shape;
    let norms = Norms::choose(args.norm, &args.images, shape.len())?;
    let images = args.images.open(shape, args.run.quiet)?;
    let identity = args.identity(graph.fingerprint(), replicas.as_deref(), norms, images.len());
    let (pool, bar) = (args.run.threads.pool()?, progress::bar(args.run.quiet.quiet));
    let subjects = args.subjects(&args.part.of(0..images.len()));
    let total = subjects.iter().map(|(_, images)| images.len()).sum();
    let workload = Workload { task: "perturb images", unit: "image", total, units: |_: &[Outcome]| 1 };
    let work = Run::begin((&args.output, args.run.earlier()), identity, workload, &*bar)?;
    let norms = perturb::norms(norms.0, args.perturbations as usize);
    let stop = signals::stop_on_signals()?;
    let perturber = |graph| Perturber {
        args: &args,
        graph,
        net: &net,
        parameters,
        signs,
        images: &images,
        norms: &norms,
        stop,
        bar: &*bar,
    };
    pool.install(|| -> anyhow::Result<()> {
        let perturber = perturber(graph.verified(&*bar)?);
        let failed = || format!("cannot perturb images of {}", args.images.images.display());
        let done = work.complete(|| perturber.run(&work, subjects));
        done.map_err(|error| long_run::explained(error, work.interrupted(), failed()))
    })?;
    let (pieces, checkpoint) = work.close();
    let rows = rows(&args, &images, &norms, &pieces);
    output::write_rows(out, &provenance, &rows)?;
    checkpoint.remove();
    summary(&rows, start.elapsed().as_secs_f64())?.into_iter().try_for_each(print)
}

/// Where the graph has the network's parameters, for N3 models if they are asked for.
fn parameters(args: &Args, graph: &Shards, unrolled: Unrolled) -> anyhow::Result<Vec<StoredParameters>> {
    if !args.has(Case::N3) {
        return Ok(Vec::new());
    }
    let context = "the case n3 needs other weights; without it: --cases real,random-direction";
    let parameters = unrolled.parameters().ok_or(perturb::Error::Scaled).context(context)?;
    null::check(graph.layers(), Kind::N3(Init::He)).context("no case n3")?;
    Ok(parameters)
}

/// The directions of the replica with the least energy, the first of them on a tie.
fn signs(replicas: Option<&Path>, graph: &Shards) -> anyhow::Result<Signs> {
    let Some(path) = replicas else {
        let message = "the case real needs --replicas FILE.parquet, from solve";
        return Err(Conflict { subcommand: "perturb", message }.into());
    };
    let (rows, footer) = (table::read::<ReplicaRow>(path)?, table::read_provenance(path)?);
    if let Some(found) = footer.get("graph") {
        let expected = graph.fingerprint();
        ensure!(
            found == expected,
            "{} is of the graph with fingerprint {found}, expected {expected}; solve this graph",
            path.display()
        );
    }
    let least = rows.iter().min_by(|a: &&ReplicaRow, b| a.energy.total_cmp(&b.energy));
    let best = least.with_context(|| format!("{} has no rows", path.display()))?;
    let place = || format!("{}, replica {}", path.display(), best.replica);
    Signs::of_state(graph.layers(), &best.state).with_context(place)
}

/// What perturbing images needs.
struct Perturber<'a> {
    args: &'a Args,
    graph: ShardStream<'a>,
    net: &'a Network,
    /// Where the graph has the network's parameters.
    parameters: Vec<StoredParameters>,
    signs: Option<Signs>,
    images: &'a Images,
    norms: &'a [f64],
    stop: StopFlag,
    bar: &'a dyn Progress,
}

impl Perturber<'_> {
    /// Everything that is not finished yet, one subject after the other.
    fn run(&self, work: &Run<'_, Piece, Outcome>, subjects: Vec<(Subject, Vec<usize>)>) -> anyhow::Result<()> {
        for (subject, images) in subjects {
            let missing = work.missing(images.into_iter().map(|image| (subject, image)));
            if !missing.is_empty() {
                let experiment = self.experiment(subject)?;
                work.announce();
                self.run_images(work, &experiment, &missing)?;
            }
        }
        Ok(())
    }

    /// Some images of one subject: as many at once as keep all threads busy.
    fn run_images(
        &self,
        work: &Run<'_, Piece, Outcome>,
        experiment: &Experiment,
        missing: &[Piece],
    ) -> anyhow::Result<()> {
        let at_once = (8 * rayon::current_num_threads()).div_ceil(experiment.batches());
        for pieces in missing.chunks(at_once) {
            let load = |&(_, image): &Piece| Ok((image, self.images.load(image)?));
            let loaded: Vec<_> = pieces.par_iter().map(load).collect::<anyhow::Result<_>>()?;
            let outcomes = experiment.run(&loaded, &|| self.stop.is_set())?;
            for (&piece, outcomes) in pieces.iter().zip(outcomes) {
                work.add(piece, outcomes)?;
            }
        }
        Ok(())
    }

    /// The network of a subject, and the directions that go with it.
    fn experiment(&self, subject: Subject) -> anyhow::Result<Experiment> {
        let (net, signs) = match subject {
            0 => (None, self.signs.clone()),
            _ => self.n3(subject - 1).map(|(net, signs)| (Some(net), Some(signs)))?,
        };
        let net = net.as_ref().unwrap_or(self.net);
        let mut experiment = Experiment::new(net, Forward::new(net)?, &self.graph)?;
        let signs = |case| if case == Case::RandomDirection { None } else { signs.clone() };
        let arms = self.args.cases_of(subject).into_iter().map(|case| Arm { case, signs: signs(case) });
        experiment.arms = arms.collect();
        (experiment.norms, experiment.seed) = (self.norms.to_vec(), self.args.seed.seed);
        Ok(experiment)
    }

    /// An N3 model, solved.
    fn n3(&self, index: u32) -> anyhow::Result<(Network, Signs)> {
        let model = Model { kind: Kind::N3(Init::He), index };
        let values = null::n3(&self.graph, Init::He, self.args.seed.seed, index)?;
        let net = perturb::reweighted(self.net, &self.parameters, &values);
        self.bar.begin(&format!("solve {model}"), 0);
        let stream = Revalued::new(&self.graph, values)?;
        let replicas = spin::solve(&stream, &self.args.plan(model), &self.stop);
        let replicas = replicas.with_context(|| format!("cannot solve {model}"))?;
        self.bar.end();
        Ok((net, Signs::of_state(self.graph.layers(), &solve::best(&replicas).state)?))
    }
}

/// The table: by image, then by case, then by perturbation.
fn rows(args: &Args, images: &Images, norms: &[f64], pieces: &BTreeMap<Piece, Vec<Outcome>>) -> Vec<OmegaRow> {
    let graph = args.graph.name();
    let row = |&(subject, image): &Piece, outcome: &Outcome| OmegaRow {
        graph: graph.clone(),
        case: args.cases_of(subject)[outcome.arm].name().to_owned(),
        model: i64::from(subject.saturating_sub(1)),
        image_index: image as i64,
        image: images.name(image).to_owned(),
        label: images.label(image).map_or(-1, i64::from),
        perturbation: outcome.perturbation as i64,
        seed: args.seed.seed,
        norm: norms[outcome.perturbation],
        omega: outcome.omega,
        unmoved: outcome.unmoved,
        mean_change: outcome.mean_change,
        greatest_change: outcome.greatest_change,
        class_before: outcome.class_before as i64,
        class_after: outcome.class_after as i64,
        same_class: outcome.class_before == outcome.class_after,
    };
    let rows = pieces.iter().flat_map(|(key, outcomes)| outcomes.iter().map(move |outcome| (key, outcome)));
    let mut rows: Vec<_> = rows.map(|(key, outcome)| row(key, outcome)).collect();
    let key = |row: &OmegaRow| (row.image_index, Case::named(&row.case), row.perturbation);
    rows.sort_by_key(key);
    rows
}

fn provenance(args: &Args, graph: &Shards, replicas: Option<String>) -> anyhow::Result<Provenance> {
    let mut pairs = args.graph.footer(graph).to_vec();
    if args.has(Case::N3) {
        pairs.push(searched::footer(&args.search.effort()));
    }
    if let Some(replicas) = replicas {
        pairs.push(("replicas_sha256", replicas));
    }
    pairs.push(("preprocess", serde_json::to_string(&args.images.preprocess()?)?));
    Ok(super::provenance(Some(args.seed.seed), &pairs))
}

/// The last lines: what was found in each case, and what it cost.
fn summary(rows: &[OmegaRow], secs: f64) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for case in Case::ALL {
        let rows: Vec<_> = rows.iter().filter(|row| row.case == case.name()).collect();
        if rows.is_empty() {
            continue;
        }
        let omegas: Vec<_> = rows.iter().map(|row| row.omega).collect();
        let n = rows.len() as f64;
        let same = rows.iter().filter(|row| row.same_class).count() as f64 / n;
        lines.push(format!(
            "{}: λ {:.4}, mean Ω {:.4}, mean |Ω − ½| {:.4}, same class {same:.4}; {} perturbations",
            case.name(),
            perturb::lambda(&omegas)?,
            omegas.iter().sum::<f64>() / n,
            omegas.iter().map(|omega| (omega - 0.5).abs()).sum::<f64>() / n,
            rows.len()
        ));
    }
    lines.push(format!("{secs:.1} s, {}", super::peak_memory()));
    Ok(lines)
}
