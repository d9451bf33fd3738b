//! Fields over active edges only.
//!
//! An edge from node `j` of layer `g` to node `i` of layer `ℓ` is active in the images in which the gate of `j` towards `ℓ` is
//! open and `i` lives; of a max-pooling layer, in those of its max mask. So the spins of a block's columns are gated by
//! the one condition, and the rows are added where the other holds.
//!
//! The kernel knows spins `+1` and `−1`, and none that is 0. So a gated spin is `+1` in one plane and `−1` in another, and the
//! field is the mean of the two, in which the column with the closed gate cancels ([`kernel::add_means`]).

use super::alive::Alive;
use super::sections::Section;
use super::wiring::Wiring;
use crate::graph::reading::{Digit, Reading};
use crate::graph::{Block, BlockStream, Frame, Interval, NodeId};
use crate::kernel::{self, Fields, Isa, LANES, MaskedBlock, Operands, ReadStore, ReadValues, Scratch, Spins};
use crate::spin::{Edges, Problem, Scales};

/// What a thread reuses.
#[derive(Default)]
pub(super) struct Buffers {
    section: SectionBuffers,
    pairs: Fields,
}

#[derive(Default)]
struct SectionBuffers {
    /// Gated spins.
    masks: Vec<u16>,
    intervals: Vec<Interval>,
    scratch: Scratch,
    read: ReadValues,
}

/// The active edges of up to sixteen images.
pub(super) struct ActiveEdges<'a> {
    pub wiring: &'a Wiring<'a>,
    pub stream: &'a dyn BlockStream,
    pub isa: Isa,
    pub open: &'a [Vec<u16>],
    pub alive: &'a Alive,
}

/// The active subnetworks of up to sixteen images, to be solved.
pub(super) struct Subnetworks<'a> {
    pub edges: ActiveEdges<'a>,
    /// Those of the whole graph.
    pub scales: &'a Scales,
    pub seed: u64,
    /// `Σ|w|` by image.
    pub sum_abs: [f64; LANES],
}

/// What is summed over edges.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    /// What is made of the weights.
    pub reading: Reading,
    /// By node of the graph.
    pub spins: &'a [u16],
}

impl Problem for Subnetworks<'_> {
    type Buffers = Buffers;

    /// A subnetwork is no graph of its own: it is what masks leave of the whole one.
    const OF_WHOLE_GRAPHS: bool = false;

    fn graph(&self) -> &dyn BlockStream {
        self.edges.stream
    }

    fn add_fields(&self, frame: (usize, &Frame), spins: &Spins, fields: &mut Fields, buffers: &mut Buffers) {
        let terms = Terms { reading: Reading::scaled(self.scales.factor), spins: spins.plane(0) };
        self.edges.add_inward(frame, terms, fields, buffers);
        self.edges.add_outward(frame, terms, fields, buffers);
    }

    fn members(&self) -> Option<&[u16]> {
        Some(&self.edges.alive.nodes)
    }

    fn sum_abs(&self, replica: u32) -> f64 {
        self.scales.factor * self.sum_abs[replica as usize % LANES]
    }

    fn scales(&self, _: usize) -> &Scales {
        self.scales
    }

    fn seed(&self, _: usize) -> u64 {
        self.seed
    }
}

impl ActiveEdges<'_> {
    /// Adds `Σ_j w_ji s_j` over the active edges out of a frame's rows.
    fn add_outward(
        &self,
        (index, frame): (usize, &Frame),
        terms: Terms<'_>,
        fields: &mut Fields,
        buffers: &mut Buffers,
    ) {
        let info = &self.stream.frames()[index];
        let mut masks = self.alive.outward.of(index);
        let Buffers { section: section_buffers, pairs } = buffers;
        for section in Section::all(self.stream.layers(), &frame.outward) {
            let pair = self.wiring.between(section.layer, info.layer as usize);
            if pair.pooled.is_some() {
                self.add_masked(&section, &mut masks, terms, fields, &mut section_buffers.read);
                continue;
            }
            let columns = section.columns();
            let alive = &self.alive.nodes[columns.start as usize..columns.end as usize];
            pairs.reset(info.rows.clone(), [0, 1]);
            let gated = Gated { first: columns.start, gates: alive, terms };
            self.add_section(&section, &gated, pairs, section_buffers);
            kernel::add_means(self.isa, self.open(pair.gates, info.rows.start, info.rows.len()), pairs, fields);
        }
    }
}

impl Edges for ActiveEdges<'_> {
    type Buffers = Buffers;

    fn add_digit(
        &self,
        digit: Digit,
        frame: (usize, &Frame),
        spins: &Spins,
        fields: &mut Fields,
        buffers: &mut Buffers,
    ) {
        let terms = Terms { reading: Reading::Digit(digit), spins: spins.plane(0) };
        self.add_inward(frame, terms, fields, buffers);
    }
}

impl ActiveEdges<'_> {
    /// Adds `Σ_j w_ij s_j` over the active edges into a frame's rows.
    pub fn add_inward(
        &self,
        (index, frame): (usize, &Frame),
        terms: Terms<'_>,
        fields: &mut Fields,
        buffers: &mut Buffers,
    ) {
        let (info, mut masks) = (&self.stream.frames()[index], self.alive.inward.of(index));
        let Buffers { section: section_buffers, pairs } = buffers;
        pairs.reset(info.rows.clone(), [0, 1]);
        for section in Section::all(self.stream.layers(), &frame.inward) {
            let pair = self.wiring.between(info.layer as usize, section.layer);
            if pair.pooled.is_some() {
                self.add_masked(&section, &mut masks, terms, fields, &mut section_buffers.read);
                continue;
            }
            let columns = section.columns();
            let gates = self.open(pair.gates, columns.start, columns.len());
            let gated = Gated { first: columns.start, gates, terms };
            self.add_section(&section, &gated, pairs, section_buffers);
        }
        let alive = &self.alive.nodes[info.rows.start as usize..info.rows.end as usize];
        kernel::add_means(self.isa, alive, pairs, fields);
    }

    /// Adds a section's fields to both planes.
    fn add_section(&self, section: &Section<'_>, gated: &Gated<'_>, pairs: &mut Fields, buffers: &mut SectionBuffers) {
        let SectionBuffers { masks, intervals, scratch, read } = buffers;
        let spins = Spins::from_masks(gated.gates.len(), gated.masks(std::mem::take(masks)));
        for block in section.blocks {
            let shifted = |interval: &Interval| Interval { first_col: interval.first_col - gated.first, ..*interval };
            intervals.clear();
            intervals.extend(section.intervals(block).iter().map(shifted));
            let (intervals, values) = self.store(gated.terms.reading).block(block, intervals, read);
            Operands { isa: self.isa, values, spins: &spins }.add_block(block, intervals, pairs, scratch);
        }
        *masks = spins.into_masks();
    }

    /// The graph's values, read in some way.
    fn store(&self, reading: Reading) -> ReadStore<'_> {
        ReadStore { isa: self.isa, values: self.stream.values(), reading }
    }

    fn add_masked(
        &self,
        section: &Section<'_>,
        masks: &mut &[u16],
        Terms { reading, spins }: Terms<'_>,
        fields: &mut Fields,
        read: &mut ReadValues,
    ) {
        for block in section.blocks {
            let (intervals, values) = self.store(reading).block(block, section.intervals(block), read);
            let (own, rest) = masks.split_at(n_edges(block, intervals.len()));
            *masks = rest;
            MaskedBlock { block, intervals, values, spins, masks: own }.add(self.isa, fields);
        }
    }

    /// The images in which the gates of consecutive nodes are open.
    pub fn open(&self, gates: usize, first: NodeId, n: usize) -> &[u16] {
        &self.open[gates][(first - self.wiring.first_node(gates)) as usize..][..n]
    }
}

/// Edges of a diagonal block.
fn n_edges(block: &Block, n_intervals: usize) -> usize {
    block.n_groups() as usize * block.n_rows as usize * n_intervals
}

/// The columns of a section.
struct Gated<'a> {
    first: NodeId,
    /// By column.
    gates: &'a [u16],
    terms: Terms<'a>,
}

impl Gated<'_> {
    /// The columns' spins in two planes: where a gate is closed `+1` in the first and `−1` in the second.
    fn masks(&self, mut masks: Vec<u16>) -> Vec<u16> {
        let spins = || self.terms.spins[self.first as usize..].iter().zip(self.gates);
        masks.clear();
        masks.reserve(2 * self.gates.len());
        masks.extend(spins().map(|(spin, gate)| spin | !gate));
        masks.extend(spins().map(|(spin, gate)| spin & gate));
        masks
    }
}
