//! How much of each layer is active: nodes, edges, `Σ|w|`, by image.

use rayon::prelude::*;

use super::fields::ActiveEdges;
use super::sections::Section;
use crate::graph::{self, Block, Frame, Interval, PanelKind};
use crate::kernel::{LANES, Spins};
use crate::spin::{Term, weigh};

/// What is active of one layer, by image.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub nodes: [u64; LANES],
    /// Into the layer.
    pub edges: [u64; LANES],
    /// Over those edges.
    pub sum_abs: [f64; LANES],
}

impl Counts {
    fn add(&mut self, other: &Self) {
        for bit in 0..LANES {
            self.nodes[bit] += other.nodes[bit];
            self.edges[bit] += other.edges[bit];
        }
    }
}

/// Counts by layer. Cost: one read of the edges in one direction for every digit of the weights ([`weigh`]); `Σ|w|` is exact
/// but for one rounding.
pub(super) fn by_layer(edges: &ActiveEdges<'_>) -> Result<Vec<Counts>, graph::Error> {
    let frames = edges.stream.frames();
    let each = |frame: &mut Frame, index| of_frame(edges, index, frame);
    let found = (0..frames.len()).into_par_iter().with_max_len(1).map_init(Frame::default, each);
    let mut counts = vec![Counts::default(); edges.stream.layers().len()];
    for (info, found) in frames.iter().zip(found.collect::<Result<Vec<_>, graph::Error>>()?) {
        counts[info.layer as usize].add(&found);
    }
    let up = Spins::all_up(edges.stream.totals().n_nodes, 1);
    let weights = weigh::sums(edges.stream, edges, (Term::Magnitude, edges.isa), &up)?;
    for (counts, weights) in counts.iter_mut().zip(weights) {
        counts.sum_abs.iter_mut().zip(weights).for_each(|(sum, weight)| *sum = weight.value());
    }
    Ok(counts)
}

fn of_frame(edges: &ActiveEdges<'_>, index: usize, frame: &mut Frame) -> Result<Counts, graph::Error> {
    edges.stream.read(index, frame)?;
    let info = &edges.stream.frames()[index];
    let rows = &edges.alive.nodes[info.rows.start as usize..info.rows.end as usize];
    let mut counts = Counts { nodes: tally(rows), ..Counts::default() };
    counts.edges = tally(edges.alive.inward.of(index));
    for section in Section::all(edges.stream.layers(), &frame.inward) {
        let pair = edges.wiring.between(info.layer as usize, section.layer);
        if pair.pooled.is_none() {
            let columns = section.columns();
            let open = Masks { first: columns.start, masks: edges.open(pair.gates, columns.start, columns.len()) };
            let rows = Masks { first: info.rows.start, masks: rows };
            for block in section.blocks {
                count((block, section.intervals(block)), rows, open, &mut counts.edges);
            }
        }
    }
    Ok(counts)
}

/// Masks of consecutive nodes.
#[derive(Clone, Copy)]
struct Masks<'a> {
    first: u32,
    masks: &'a [u16],
}

/// Counts edges whose row's and column's bits are set.
fn count((block, intervals): (&Block, &[Interval]), rows: Masks<'_>, columns: Masks<'_>, counts: &mut [u64; LANES]) {
    for group in block.groups() {
        let first = (group.first_row - rows.first) as usize;
        let rows = rows.masks[first..].iter().step_by(block.row_step as usize).take(block.n_rows as usize);
        let columns = |interval: &Interval| {
            &columns.masks[(interval.first_col + group.col_shift - columns.first) as usize..][..interval.len as usize]
        };
        if block.kind == PanelKind::Dense {
            // Every row meets every column, so that edges are pairs: counts multiply, image by image.
            let (rows, columns) = (tally(rows), tally(intervals.iter().flat_map(columns)));
            (0..LANES).for_each(|bit| counts[bit] += rows[bit] * columns[bit]);
        } else {
            for interval in intervals {
                let both = rows.clone().zip(columns(interval)).map(|(row, column)| row & column);
                add(&mut *counts, both);
            }
        }
    }
}

/// How often each bit is set.
fn tally<'a>(masks: impl IntoIterator<Item = &'a u16>) -> [u64; LANES] {
    let mut counts = [0; LANES];
    add(&mut counts, masks.into_iter().copied());
    counts
}

fn add(counts: &mut [u64; LANES], masks: impl Iterator<Item = u16>) {
    for mask in masks {
        for (bit, count) in counts.iter_mut().enumerate() {
            *count += u64::from(mask >> bit & 1);
        }
    }
}
