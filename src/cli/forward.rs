//! `pipeline forward`: from images and a network to logits, and to the outputs of all layers, as NumPy arrays.
//!
//! Arrays are written as images are computed. Two orders meet here: inside, elements are channels-last and images are
//! in the lanes of vectors; arrays are image after image, channels first (`ArrayOrder`). The outputs of all layers are
//! a folder of arrays, which appears when it is complete and is replaced only if nothing else is in it (`StatesDir`).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use rayon::prelude::*;
use tempfile::TempDir;

use super::flags::{Force, Quiet, Threads};
use super::image_args::ImageArgs;
use super::model_args::ModelArgs;
use super::output::{self, Output, Replaceable};
use crate::forward::{Forward, NotFinite, States, images_at_once};
use crate::image::Images;
use crate::kernel::LANES;
use crate::net::{Network, Op, Shape};
use crate::npy;
use crate::progress::Progress;
use crate::staging::temporary::{self, Locked};
use crate::staging::together::Staged;
use crate::unroll;

/// Run images through a network: its logits, and on request the output of every layer, as NumPy arrays.
///
/// The logits are what feeds the final Softmax, or the network's output if there is none. Results depend neither on the
/// number of threads nor on how many images there are.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: ModelArgs,
    #[command(flatten)]
    images: ImageArgs,
    /// Array to write: float32, N x classes.
    #[arg(short, long, value_name = "FILE.npy", value_parser = output::file("npy"))]
    output: PathBuf,
    /// StatesDir to write with the output of every layer: one array of N x channels x height x width each, and a list
    /// of them, `layers.csv`. A network's layers take 1 to 50 MB per image.
    #[arg(long, value_name = "DIR")]
    states_dir: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// Print the time per image, without reading, writing and preparing.
    #[arg(long)]
    timing: bool,
    /// Run all images this often; the fastest counts.
    #[arg(long, value_name = "N", default_value_t = 1, hide = true)]
    repeats: usize,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

/// Runs the subcommand.
///
/// # Errors
/// If the network or the images cannot be read, do not fit each other, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let replaceable = Replaceable::beside(&args.output, args.force);
    let mut out = BufWriter::new(Output::create(&args.output, replaceable.force(&args.output))?);
    let folder = |path: &PathBuf| StatesDir::create(path, replaceable.force(path));
    let folder = args.states_dir.as_ref().map(folder).transpose()?;
    let pool = args.threads.pool()?;
    let start = Instant::now();
    let net = args.source.network()?;
    for warning in &net.warnings {
        super::note(args.quiet, format_args!("warning: {warning}"));
    }
    let forward = Forward::new(&net).with_context(|| format!("`{}` has no forward pass", net.name))?;
    let prepared = start.elapsed();
    let images = args.images.open(forward.input_shape(), args.quiet)?;
    let n_images = images.len();

    npy::header(&mut out, "<f4", &[n_images as u64, forward.n_outputs() as u64])?;
    let mut states = folder.map(|folder| StateFiles::create(folder, &net, n_images)).transpose()?;
    let bar = super::progress::bar(args.quiet.quiet);
    let all = All { forward: &forward, images: &images, bar: &*bar };
    let spent = pool.install(|| -> anyhow::Result<Duration> {
        let mut fastest = all.run(&mut states, Some(&mut out))?;
        for _ in 1..args.repeats {
            fastest = fastest.min(all.run(&mut states, None)?);
        }
        Ok(fastest)
    });
    bar.end();
    drop(bar);
    let spent = spent.with_context(|| format!("cannot run {}", args.images.images.display()))?;
    let logits = out.into_inner().map_err(|failed| failed.into_error())?.stage()?;
    let states = states.map(StateFiles::stage).transpose()?;
    output::commit(std::iter::once(logits).chain(states).collect())?;
    if args.timing {
        let per_image = spent.as_secs_f64() * 1e3 / n_images as f64;
        super::print(format_args!("prepared in {:.3} s, {per_image:.3} ms per image", prepared.as_secs_f64()))?;
    }
    super::print(format_args!("{}: {n_images} x {}", args.output.display(), forward.n_outputs()))
}

/// All images, and what they run through.
struct All<'a> {
    forward: &'a Forward,
    images: &'a Images,
    bar: &'a dyn Progress,
}

/// The array of logits; a repeated run has none.
type Out<'a> = Option<&'a mut BufWriter<Output>>;

impl All<'_> {
    /// Runs them once. Returns the time without reading and writing.
    fn run(&self, states: &mut Option<StateFiles>, mut out: Out<'_>) -> anyhow::Result<Duration> {
        let (mut first, mut spent) = (0, Duration::ZERO);
        self.bar.begin("forward", self.images.len() as u64);
        while first < self.images.len() {
            let left = self.images.len() - first;
            let n = match states {
                Some(_) => LANES,
                None => images_at_once(left, rayon::current_num_threads()),
            };
            let some: Vec<_> = (first..first + n.min(left)).collect();
            let out = out.as_deref_mut();
            spent += match (&mut *states, n) {
                (Some(states), _) => states.step(self, &some, out)?,
                (None, 4) => self.step::<4>(&some, out)?,
                (None, 8) => self.step::<8>(&some, out)?,
                (None, _) => self.step::<LANES>(&some, out)?,
            };
            self.bar.advance(some.len() as u64);
            first += some.len();
        }
        Ok(spent)
    }

    /// The logits of some images, `L` at a time, on each thread others as far as there are.
    fn step<const L: usize>(&self, some: &[usize], out: Out<'_>) -> anyhow::Result<Duration> {
        let batches = some.chunks(L).map(|some| self.images.lanes::<L>(some)).collect::<Result<Vec<_>, _>>()?;
        let start = Instant::now();
        let logits: Vec<_> = batches.par_iter().map(|batch| self.forward.logits(batch)).collect();
        let time = start.elapsed();
        for (some, logits) in some.chunks(L).zip(&logits) {
            let is_wrong = |&lane: &usize| logits.iter().any(|logit| !logit[lane].is_finite());
            (0..some.len()).find(is_wrong).map_or(Ok(()), |lane| self.explain(some[lane]))?;
        }
        if let Some(out) = out {
            for (some, logits) in some.chunks(L).zip(&logits) {
                write(out, logits, ArrayOrder::of_logits(self.forward), some.len())?;
            }
        }
        Ok(time)
    }
}

impl All<'_> {
    /// Why the logits of an image are no numbers.
    fn explain(&self, image: usize) -> anyhow::Result<()> {
        let states = self.forward.states(&self.images.lanes(&[image])?);
        self.check(&states, &[image])
    }

    /// That all outputs of all layers are numbers.
    fn check(&self, states: &States, some: &[usize]) -> anyhow::Result<()> {
        let place = |wrong: NotFinite| {
            let image = self.images.name(some[wrong.lane]).to_owned();
            anyhow::Error::new(wrong).context(format!("image {image}"))
        };
        self.forward.check_finite(states, some.len()).map_err(place)
    }
}

/// How the elements of a tensor become those of an array.
#[derive(Clone, Copy)]
struct ArrayOrder {
    /// The shape whose channels-last order they have.
    shape: Shape,
    /// Groups of the shuffle that numbers the channels; 1 for none.
    shuffle_groups: usize,
}

impl ArrayOrder {
    fn of_logits(forward: &Forward) -> Self {
        Self { shape: forward.order(forward.logits_layer()), shuffle_groups: 1 }
    }

    /// The tensor's channels in the order of the array.
    fn channels(self) -> impl Iterator<Item = usize> {
        let groups = self.shuffle_groups;
        let per_group = self.shape.c / groups;
        (0..self.shape.c).map(move |number| number % groups * per_group + number / groups)
    }
}

/// Appends the first `n` lanes of a tensor to an array, channel-major.
fn write<const L: usize>(out: &mut impl Write, tensor: &[[f32; L]], order: ArrayOrder, n: usize) -> anyhow::Result<()> {
    let Shape { c, h, w } = order.shape;
    let mut bytes = Vec::with_capacity(4 * tensor.len());
    let value = |lane: usize, channel: usize, pixel: usize| tensor[pixel * c + channel][lane];
    for lane in 0..n {
        bytes.clear();
        for channel in order.channels() {
            bytes.extend((0..h * w).flat_map(|pixel| value(lane, channel, pixel).to_le_bytes()));
        }
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// A folder that appears under its name only when it is complete.
struct StatesDir {
    path: PathBuf,
    temporary: Locked<TempDir>,
    force: Force,
}

/// The list of the arrays in a folder of states.
const LIST: &str = "layers.csv";
/// Its columns.
const COLUMNS: [&str; 8] = ["index", "file", "layer", "operator", "channels", "height", "width", "shuffle_groups"];
/// How many of them lists had before the others came.
const LEAST_COLUMNS: usize = 7;

impl StatesDir {
    fn create(path: &Path, force: Force) -> anyhow::Result<Self> {
        let name = path.file_name().with_context(|| format!("{} is not the name of a folder", path.display()))?;
        let parent = output::folder(path)?;
        check_replaceable(path, force)?;
        let temporary = temporary::create(parent, name, |builder| {
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
            builder.tempdir_in(parent)
        });
        let temporary = temporary.with_context(|| format!("cannot write to the folder of {}", path.display()))?;
        // Through `components` a trailing slash goes away.
        Ok(Self { path: path.components().collect(), temporary, force })
    }

    fn temporary(&self) -> &Path {
        self.temporary.item.path()
    }

    fn stage(self) -> anyhow::Result<Staged> {
        let Self { path, temporary: Locked { item, lock }, force } = self;
        temporary::sync_folder(item.path()).with_context(|| format!("cannot write {}", path.display()))?;
        check_replaceable(&path, force)?;
        Ok(Staged { temporary: item.keep(), path, replaces: force.force, lock })
    }
}

/// That nothing would be lost but a folder of states: all that is in it are regular files that its list names.
fn check_replaceable(path: &Path, force: Force) -> anyhow::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| format!("cannot read {}", path.display()))?,
    };
    ensure!(found.is_dir(), "{} exists and is not a folder; choose another name", path.display());
    ensure!(force.force, "{} exists; --force replaces it", path.display());
    let listed = listed(&path.join(LIST)).unwrap_or_default();
    for entry in std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
        let is_listed = entry.file_name().to_str().is_some_and(|name| listed.iter().any(|listed| listed == name));
        ensure!(
            is_listed && entry.file_type()?.is_file(),
            "{} holds `{}`, which is none of the arrays that a {LIST} of `forward` lists; choose another folder",
            path.display(),
            entry.file_name().display()
        );
    }
    Ok(())
}

/// The files that a list of states names, and itself; nothing if it is none.
fn listed(path: &Path) -> Option<Vec<String>> {
    path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut list = csv::Reader::from_path(path).ok()?;
    let header = list.headers().ok()?;
    (header.len() >= LEAST_COLUMNS && header.iter().eq(COLUMNS.iter().take(header.len()).copied())).then_some(())?;
    let files = list.records().map(|record| Some(record.ok()?.get(1)?.to_owned()));
    files.chain([Some(LIST.to_owned())]).collect()
}

/// One array per layer.
struct StateFiles {
    folder: StatesDir,
    list: File,
    files: Vec<BufWriter<File>>,
    /// By layer: groups of the shuffle that numbers its nodes, and the channels of its array.
    shuffle_groups: Vec<usize>,
    states: States,
}

impl StateFiles {
    fn create(folder: StatesDir, net: &Network, n_images: usize) -> anyhow::Result<Self> {
        let mut list = csv::Writer::from_path(folder.temporary().join(LIST))?;
        list.write_record(COLUMNS)?;
        let mut files = Vec::new();
        let shuffle_groups = unroll::shuffle_groups(net);
        for (index, layer) in net.layers.iter().enumerate() {
            let Shape { c, h, w } = layer.shape;
            let name = format!("{index:03}.npy");
            let mut file = BufWriter::new(File::create(folder.temporary().join(&name))?);
            npy::header(&mut file, "<f4", &[n_images, c, h, w].map(|n| n as u64))?;
            files.push(file);
            let [c, h, w] = [c, h, w].map(|n| n.to_string());
            let groups = Some(shuffle_groups[index]).filter(|&groups| groups > 1).unwrap_or(0).to_string();
            list.write_record([&index.to_string(), &name, &layer.name, operator(&layer.op), &c, &h, &w, &groups])?;
        }
        let list = list.into_inner().map_err(|failed| failed.into_error())?;
        Ok(Self { folder, list, files, shuffle_groups, states: States::default() })
    }

    /// As [`All::step`], and appends the outputs of all layers whether or not there is an array for the logits.
    fn step(&mut self, all: &All<'_>, some: &[usize], out: Out<'_>) -> anyhow::Result<Duration> {
        let forward = all.forward;
        let batch = all.images.lanes(some)?;
        let start = Instant::now();
        forward.states_into(&batch, &mut self.states);
        let time = start.elapsed();
        all.check(&self.states, some)?;
        for (layer, file) in self.files.iter_mut().enumerate() {
            let order = ArrayOrder { shape: forward.order(layer), shuffle_groups: self.shuffle_groups[layer] };
            write(file, self.states.tensor(layer), order, some.len())?;
        }
        if let Some(out) = out {
            write(out, self.states.logits(), ArrayOrder::of_logits(forward), some.len())?;
        }
        Ok(time)
    }

    fn stage(self) -> anyhow::Result<Staged> {
        let context = || format!("cannot write {}", self.folder.path.display());
        for file in self.files {
            file.into_inner()
                .map_err(|failed| failed.into_error())
                .and_then(|file| file.sync_all())
                .with_context(context)?;
        }
        self.list.sync_all().with_context(context)?;
        self.folder.stage()
    }
}

fn operator(op: &Op) -> &'static str {
    match op {
        Op::Input => "input",
        Op::Conv(_) => "conv",
        Op::Dense(_) => "dense",
        Op::Pool(_) => "pool",
        Op::Activation(_) => "activation",
        Op::BatchNorm(_) => "batch_norm",
        Op::Lrn(_) => "lrn",
        Op::Scale(_) => "scale",
        Op::Concat => "concat",
        Op::Add => "add",
        Op::Flatten => "flatten",
        Op::Shuffle { .. } => "shuffle",
        Op::Slice { .. } => "slice",
        Op::Pad { .. } => "pad",
        Op::Softmax => "softmax",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffled_layer_is_written_in_the_order_of_its_nodes() {
        let tensor: Vec<[f32; 4]> = (0..12).map(|element| [element as f32; 4]).collect();
        let written = |shuffle_groups| {
            let mut bytes = Vec::new();
            write(&mut bytes, &tensor, ArrayOrder { shape: Shape::new(6, 1, 2), shuffle_groups }, 1).unwrap();
            bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b) as u32).collect::<Vec<_>>()
        };
        assert_eq!(written(1), [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
        assert_eq!(written(2), [0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11]);
    }
}
