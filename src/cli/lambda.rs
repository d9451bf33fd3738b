//! `pipeline lambda`: from perturbed images to λ, with its uncertainty, by image and by norm.
//!
//! Which tables belong together and what follows from them is [`report`](crate::report)'s; here are the flags and what is
//! printed.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::columns::{self, number};
use super::flags::{Force, Quiet, Seed, Threads};
use super::output::{self, Output, Replaceable};
use super::shown::listed;
use super::{note, print};
use crate::perturb::Bootstrap;
use crate::report::{Lambdas, Perturbed};
use crate::table::{self, LambdaNormRow, LambdaRow, Provenance};

/// Sum up perturbed images: lambda of each case, with its uncertainty.
///
/// Lambda is the greatest number in [0, 0.5] with P(|omega - 0.5| >= lambda) >= 2 lambda: 0.5 for a monotone network, near 0
/// where the outputs do not care for the order. The interval is the middle 95 % of lambda over resamples of the images, each
/// with all its perturbations. Tables of one graph are taken together: parts of a run, or other norms.
///
/// Omega counts a logit that does not change as one that follows. Where many are dead (zero behind a ReLU at the end of the
/// network) that alone moves lambda: the column `of moved` is lambda without them.
///
/// Beside the table there are FILE.images.parquet, each image by itself (how many of its perturbations have more than half
/// of the outputs following), and FILE.norms.parquet, what the size of the perturbation does.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Perturbed images, from `perturb`; may be given several times.
    #[arg(long, value_name = "FILE.parquet", required = true, num_args = 1..)]
    omega: Vec<PathBuf>,
    /// Table to write.
    #[arg(short, long, value_name = "FILE.parquet", value_parser = output::file("parquet"))]
    output: PathBuf,
    /// Resamples of the images for the interval; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(..=1_000_000))]
    resamples: u32,
    /// Ranges of norms, equally wide on a logarithmic scale.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    norm_bins: u32,
    #[command(flatten)]
    seed: Seed,
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
/// If a table cannot be read or is empty, a row occurs twice, or an output cannot be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let replaceable = Replaceable::beside(&args.output, args.force);
    let create = |path: &Path| Output::create(path, replaceable.force(path));
    let beside = |name| create(&output::beside(&args.output, name));
    let out = create(&args.output)?;
    let (images_out, norms_out) = (beside("images.parquet")?, beside("norms.parquet")?);
    let mut perturbed = Perturbed::default();
    for path in &args.omega {
        perturbed.add(path, table::read(path)?, &table::read_provenance(path)?)?;
    }
    // A part of a run with fewer images than parts is empty, but not all of them.
    ensure!(!perturbed.is_empty(), "no rows in {}, expected perturbations", listed(&args.omega));
    let bootstrap = Bootstrap { resamples: args.resamples, seed: args.seed.seed };
    let lambdas = args.threads.pool()?.install(|| Lambdas::of(&perturbed, bootstrap, args.norm_bins))?;
    let provenance = provenance(&args, &perturbed)?;
    output::commit(vec![
        output::stage_rows(out, &provenance, [&lambdas.cases])?,
        output::stage_rows(images_out, &provenance, [&lambdas.images])?,
        output::stage_rows(norms_out, &provenance, [&lambdas.norms])?,
    ])?;
    if lambdas.cases.iter().any(|row| row.n_images == 1) {
        note(args.quiet, "a single image has no interval");
    }
    lambda_lines(&lambdas.cases).into_iter().try_for_each(print)?;
    print("")?;
    norm_lines(&lambdas.norms).into_iter().try_for_each(print)
}

/// Fingerprints and the hash of every table that was read.
fn provenance(args: &Args, perturbed: &Perturbed) -> anyhow::Result<Provenance> {
    let pairs = [
        ("graph", perturbed.fingerprints().join(" ")),
        ("omega_sha256", super::provenance::sha256_of_all(&args.omega)?),
    ];
    Ok(super::provenance(Some(args.seed.seed), &pairs))
}

fn lambda_lines(rows: &[LambdaRow]) -> Vec<String> {
    let heading =
        ["graph", "case", "images", "n", "lambda", "low", "high", "of moved", "mean omega", "same class", "one-sided"];
    let cells = |row: &LambdaRow| {
        [
            row.graph.clone(),
            row.case.clone(),
            row.n_images.to_string(),
            row.n.to_string(),
            number(Some(row.lambda), 4),
            number(row.lambda_low, 4),
            number(row.lambda_high, 4),
            number(Some(row.lambda_moved), 4),
            number(Some(row.mean_omega), 4),
            number(Some(row.same_class), 4),
            number(Some(row.one_sided), 4),
        ]
    };
    columns::aligned(heading, &["graph", "case"], &rows.iter().map(cells).collect::<Vec<_>>())
}

fn norm_lines(rows: &[LambdaNormRow]) -> Vec<String> {
    let heading = ["graph", "case", "norm from", "to", "n", "lambda", "mean omega", "same class"];
    let cells = |row: &LambdaNormRow| {
        [
            row.graph.clone(),
            row.case.clone(),
            format!("{:.4}", row.norm_least),
            format!("{:.4}", row.norm_greatest),
            row.n.to_string(),
            number(Some(row.lambda), 4),
            number(Some(row.mean_omega), 4),
            number(Some(row.same_class), 4),
        ]
    };
    columns::aligned(heading, &["graph", "case"], &rows.iter().map(cells).collect::<Vec<_>>())
}
