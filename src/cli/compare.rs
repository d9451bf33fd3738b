//! `pipeline compare`: from tables of energies to one table that says which differ, and by how much.
//!
//! Most of this file asks whether the tables belong together: one graph, one way of searching, one preprocessing, nothing twice. The
//! statistics are [`report`]'s.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use super::columns::{self, number};
use super::flags::{Force, Quiet};
use super::output::{self, Output};
use super::provenance::{sha256, sha256_of_all};
use super::searched::{self, Differences};
use super::shown::listed;
use super::{note, print};
use crate::report::{self, Comparison, Population, Sample};
use crate::table::{self, ActiveRow, NullRow, Provenance, ReplicaRow, SummaryRow, TableRow};

/// Compare the frustration of a network with that of its null models and active subnetworks, by Welch's t-test.
///
/// Every row of the tables is one energy. Each null model is set against the network and against N1; the table has
/// mean, standard deviation and least energy of each, t, degrees of freedom, the decimal logarithm of the two-sided
/// p-value, and Cohen's d (difference of the means in pooled standard deviations). Positive t and d mean that the null
/// model is more frustrated than its reference.
///
/// All energies must be of one graph and from one search: method, sweeps, random flips and limit of flips, as the tables
/// state them. More effort finds less frustration in the same graph. (Active subnetworks begin from all +1 only.)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Replicas of the network, from `solve`.
    #[arg(long, value_name = "FILE.parquet")]
    real: PathBuf,
    /// Energies of its null models; may be given several times.
    #[arg(long, value_name = "FILE.parquet", required_unless_present = "active")]
    null: Vec<PathBuf>,
    /// Energies of the active subnetworks of images; may be given several times.
    #[arg(long, value_name = "FILE.parquet")]
    active: Vec<PathBuf>,
    /// Energies to write.
    #[arg(short, long, value_name = "FILE.parquet", value_parser = output::file("parquet"))]
    output: PathBuf,
    /// Compare energies of different searches all the same.
    #[arg(long)]
    allow_different_search: bool,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    quiet: Quiet,
}

/// Runs the subcommand.
///
/// # Errors
/// If a table cannot be read or is empty, the tables do not belong together, a row occurs twice, or the output cannot
/// be written.
pub fn run(args: Args) -> anyhow::Result<()> {
    let out = Output::create(&args.output, args.force)?;
    let tables = Tables::read(&args)?;
    check_graph(&tables)?;
    check_preprocessing(&tables.active)?;
    check_search(&args, &tables)?;
    check_repeats(&tables.nulls)?;
    check_images(&tables.active)?;
    let comparisons = report::compare(&samples(&tables)?);
    let (graph, methods) = (&tables.real.rows[0].graph, methods(&tables));
    let row = |comparison: &Comparison| row(graph, methods[&comparison.population].clone(), comparison);
    let rows: Vec<_> = comparisons.iter().map(row).collect();
    output::write_rows(out, &provenance(&args, &tables.real)?, &rows)?;
    notes(args.quiet, &tables, &comparisons);
    aligned(&comparisons).into_iter().chain(below(&comparisons, &tables.active)).try_for_each(print)
}

/// All tables that are compared.
struct Tables<'a> {
    /// Of the network: it has a row.
    real: Energies<'a, ReplicaRow>,
    nulls: Vec<Energies<'a, NullRow>>,
    active: Vec<Energies<'a, ActiveRow>>,
}

impl<'a> Tables<'a> {
    fn read(args: &'a Args) -> anyhow::Result<Self> {
        let real = Energies::read(&args.real, &["state"])?;
        ensure!(!real.rows.is_empty(), "{} has no rows", args.real.display());
        let nulls = args.null.iter().map(|path| Energies::read(path, &[]));
        let nulls = nulls.collect::<anyhow::Result<Vec<_>>>()?;
        let active = args.active.iter().map(|path| Energies::read(path, &["active", "spins"]));
        let active = active.collect::<anyhow::Result<Vec<_>>>()?;
        // A part of a run that had less to do than there are parts is empty, but not all of them.
        let has_rows =
            nulls.iter().any(|table| !table.rows.is_empty()) || active.iter().any(|table| !table.rows.is_empty());
        let all = || listed(args.null.iter().chain(&args.active));
        ensure!(has_rows, "no rows in {}, expected energies to compare with", all());
        Ok(Self { real, nulls, active })
    }
}

/// A table of energies that was read.
struct Energies<'a, R> {
    path: &'a Path,
    footer: Provenance,
    rows: Vec<R>,
}

impl<'a, R: TableRow> Energies<'a, R> {
    /// Without the columns that are large and not needed here.
    fn read(path: &'a Path, without: &[&str]) -> anyhow::Result<Self> {
        let (rows, footer) = (table::read_without(path, without)?, table::read_provenance(path)?);
        Ok(Self { path, footer, rows })
    }

    /// Where a row is, for messages.
    fn place(&self, row: usize) -> String {
        format!("{}, row {row}", self.path.display())
    }

    /// All rows, and where they are.
    fn placed(&self) -> impl Iterator<Item = (String, &R)> {
        self.rows.iter().enumerate().map(|(index, row)| (self.place(index), row))
    }
}

/// Everything must be of the graph of the first replica.
fn check_graph(tables: &Tables<'_>) -> anyhow::Result<()> {
    let Tables { real, nulls, active } = tables;
    let first = &real.rows[0];
    for (place, graph, _) in origins(tables) {
        ensure!(
            graph == first.graph,
            "{place} is of graph `{graph}`, {} of `{}`; a comparison needs null models of the same graph",
            real.place(0),
            first.graph
        );
    }
    let nulls = nulls.iter().map(|table| (table.path, &table.footer));
    for (path, footer) in nulls.chain(active.iter().map(|table| (table.path, &table.footer))) {
        // Names of graphs are names of folders; fingerprints tell folders of one name apart.
        if let (Some(expected), Some(found)) = (real.footer.get("graph"), footer.get("graph")) {
            ensure!(
                found == expected,
                "{} is of the graph with fingerprint {found}, {} of {expected}; a comparison needs null models of the \
                 same graph",
                path.display(),
                real.path.display()
            );
        }
    }
    Ok(())
}

/// All active subnetworks must be of images that were made in one way.
fn check_preprocessing(active: &[Energies<ActiveRow>]) -> anyhow::Result<()> {
    let mut known = active.iter().filter_map(|table| Some((table.path, table.footer.get("preprocess")?)));
    let Some((first, expected)) = known.next() else { return Ok(()) };
    for (path, found) in known {
        ensure!(
            found == expected,
            "{} is of images with another preprocessing than {}; compare them one by one",
            path.display(),
            first.display()
        );
    }
    Ok(())
}

/// Everything must be from one search, unless different ones are allowed.
fn check_search(args: &Args, tables: &Tables<'_>) -> anyhow::Result<()> {
    let Tables { real, nulls, active } = tables;
    const ADVICE: &str = "solve both in the same way, or insist with --allow-different-search";
    let footers = std::iter::once((real.path, &real.footer))
        .chain(nulls.iter().map(|table| (table.path, &table.footer)))
        .chain(active.iter().map(|table| (table.path, &table.footer)));
    let Differences { different, unknown } = searched::differences(footers);
    let (first, expected) = (&real.rows[0].method, real.place(0));
    let mut rows = origins(tables).filter(|(_, _, method)| method != first);
    let row = rows.next().map(|(place, _, method)| format!("{place} was solved by {method}, {expected} by {first}"));
    for difference in different.into_iter().chain(row) {
        ensure!(args.allow_different_search, "{difference}; {ADVICE}");
        note(args.quiet, format_args!("{difference}: their energies say little about the graphs"));
    }
    if !unknown.is_empty() {
        let tables = unknown.join(", ");
        note(args.quiet, format_args!("not known how these were searched, only by which method: {tables}"));
    }
    Ok(())
}

/// Where each row is, its graph and its method.
fn origins<'a>(tables: &'a Tables<'_>) -> impl Iterator<Item = (String, &'a str, &'a str)> {
    let Tables { real, nulls, active } = tables;
    let real = real.placed().map(|(place, row)| (place, row.graph.as_str(), row.method.as_str()));
    let nulls = nulls.iter().flat_map(Energies::placed);
    let nulls = nulls.map(|(place, row)| (place, row.graph.as_str(), row.method.as_str()));
    let active = active.iter().flat_map(Energies::placed);
    real.chain(nulls).chain(active.map(|(place, row)| (place, row.graph.as_str(), row.method.as_str())))
}

/// No run on a null model may count twice.
fn check_repeats(nulls: &[Energies<NullRow>]) -> anyhow::Result<()> {
    let mut seen = HashMap::new();
    for (place, row) in nulls.iter().flat_map(Energies::placed) {
        let NullRow { kind, distribution, index, instance, seed, method, graph, .. } = row;
        if let Some(before) = seen.insert((kind, distribution, index, instance, seed), place.clone()) {
            let distribution = distribution.iter().map(|name| format!(" {name}")).collect::<String>();
            bail!(
                "{place} repeats {before}: {kind}{distribution}, index {index}, instance {instance}, method {method}, \
                 seed {seed}, graph {graph}; give each run once"
            );
        }
    }
    Ok(())
}

/// No image may count twice.
fn check_images(active: &[Energies<ActiveRow>]) -> anyhow::Result<()> {
    let mut seen = HashMap::new();
    for (place, row) in active.iter().flat_map(Energies::placed) {
        if let Some(before) = seen.insert((&row.image, row.image_index), place.clone()) {
            bail!("{place} repeats {before}: image {}; give each image once", row.image);
        }
    }
    Ok(())
}

/// The energies of each case, summarised.
fn samples(tables: &Tables<'_>) -> anyhow::Result<BTreeMap<Population, Sample>> {
    let Tables { real, nulls, active } = tables;
    let mut energies: BTreeMap<Population, Vec<f64>> = BTreeMap::new();
    let finite = |place: String, energy: f64| -> anyhow::Result<f64> {
        ensure!(energy.is_finite(), "{place}: energy is {energy}, expected a number; the table is damaged");
        Ok(energy)
    };
    let real_energies = real.placed().map(|(place, row)| finite(place, row.energy));
    energies.insert(Population::Real, real_energies.collect::<anyhow::Result<_>>()?);
    for (place, row) in nulls.iter().flat_map(Energies::placed) {
        let (kind, distribution) = (row.kind.as_str(), row.distribution.as_deref());
        let case = Population::of_null(kind, distribution).with_context(|| {
            let distribution = distribution.unwrap_or("null");
            format!("{place}: kind `{kind}` with distribution `{distribution}`, expected n1, n2, n3 he or n3 xavier")
        })?;
        energies.entry(case).or_default().push(finite(place, row.energy)?);
    }
    for (place, row) in active.iter().flat_map(Energies::placed) {
        energies.entry(Population::Active).or_default().push(finite(place, row.energy)?);
    }
    let sample = |(case, values): (Population, Vec<f64>)| {
        Ok((case, Sample::of(&values).with_context(|| format!("the energies of {case} make no sample"))?))
    };
    energies.into_iter().map(sample).collect()
}

/// The method of each case; names are joined where different searches are allowed.
fn methods(tables: &Tables<'_>) -> BTreeMap<Population, String> {
    let Tables { real, nulls, active } = tables;
    let null = |row: &'_ NullRow| Population::of_null(&row.kind, row.distribution.as_deref());
    let nulls = nulls.iter().flat_map(|table| &table.rows).filter_map(|row| Some((null(row)?, &row.method)));
    let active = active.iter().flat_map(|table| &table.rows).map(|row| (Population::Active, &row.method));
    let real = real.rows.iter().map(|row| (Population::Real, &row.method));
    let mut methods = BTreeMap::<Population, BTreeSet<&str>>::new();
    real.chain(nulls).chain(active).for_each(|(case, method)| _ = methods.entry(case).or_default().insert(method));
    methods.into_iter().map(|(case, names)| (case, names.into_iter().collect::<Vec<_>>().join(", "))).collect()
}

fn row(graph: &str, method: String, comparison: &Comparison) -> SummaryRow {
    let Comparison { population, sample, against } = comparison;
    let welch = against.and_then(|against| against.welch.ok());
    SummaryRow {
        graph: graph.to_owned(),
        method,
        case: population.name().to_owned(),
        reference: against.map(|against| against.reference.name().to_owned()),
        n: sample.n as i64,
        mean: sample.mean,
        sd: sample.sd,
        least: sample.least,
        welch_t: welch.map(|welch| welch.t),
        degrees_of_freedom: welch.map(|welch| welch.degrees_of_freedom),
        log10_p: welch.map(|welch| welch.log10_p),
        cohens_d: against.and_then(|against| against.cohens_d.ok()),
    }
}

/// The graph's fingerprint, if the replicas know it, and the hash of every table that was read.
fn provenance(args: &Args, real: &Energies<ReplicaRow>) -> anyhow::Result<Provenance> {
    let mut pairs = Vec::new();
    if let Some(graph) = real.footer.get("graph") {
        pairs.push(("graph", graph.to_owned()));
    }
    pairs.push(("real_sha256", sha256(&args.real)?));
    for (key, paths) in [("null_sha256", &args.null), ("active_sha256", &args.active)] {
        if !paths.is_empty() {
            pairs.push((key, sha256_of_all(paths)?));
        }
    }
    Ok(super::provenance(None, &pairs))
}

/// What a reader of the numbers should know.
fn notes(quiet: Quiet, tables: &Tables<'_>, comparisons: &[Comparison]) {
    let Tables { real, nulls, active } = tables;
    let stopped = real.rows.iter().filter(|row| !row.local_minimum).count()
        + active.iter().flat_map(|table| &table.rows).filter(|row| !row.local_minimum).count()
        + nulls.iter().flat_map(|table| &table.rows).filter(|row| !row.local_minimum).count();
    if stopped > 0 {
        note(quiet, format_args!("{stopped} of the energies are not of local minima: their solver was stopped"));
    }
    for Comparison { population, against, .. } in comparisons {
        if let Some(report::Against { reference, welch: Err(reason), .. }) = against {
            note(quiet, format_args!("{population} against {reference}: {reason}"));
        }
    }
}

/// How many images have an active subnetwork that is less frustrated than the network.
fn below(comparisons: &[Comparison], active: &[Energies<ActiveRow>]) -> Option<String> {
    let real = comparisons.iter().find(|comparison| comparison.population == Population::Real)?;
    let energies: Vec<_> = active.iter().flat_map(|table| &table.rows).map(|row| row.energy).collect();
    let below = energies.iter().filter(|energy| **energy < real.sample.mean).count();
    let share = below as f64 / energies.len() as f64;
    let line = format!("active: {below} of {} images ({share:.4}) below the mean of real", energies.len());
    (!energies.is_empty()).then_some(line)
}

/// The table on stdout: one line per comparison.
fn aligned(comparisons: &[Comparison]) -> Vec<String> {
    let heading = ["case", "n", "mean", "sd", "least", "reference", "t", "dof", "log10 p", "Cohen's d"];
    let rows: Vec<_> = comparisons.iter().map(cells).collect();
    columns::aligned(heading, &["case", "reference"], &rows)
}

/// One line of [`aligned`]; `-` is what does not exist.
fn cells(comparison: &Comparison) -> [String; 10] {
    let Comparison { population, sample, against } = comparison;
    let welch = against.and_then(|against| against.welch.ok());
    [
        population.to_string(),
        sample.n.to_string(),
        number(Some(sample.mean), 6),
        number(sample.sd, 6),
        number(Some(sample.least), 6),
        against.map_or("-".to_owned(), |against| against.reference.to_string()),
        number(welch.map(|welch| welch.t), 2),
        number(welch.map(|welch| welch.degrees_of_freedom), 1),
        number(welch.map(|welch| welch.log10_p), 2),
        number(against.and_then(|against| against.cohens_d.ok()), 2),
    ]
}
