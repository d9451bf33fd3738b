//! `pipeline images`: from photographs to the array that the other subcommands would compute from them on the fly.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use rayon::prelude::*;

use super::flags::{Force, Quiet, Threads};
use super::image_args::ImageArgs;
use super::output::{self, Output, Replaceable};
use crate::image::Images;
use crate::kernel::LANES;
use crate::net::Shape;
use crate::npy;
use crate::progress::Progress;

/// Turn images into the inputs of a network, as one array for NumPy and every other tool.
///
/// Writes the tensors, N x C x H x W of float32, and beside them as FILE.labels.csv the columns index, file and class_index
/// (empty where unknown), which --labels takes. The other subcommands that read images do the same on the fly.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    images: ImageArgs,
    /// The network's input: channels, height and width.
    #[arg(long, value_name = "C,H,W", value_parser = shape)]
    shape: Shape,
    /// File to write.
    #[arg(short, long, value_name = "FILE.npy", value_parser = output::file("npy"))]
    output: PathBuf,
    #[command(flatten)]
    threads: Threads,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

/// Runs the subcommand.
///
/// # Errors
/// If an image cannot be read or does not fit, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let start = Instant::now();
    let replaceable = Replaceable::beside(&args.output, args.force);
    let create = |path: &Path| Output::create(path, replaceable.force(path));
    let mut tensors = create(&args.output)?;
    let mut list = create(&output::beside(&args.output, "labels.csv"))?;
    let images = args.images.open(args.shape, args.quiet)?;
    write_list(&images, &mut list).with_context(|| format!("cannot write {}", list.path().display()))?;
    let bar = super::progress::bar(args.quiet.quiet);
    let written = args.threads.pool()?.install(|| write_tensors(&images, &mut tensors, &*bar));
    drop(bar);
    written.with_context(|| format!("cannot write {}", args.output.display()))?;
    output::commit(vec![tensors.stage()?, list.stage()?])?;
    let (n, path, secs) = (images.len(), args.output.display(), start.elapsed().as_secs_f64());
    super::print(format_args!("{path}: {n}×{}, {secs:.1} s", args.shape))
}

fn write_list(images: &Images, out: &mut Output) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["index", "file", "class_index"])?;
    for index in 0..images.len() {
        let class = images.label(index).map(|class| class.to_string()).unwrap_or_default();
        csv.write_record([&index.to_string(), images.name(index), &class])?;
    }
    csv.flush()?;
    Ok(())
}

/// Channel-major, some images at a time.
fn write_tensors(images: &Images, out: &mut Output, progress: &dyn Progress) -> anyhow::Result<()> {
    let Shape { c, h, w } = images.shape();
    let mut out = BufWriter::new(out);
    npy::header(&mut out, "<f4", &[images.len(), c, h, w].map(|n| n as u64))?;
    progress.begin("reading images", images.len() as u64);
    let indices: Vec<usize> = (0..images.len()).collect();
    for some in indices.chunks(LANES) {
        let inputs: Vec<_> = some.par_iter().map(|&index| images.load(index)).collect();
        for input in inputs {
            let input = input?;
            let planes = (0..c).flat_map(|channel| input[channel..].iter().step_by(c));
            out.write_all(&planes.flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
        }
        progress.advance(some.len() as u64);
    }
    progress.end();
    out.flush()?;
    Ok(())
}

/// `C,H,W`
fn shape(text: &str) -> Result<Shape, String> {
    const MOST: usize = 1 << 26;
    let axes: Option<Vec<usize>> = text.split(',').map(|axis| axis.trim().parse().ok().filter(|&n| n > 0)).collect();
    match axes.as_deref() {
        Some(&[c, h, w]) if c.checked_mul(h).and_then(|n| n.checked_mul(w)).is_some_and(|n| n <= MOST) => {
            Ok(Shape::new(c, h, w))
        }
        _ => Err(format!("expected channels, height and width, such as 3,224,224, with at most {MOST} values")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_three_axes() {
        assert_eq!(shape("3,224,320"), Ok(Shape::new(3, 224, 320)));
        for wrong in
            ["", "3", "3,224", "3,224,0", "3,224,224,1", "3x224x224", "-1,2,2", "4294967296,4294967296,4294967296"]
        {
            assert!(shape(wrong).is_err(), "{wrong}");
        }
    }
}
