//! `pipeline lambda`

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::columns::{self, number};
use super::flags::{Force, Quiet, Seed, Threads};
use super::output::{self, Output, Replaceable};
use super::shown::listed;
use super::{note, print};
use crate::perturb::{self, Bootstrap, Case};
use crate::table::{self, LambdaImageRow, LambdaNormRow, LambdaRow, OmegaRow, Provenance};

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

/// The rows of one case of one graph.
type Group = BTreeMap<(String, Case), Vec<OmegaRow>>;

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
    let (groups, graphs) = read(&args.omega)?;
    // A part of a run with fewer images than parts is empty, but not all of them.
    ensure!(!groups.is_empty(), "no rows in {}, expected perturbations", listed(&args.omega));
    let bootstrap = Bootstrap { resamples: args.resamples, seed: args.seed.seed };
    let (mut lambdas, mut images, mut norms) = (Vec::new(), Vec::new(), Vec::new());
    let pool = args.threads.pool()?;
    for ((graph, case), rows) in &groups {
        let by_image = by_image(rows);
        lambdas.push(pool.install(|| lambda_row(graph, *case, &by_image, bootstrap))?);
        images.extend(by_image.values().map(|rows| image_row(rows)));
        norms.extend(norm_rows(rows, args.norm_bins)?);
    }
    let provenance = provenance(&args, &graphs)?;
    output::commit(vec![
        output::stage_rows(out, &provenance, [&lambdas])?,
        output::stage_rows(images_out, &provenance, [&images])?,
        output::stage_rows(norms_out, &provenance, [&norms])?,
    ])?;
    if lambdas.iter().any(|row| row.n_images == 1) {
        note(args.quiet, "a single image has no interval");
    }
    lambda_lines(&lambdas).into_iter().try_for_each(print)?;
    print("")?;
    norm_lines(&norms).into_iter().try_for_each(print)
}

/// What the footers of tables of one graph must agree on.
const OF_ONE_EXPERIMENT: [(&str, &str); 2] =
    [("preprocess", "preprocessing of images"), ("replicas_sha256", "table of replicas")];

/// By graph and key: what the first table says, and which that is.
type Experiments<'a> = HashMap<(String, &'static str), (String, &'a Path)>;

/// That a table is of the same experiment as those of its graph before it.
fn check_experiment<'a>(
    path: &'a Path,
    graph: &str,
    footer: &Provenance,
    known: &mut Experiments<'a>,
) -> anyhow::Result<()> {
    for (key, what) in OF_ONE_EXPERIMENT {
        let Some(found) = footer.get(key) else { continue };
        let (first, other) = known.entry((graph.to_owned(), key)).or_insert_with(|| (found.to_owned(), path));
        ensure!(
            *first == found,
            "{} was made with another {what} than {}; λ is of one experiment, sum them up one by one",
            path.display(),
            other.display()
        );
    }
    Ok(())
}

/// All rows by graph and case, and the fingerprint of each graph where it is known.
fn read(paths: &[PathBuf]) -> anyhow::Result<(Group, BTreeMap<String, String>)> {
    let (mut groups, mut graphs, mut seen) = (Group::new(), BTreeMap::<String, String>::new(), HashMap::new());
    let mut experiments = Experiments::new();
    for (file, path) in paths.iter().enumerate() {
        let (rows, footer) = (table::read::<OmegaRow>(path)?, table::read_provenance(path)?);
        if let Some(row) = rows.first() {
            check_experiment(path, &row.graph, &footer, &mut experiments)?;
        }
        for (index, row) in rows.into_iter().enumerate() {
            let place = || format!("{}, row {index}", path.display());
            let case = Case::named(&row.case);
            let case = case
                .with_context(|| format!("{}: case `{}`, expected real, n3 or random-direction", place(), row.case))?;
            if let Some(found) = footer.get("graph") {
                let first = graphs.entry(row.graph.clone()).or_insert_with(|| found.to_owned());
                ensure!(
                    first == found,
                    "{}: graph `{}` has fingerprint {found}, that of another table {first}; give graphs other names",
                    place(),
                    row.graph
                );
            }
            let numbers = (row.model, row.seed, row.image_index, row.perturbation, row.norm.to_bits());
            if let Some((file, index)) = seen.insert((row.graph.clone(), case, numbers), (file, index)) {
                let before = format!("{}, row {index}", paths[file].display());
                bail!(
                    "{} repeats {before}: {}, image {}, perturbation {}, norm {}; give each once",
                    place(),
                    row.case,
                    row.image_index,
                    row.perturbation,
                    row.norm
                );
            }
            ensure!(
                (0.0..=1.0).contains(&row.unmoved),
                "{}: unmoved is {}, expected a share; the table is damaged",
                place(),
                row.unmoved
            );
            ensure!(
                row.norm.is_finite() && row.norm > 0.0,
                "{}: norm is {}, expected a positive number; the table is damaged",
                place(),
                row.norm
            );
            groups.entry((row.graph.clone(), case)).or_default().push(row);
        }
    }
    Ok((groups, graphs))
}

fn by_image(rows: &[OmegaRow]) -> BTreeMap<i64, Vec<&OmegaRow>> {
    let mut images = BTreeMap::<i64, Vec<_>>::new();
    rows.iter().for_each(|row| images.entry(row.image_index).or_default().push(row));
    images
}

fn lambda_row(
    graph: &str,
    case: Case,
    images: &BTreeMap<i64, Vec<&OmegaRow>>,
    bootstrap: Bootstrap,
) -> anyhow::Result<LambdaRow> {
    let omegas = |rows: &Vec<&OmegaRow>| rows.iter().map(|row| row.omega).collect::<Vec<_>>();
    let estimate = bootstrap.estimate(&images.values().map(omegas).collect::<Vec<_>>());
    let estimate = estimate.with_context(|| format!("{graph}, {}", case.name()))?;
    let all = || images.values().flatten().copied();
    let moved: Vec<_> = all().map(|row| perturb::omega_of_moved(row.omega, row.unmoved)).collect();
    let is_one_sided = |rows: &&Vec<&OmegaRow>| [0.0, 1.0].contains(&above_half(rows));
    Ok(LambdaRow {
        graph: graph.to_owned(),
        case: case.name().to_owned(),
        n_images: images.len() as i64,
        n: all().count() as i64,
        lambda: estimate.lambda,
        lambda_low: estimate.interval.map(|[low, _]| low),
        lambda_high: estimate.interval.map(|[_, high]| high),
        resamples: i64::from(bootstrap.resamples),
        seed: bootstrap.seed,
        mean_omega: mean(all().map(|row| row.omega)),
        mean_distance: mean(all().map(|row| (row.omega - 0.5).abs())),
        mean_unmoved: mean(all().map(|row| row.unmoved)),
        lambda_moved: perturb::lambda(&moved)?,
        same_class: same_class(all()),
        one_sided: images.values().filter(is_one_sided).count() as f64 / images.len() as f64,
    })
}

fn image_row(rows: &[&OmegaRow]) -> LambdaImageRow {
    let first = rows[0];
    LambdaImageRow {
        graph: first.graph.clone(),
        case: first.case.clone(),
        image_index: first.image_index,
        image: first.image.clone(),
        label: first.label,
        n: rows.len() as i64,
        above_half: above_half(rows),
        mean_omega: mean(rows.iter().map(|row| row.omega)),
        same_class: same_class(rows.iter().copied()),
    }
}

/// The rows of one case by norm: ranges between the least and the greatest, equally wide in the logarithm; empty ones are
/// left out.
fn norm_rows(rows: &[OmegaRow], n: u32) -> anyhow::Result<Vec<LambdaNormRow>> {
    let norms = || rows.iter().map(|row| row.norm);
    let (least, greatest) = (norms().fold(f64::INFINITY, f64::min), norms().fold(0.0, f64::max));
    let width = (greatest / least).ln();
    // The greatest would begin a range of its own.
    let bin = |norm: f64| if norm > least { ((norm / least).ln() / width * f64::from(n)) as u32 } else { 0 }.min(n - 1);
    let mut bins = BTreeMap::<u32, Vec<&OmegaRow>>::new();
    rows.iter().for_each(|row| bins.entry(bin(row.norm)).or_default().push(row));
    bins.into_values().map(|rows| norm_row(&rows)).collect()
}

fn norm_row(rows: &[&OmegaRow]) -> anyhow::Result<LambdaNormRow> {
    let norms = || rows.iter().map(|row| row.norm);
    Ok(LambdaNormRow {
        graph: rows[0].graph.clone(),
        case: rows[0].case.clone(),
        norm_least: norms().fold(f64::INFINITY, f64::min),
        norm_greatest: norms().fold(0.0, f64::max),
        n: rows.len() as i64,
        same_class: same_class(rows.iter().copied()),
        lambda: perturb::lambda(&rows.iter().map(|row| row.omega).collect::<Vec<_>>())?,
        mean_omega: mean(rows.iter().map(|row| row.omega)),
        mean_distance: mean(rows.iter().map(|row| (row.omega - 0.5).abs())),
        mean_change: mean(rows.iter().map(|row| row.mean_change)),
    })
}

fn above_half(rows: &[&OmegaRow]) -> f64 {
    share(rows.iter().map(|row| row.omega > 0.5))
}

fn same_class<'a>(rows: impl Iterator<Item = &'a OmegaRow>) -> f64 {
    share(rows.map(|row| row.same_class))
}

fn share(flags: impl Iterator<Item = bool>) -> f64 {
    mean(flags.map(|flag| f64::from(u8::from(flag))))
}

/// Of at least one number.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0_u64), |(sum, n), value| (sum + value, n + 1));
    sum / n as f64
}

/// Fingerprints and the hash of every table that was read.
fn provenance(args: &Args, graphs: &BTreeMap<String, String>) -> anyhow::Result<Provenance> {
    let graphs: Vec<_> = graphs.values().map(String::as_str).collect();
    let pairs = [("graph", graphs.join(" ")), ("omega_sha256", super::provenance::sha256_of_all(&args.omega)?)];
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
