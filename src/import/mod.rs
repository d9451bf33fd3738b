//! Any signed graph, from an edge list to an in-memory block stream with independent classes.
//!
//! 1. A reader ([`read`] picks it by the file's ending) turns lines into an [`EdgeList`].
//! 2. Edges that join the same two nodes are summed, in whichever direction they are given: energies depend on
//!    `Au = A + Aᵀ` alone. The sum takes the direction seen first; sums of zero are left out.
//! 3. A greedy colouring gives independent classes; nodes are numbered class after class.
//!
//! The solver updates all nodes of a layer at once, which is right because no two of them are adjacent. A network has layers;
//! an edge list has none, so classes of the colouring take their place:
//!
//! ```text
//! alice ─ +1 ─ bob ─ −1 ─ carol          class 0: alice, carol        class 1: bob
//! ```
//!
//! ```
//! use frustration::graph::BlockStream;
//! use frustration::import::{Choice, read};
//!
//! let folder = tempfile::tempdir()?;
//! let file = folder.path().join("friends.csv");
//! std::fs::write(&file, "source,target,weight\nalice,bob,1\nbob,carol,-1\n")?;
//! let imported = read(&file, &Choice::default())?;
//! assert_eq!(imported.graph.layers().len(), 2);
//! assert_eq!(imported.labels.len(), 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Cost: O(edges log edges) time, about 64 bytes of memory per edge, and each label twice.

use std::ffi::OsStr;
use std::path::Path;

use crate::graph::NodeId;
use crate::graph::csr::Csr;

mod classes;
mod columns;
mod error;
mod list;
mod merge;
mod mtx;
mod parquet;
mod shown;
mod text;

pub use columns::{Choice, Header, Weight};
pub use error::{Error, Fault};
pub use list::EdgeList;

/// A graph read from an edge list.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The graph, nodes renumbered into independent classes.
    pub graph: Csr,
    /// The nodes' names in the file, by node.
    pub labels: Vec<String>,
    /// What a user should know: what was merged, what was left out, how columns were taken.
    pub notes: Vec<String>,
}

/// Reads a signed graph.
///
/// - Text (`.csv`, `.tsv`, `.txt`, `.edges`, and KONECT's `out.NAME`): columns are chosen or recognised by name, see
///   [`Choice`]; what is neither is an error. Labels are any text.
/// - Parquet: the same columns; labels are integers or text, weights any number.
/// - Matrix Market, `coordinate`: the entry in row i, column j is the edge from node j to node i. In symmetric and
///   skew-symmetric files, too, every stored entry is one edge of that weight.
///
/// # Errors
/// If the file cannot be read, its columns are not clear, a line is no edge, an edge is a loop, or no edge is left.
pub fn read(path: &Path, choice: &Choice) -> Result<Imported, Error> {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    let is_konect = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("out."));
    let list = match ending.as_str() {
        "csv" => text::read(path, choice, &text::CSV)?,
        "parquet" if choice.header == Header::Absent => return Err(Error::HasNames(path.into())),
        "parquet" => parquet::read(path, choice)?,
        "mtx" if *choice != Choice::default() => return Err(Error::Matrix(path.into())),
        "mtx" => mtx::read(path)?,
        "tsv" | "txt" | "edges" => text::read(path, choice, &text::TEXT)?,
        _ if is_konect => text::read(path, choice, &text::TEXT)?,
        _ => return Err(Error::Ending(path.into())),
    };
    build(list).map_err(|fault| match fault {
        Fault::NoEdges => Error::NoEdges(path.into()),
        fault => Error::Graph { path: path.into(), fault },
    })
}

/// The graph of an edge list.
///
/// # Errors
/// [`Fault::NoEdges`] if nothing is left after merging, [`Fault::Overflow`] if a merged weight exceeds single precision.
pub fn build(list: EdgeList) -> Result<Imported, Fault> {
    let EdgeList { labels, edges, mut notes, .. } = list;
    let merged = merge::merge(edges, &labels, &mut notes)?;
    if merged.is_empty() {
        return Err(Fault::NoEdges);
    }
    let n_nodes = labels.len() as u32;
    let classes = classes::colour(n_nodes, &merged);
    let edges: Vec<(NodeId, NodeId, f32)> = merged
        .into_iter()
        .map(|(source, target, weight)| (classes.number[source as usize], classes.number[target as usize], weight))
        .collect();
    let mut renamed = vec![String::new(); labels.len()];
    for (label, &node) in labels.into_iter().zip(&classes.number) {
        renamed[node as usize] = label;
    }
    Ok(Imported { graph: Csr::from_edges(n_nodes, &edges, &classes.sizes), labels: renamed, notes })
}

#[cfg(test)]
mod tests;
