//! Perturbed images of several tables, taken together.
//!
//! Parts of one run, or runs with other norms, add up to one sample. Tables that do not belong together would give a λ
//! of nothing, so they are refused: other replicas or other preprocessing under the name of one graph, two graphs under
//! one name, and a perturbation that is there twice.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::perturb::Case;
use crate::table::{OmegaRow, Provenance};

/// Tables of perturbed images that do not belong together, or are damaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PerturbedError {
    /// Tables of one graph that differ in what decides their numbers.
    #[error("{} was made with another {what} than {}; λ is of one experiment, sum them up one by one", path.display(), other.display())]
    Experiment {
        /// The table.
        path: PathBuf,
        /// What is different.
        what: &'static str,
        /// An earlier table.
        other: PathBuf,
    },
    /// A case that does not exist.
    #[error("{place}: case `{case}`, expected real, n3 or random-direction")]
    Case {
        /// The row.
        place: RowPlace,
        /// What it says.
        case: String,
    },
    /// Two graphs of one name.
    #[error("{place}: graph `{graph}` has fingerprint {found}, that of another table {first}; give graphs other names")]
    Graph {
        /// The row.
        place: RowPlace,
        /// The name.
        graph: String,
        /// The graph of this table.
        found: String,
        /// The graph of an earlier table.
        first: String,
    },
    /// One perturbation counts twice.
    #[error(
        "{place} repeats {before}: {case}, image {image}, perturbation {perturbation}, norm {norm}; give each once",
        case = row.case, image = row.image_index, perturbation = row.perturbation, norm = row.norm
    )]
    Repeated {
        /// The second row.
        place: RowPlace,
        /// The first.
        before: RowPlace,
        /// What both are.
        row: Box<OmegaRow>,
    },
    /// A number that no perturbation has.
    #[error("{place}: {column} is {found}, expected a {expected}; the table is damaged")]
    Damaged {
        /// The row.
        place: RowPlace,
        /// The column.
        column: &'static str,
        /// What is there.
        found: f64,
        /// What should be there.
        expected: &'static str,
    },
}

/// Where a row is: rows are counted from 0.
#[derive(Clone, Debug)]
pub struct RowPlace {
    path: PathBuf,
    row: usize,
}

impl std::fmt::Display for RowPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, row {}", self.path.display(), self.row)
    }
}

/// What the footers of tables of one graph must agree on.
const OF_ONE_EXPERIMENT: [(&str, &str); 2] =
    [("preprocess", "preprocessing of images"), ("replicas_sha256", "table of replicas")];

/// Graph, case, and model, seed, image, perturbation and norm: what makes a row unique.
type Key = (String, Case, (i64, u64, i64, i64, u64));

/// Number of a table, and of a row in it.
type At = (usize, usize);

/// Perturbed images by graph and case.
#[derive(Debug, Default)]
pub struct Perturbed {
    cases: BTreeMap<(String, Case), Vec<OmegaRow>>,
    /// By name, the fingerprint of each graph where it is known.
    fingerprints: BTreeMap<String, String>,
    paths: Vec<PathBuf>,
    /// By graph and key of the footer: what the first table says, and its place among the tables.
    experiments: HashMap<(String, &'static str), (String, usize)>,
    seen: HashMap<Key, At>,
}

impl Perturbed {
    /// Takes in a table, given with its rows and its footer.
    ///
    /// # Errors
    /// If it does not belong to those before it, or is damaged.
    pub fn add(&mut self, path: &Path, rows: Vec<OmegaRow>, footer: &Provenance) -> Result<(), PerturbedError> {
        self.paths.push(path.to_owned());
        let table = self.paths.len() - 1;
        if let Some(row) = rows.first() {
            self.check_experiment(&row.graph, footer)?;
        }
        for (index, row) in rows.into_iter().enumerate() {
            let at = (table, index);
            let Some(case) = Case::named(&row.case) else {
                return Err(PerturbedError::Case { place: self.place(at), case: row.case });
            };
            self.check_graph(at, &row, footer)?;
            self.check_repeats(at, case, &row)?;
            self.check_numbers(at, &row)?;
            self.cases.entry((row.graph.clone(), case)).or_default().push(row);
        }
        Ok(())
    }

    /// The rows of every case of every graph: no case is empty.
    pub fn cases(&self) -> impl Iterator<Item = (&str, Case, &[OmegaRow])> {
        self.cases.iter().map(|((graph, case), rows)| (graph.as_str(), *case, rows.as_slice()))
    }

    /// Whether there was no row in any table.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// The fingerprints of the graphs, where they are known, in the order of their names.
    pub fn fingerprints(&self) -> Vec<&str> {
        self.fingerprints.values().map(String::as_str).collect()
    }

    /// That the last table is of the same experiment as those of its graph before it.
    fn check_experiment(&mut self, graph: &str, footer: &Provenance) -> Result<(), PerturbedError> {
        let table = self.paths.len() - 1;
        for (key, what) in OF_ONE_EXPERIMENT {
            let Some(found) = footer.get(key) else { continue };
            let known = self.experiments.entry((graph.to_owned(), key));
            let (first, other) = known.or_insert_with(|| (found.to_owned(), table));
            if first != found {
                let [path, other] = [table, *other].map(|table| self.paths[table].clone());
                return Err(PerturbedError::Experiment { path, what, other });
            }
        }
        Ok(())
    }

    /// That tables that call a graph the same are of the same graph.
    fn check_graph(&mut self, at: At, row: &OmegaRow, footer: &Provenance) -> Result<(), PerturbedError> {
        let Some(found) = footer.get("graph") else { return Ok(()) };
        let first = self.fingerprints.entry(row.graph.clone()).or_insert_with(|| found.to_owned());
        if first == found {
            return Ok(());
        }
        let (graph, found, first) = (row.graph.clone(), found.to_owned(), first.clone());
        Err(PerturbedError::Graph { place: self.place(at), graph, found, first })
    }

    /// That a perturbation is there once.
    fn check_repeats(&mut self, at: At, case: Case, row: &OmegaRow) -> Result<(), PerturbedError> {
        let numbers = (row.model, row.seed, row.image_index, row.perturbation, row.norm.to_bits());
        match self.seen.insert((row.graph.clone(), case, numbers), at) {
            None => Ok(()),
            Some(before) => {
                let [place, before] = [at, before].map(|at| self.place(at));
                Err(PerturbedError::Repeated { place, before, row: Box::new(row.clone()) })
            }
        }
    }

    /// That shares are shares and norms are norms.
    fn check_numbers(&self, at: At, row: &OmegaRow) -> Result<(), PerturbedError> {
        let damaged =
            |column, found, expected| PerturbedError::Damaged { place: self.place(at), column, found, expected };
        if !(0.0..=1.0).contains(&row.unmoved) {
            return Err(damaged("unmoved", row.unmoved, "share"));
        }
        if !(row.norm.is_finite() && row.norm > 0.0) {
            return Err(damaged("norm", row.norm, "positive number"));
        }
        Ok(())
    }

    fn place(&self, (table, row): At) -> RowPlace {
        RowPlace { path: self.paths[table].clone(), row }
    }
}
