//! Everything about a graph directory that opening it does not check.

use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::fingerprint::{self, Hash};
use super::manifest;
use super::stream::check_values;
use super::{Bytes, Error, Fault, FilePart, Shards};
use crate::graph::edges::for_each_edge;
use crate::graph::sums::sum_abs;
use crate::graph::{Frame, Totals};
use crate::progress::Progress;
use crate::random::spread;

/// Graphs of at most this many edges are compared edge by edge.
const FEW_EDGES: u64 = 50_000_000;

/// Sums of `|w|` may differ by this share: they are added in different orders.
const TOLERANCE: f64 = 1e-8;

/// Whether In and Out blocks are compared edge by edge, which costs O(edges).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// If the graph has at most 50 million edges.
    Usual,
    /// Always.
    Deep,
}

/// What was checked, and found right.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Totals of the graph.
    pub totals: Totals,
    /// Its fingerprint, recomputed.
    pub fingerprint: String,
    /// Frames.
    pub n_frames: usize,
    /// Shard files.
    pub n_shards: usize,
    /// Values in the store.
    pub n_values: u64,
    /// Length of all files together.
    pub bytes: u64,
    /// Whether In and Out blocks were compared edge by edge.
    pub directions: bool,
}

/// Reads a whole graph directory and checks every checksum and rule; a list is in [`super`].
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(dir: &Path, depth: Depth, progress: &dyn Progress) -> Result<Report, Error> {
    verify_opened(&Shards::open(dir)?, depth, progress)
}

/// As [`verify`], for an opened graph.
pub(super) fn verify_opened<B>(shards: &Shards<B>, depth: Depth, progress: &dyn Progress) -> Result<Report, Error>
where
    B: Bytes,
{
    let totals = shards.totals();
    let directions = !shards.is_one_way() && (depth == Depth::Deep || totals.n_edges <= FEW_EDGES);
    let pieces: Vec<Hash> = check_values(shards, progress, |piece| Sha256::digest(piece).into())?;
    progress.begin("verify frames", shards.frames().len() as u64);
    let check = |frame: &mut Frame, index| {
        let checked = check_frame(shards, index, directions, frame);
        progress.advance(1);
        checked
    };
    let checked: Vec<_> = (0..shards.frames().len()).into_par_iter().map_init(Frame::default, check).collect();
    let frames: Vec<Checked> = checked.into_iter().collect::<Result<_, _>>()?;
    progress.end();

    let damaged = |source| Error::Damaged { path: shards.path(manifest::FILE), part: FilePart::Whole, source };
    compare_sums(shards, &frames).map_err(damaged)?;
    let sum = |f: fn(&Checked) -> u64| frames.iter().map(f).fold(0, u64::wrapping_add);
    if directions && sum(|f| f.edges_in) != sum(|f| f.edges_out) {
        return Err(damaged(Fault::Directions));
    }
    let hashes: Vec<Hash> = frames.iter().map(|f| f.hash).collect();
    let n_values = shards.values().len() as u64;
    let fingerprint = fingerprint::graph(shards.layers(), &hashes, n_values, &pieces);
    Fault::unless_equal("fingerprint", shards.fingerprint(), fingerprint.as_str()).map_err(damaged)?;
    let (n_frames, n_shards, bytes) = (frames.len(), shards.manifest().shards.len(), shards.bytes());
    Ok(Report { totals, fingerprint, n_frames, n_shards, n_values, bytes, directions })
}

/// What is known of a frame after reading it.
struct Checked {
    hash: Hash,
    sum_in: f64,
    sum_out: f64,
    edges_in: u64,
    edges_out: u64,
}

fn check_frame<B>(shards: &Shards<B>, index: usize, directions: bool, frame: &mut Frame) -> Result<Checked, Error>
where
    B: Bytes,
{
    let hash = shards.with_raw(index, |raw| {
        shards.decode(index, raw, frame)?;
        Ok(fingerprint::frame(&shards.frames()[index], raw))
    })?;
    let values = shards.values();
    let (mut edges_in, mut edges_out) = (0u64, 0u64);
    if directions {
        let (inward, outward) = (&frame.inward, &frame.outward);
        for_each_edge(inward, values, |row, col, w| edges_in = edges_in.wrapping_add(edge(row, col, w)));
        for_each_edge(outward, values, |row, col, w| edges_out = edges_out.wrapping_add(edge(col, row, w)));
    }
    let (sum_in, sum_out) = (sum_abs(&frame.inward, values), sum_abs(&frame.outward, values));
    Ok(Checked { hash, sum_in, sum_out, edges_in, edges_out })
}

/// A hash of one edge; their sum does not depend on their order.
fn edge(target: u32, source: u32, weight: f32) -> u64 {
    spread(spread(u64::from(target) << 32 | u64::from(source)) ^ u64::from(weight.to_bits()))
}

/// Sums by layer, by direction and in all.
fn compare_sums(shards: &Shards<impl Bytes>, frames: &[Checked]) -> Result<(), Fault> {
    let mut by_layer = vec![0.0; shards.layers().len()];
    for (info, frame) in shards.frames().iter().zip(frames) {
        by_layer[info.layer as usize] += frame.sum_in;
    }
    for (found, layer) in by_layer.iter().zip(shards.layers()) {
        close("sum of |w| into a layer", *found, layer.sum_abs)?;
    }
    let total = shards.totals().sum_abs;
    close("sum of |w|", by_layer.iter().sum(), total)?;
    let expected = if shards.is_one_way() { 0.0 } else { total };
    close("sum of |w| over out blocks", frames.iter().map(|f| f.sum_out).sum(), expected)
}

fn close(what: &'static str, found: f64, expected: f64) -> Result<(), Fault> {
    match (found - expected).abs() <= TOLERANCE * found.abs().max(expected.abs()) {
        true => Ok(()),
        false => Err(Fault::Differs { what, found: found.to_string(), expected: expected.to_string() }),
    }
}
