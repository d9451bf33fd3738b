//! The energy of a state, exactly: what is reported is the quotient of two whole numbers, rounded once.
//!
//! Searches decide by `f32` sums, whose rounding is small but adds up: over a row of a million equal weights, over the flips of
//! a long search. So none of those sums is reported. The weight of the edges, `T = Σ|w|`, and `A = Σ s_i w s_j` over them are
//! added up anew from the final state, in multiples of 2⁻¹⁴⁹, of which every `f32` is one; the energy is `(T − A) / 2T`
//! to the nearest `f64`. So `0 ≤ e ≤ 1`, and no energy is below that of a better state.
//!
//! # Method
//! The ordinary kernel adds up weights digit by digit ([`Reading::Digit`]), for which `f32` is exact. Cost: half a sweep for
//! every digit (only edges into a row are read); trained weights have three to five. A frame's digits are as long as its
//! rows allow.

use std::collections::HashMap;

use rayon::prelude::*;

use super::sum::Sum;
use crate::graph::reading::{Digit, MOST_COLUMNS, Places, Reading, cut_by_columns, most_columns};
use crate::graph::{self, BlockStream, Frame};
use crate::kernel::{Fields, Isa, LANES, ReadStore, Spins, Task, bit_of_lane, signed};
use crate::spin::fields::{self, ReadOperands};
use crate::spin::replica::Replica;
use crate::spin::visits::planes_at_once;

/// Replicas that are weighed together.
const AT_ONCE: usize = 64;

/// Edges whose weights can be added up digit by digit.
pub trait Edges: Sync {
    /// What a thread reuses from frame to frame.
    type Buffers: Default + Send;

    /// Adds `Σ_j d_ij s_j`, over the edges that count, into the fields of the rows of a frame, given its index and some of its
    /// In blocks; `d_ij` is the digit of `A_ij`.
    fn add_digit(
        &self,
        digit: Digit,
        frame: (usize, &Frame),
        spins: &Spins,
        fields: &mut Fields,
        buffers: &mut Self::Buffers,
    );
}

/// Edges of a block stream, as they are.
#[derive(Clone, Copy)]
pub(in crate::spin) struct AllEdges<'a> {
    pub graph: &'a dyn BlockStream,
    pub isa: Isa,
}

impl Edges for AllEdges<'_> {
    type Buffers = fields::Buffers;

    fn add_digit(
        &self,
        digit: Digit,
        (_, frame): (usize, &Frame),
        spins: &Spins,
        fields: &mut Fields,
        buffers: &mut Self::Buffers,
    ) {
        let store = ReadStore { isa: self.isa, values: self.graph.values(), reading: Reading::Digit(digit) };
        ReadOperands { store, spins }.add_blocks(&frame.inward, fields, buffers);
    }
}

/// What is added up over the edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// `s_i w s_j`.
    Aligned,
    /// `s_i |w| s_j`; with all spins `+1` that is the weight of the edges.
    Magnitude,
}

/// Fills in the energies of replicas over all edges of a graph.
///
/// Cost: that of the digits, see the module's head; one bit a node for each of 64 replicas.
pub(in crate::spin) fn weigh(graph: &dyn BlockStream, isa: Isa, replicas: &mut [Replica]) -> Result<(), graph::Error> {
    let total = total(graph)?;
    for replicas in replicas.chunks_mut(AT_ONCE) {
        let states: Vec<_> = replicas.iter().map(|replica| &*replica.state).collect();
        let spins = Spins::of_states(graph.totals().n_nodes, &states);
        let aligned = totals(sums(graph, &AllEdges { graph, isa }, (Term::Aligned, isa), &spins)?);
        replicas.iter_mut().zip(aligned).for_each(|(replica, aligned)| replica.set_weights(&total, &aligned));
    }
    Ok(())
}

/// Layers' sums added up: by slot.
pub(in crate::spin) fn totals(by_layer: Vec<Vec<Sum>>) -> Vec<Sum> {
    let merged = |mut totals: Vec<Sum>, layer: Vec<Sum>| {
        totals.iter_mut().zip(&layer).for_each(|(total, sum)| *total += sum);
        totals
    };
    by_layer.into_iter().reduce(merged).unwrap_or_default()
}

/// `Σ|w|` over all edges. Cost: one read of the frames and their panels.
pub(in crate::spin) fn total(graph: &dyn BlockStream) -> Result<Sum, graph::Error> {
    let of_frame = |(mut frame, mut sum): (Frame, Sum), index: usize| {
        graph.read(index, &mut frame)?;
        graph::sums::magnitudes(&frame.inward, graph.values()).for_each(|(n, unit)| sum.add(n, unit));
        release(graph, &frame);
        Ok((frame, sum))
    };
    let sums = (0..graph.frames().len()).into_par_iter().try_fold(Default::default, of_frame);
    sums.map(|found: Result<_, graph::Error>| found.map(|(_, sum)| sum)).try_reduce(Sum::default, |mut a, b| {
        a += &b;
        Ok(a)
    })
}

fn release(graph: &dyn BlockStream, frame: &Frame) {
    if graph.is_one_way() {
        graph.release(frame.inward.own_values());
    }
}

/// `Σ` over the edges into each layer: `[layer][replica]`, with room for sixteen replicas in every plane of `spins`.
///
/// # Errors
/// If the graph cannot be read.
pub fn sums<E: Edges>(
    graph: &dyn BlockStream,
    edges: &E,
    (term, isa): (Term, Isa),
    spins: &Spins,
) -> Result<Vec<Vec<Sum>>, graph::Error> {
    let weighing = Weighing { graph, edges, term, isa, spins };
    let of_frame = |(mut buffers, mut sums): (Buffers<E::Buffers>, Found), index: usize| {
        weighing.add_frame(index, &mut buffers, &mut sums)?;
        Ok((buffers, sums))
    };
    let found = (0..graph.frames().len()).into_par_iter().with_max_len(1).try_fold(Default::default, of_frame);
    let found = found.map(|found: Result<_, graph::Error>| found.map(|(_, sums)| sums));
    let found = found.try_reduce(Found::default, |mut a, b| {
        b.into_iter().for_each(|(key, sum)| *a.entry(key).or_default() += &sum);
        Ok(a)
    })?;
    let mut sums = vec![vec![Sum::default(); spins.n_planes() * LANES]; graph.layers().len()];
    found.into_iter().for_each(|((layer, slot), sum)| sums[layer as usize][slot] = sum);
    Ok(sums)
}

/// By layer and slot.
type Found = HashMap<(u32, usize), Sum>;

struct Weighing<'a, E> {
    graph: &'a dyn BlockStream,
    edges: &'a E,
    term: Term,
    isa: Isa,
    spins: &'a Spins,
}

#[derive(Default)]
struct Buffers<B> {
    frame: Frame,
    fields: Fields,
    edges: B,
}

impl<E: Edges> Weighing<'_, E> {
    fn add_frame(
        &self,
        index: usize,
        buffers: &mut Buffers<E::Buffers>,
        found: &mut Found,
    ) -> Result<(), graph::Error> {
        self.graph.read(index, &mut buffers.frame)?;
        let rows = &self.graph.frames()[index].rows;
        let n_columns = most_columns(&buffers.frame.inward, rows);
        if n_columns <= MOST_COLUMNS {
            self.add_part(index, n_columns, buffers, found);
        } else {
            let parts = cut_by_columns(&buffers.frame.inward, MOST_COLUMNS);
            let whole = std::mem::take(&mut buffers.frame.inward);
            for part in parts {
                buffers.frame.inward = part;
                self.add_part(index, most_columns(&buffers.frame.inward, rows).min(MOST_COLUMNS), buffers, found);
            }
            buffers.frame.inward = whole;
        }
        release(self.graph, &buffers.frame);
        Ok(())
    }

    /// Adds the sums of In blocks whose rows have at most that many columns.
    fn add_part(&self, index: usize, n_columns: u64, buffers: &mut Buffers<E::Buffers>, found: &mut Found) {
        let Buffers { frame, fields, edges } = buffers;
        let info = &self.graph.frames()[index];
        let places = Places::of(&frame.inward, self.graph.values());
        let planes: Vec<_> = (0..self.spins.n_planes()).collect();
        for planes in planes.chunks(planes_at_once(info.rows.len())) {
            // For every digit fields are whole numbers below 2²⁴ units, which `f32` adds without rounding.
            for digit in places.digits(n_columns, self.term == Term::Magnitude) {
                fields.reset(info.rows.clone(), planes.iter().copied());
                self.edges.add_digit(digit, (index, frame), self.spins, fields, edges);
                for (index, &plane) in planes.iter().enumerate() {
                    let sums = self.isa.run(Aligned { fields, index, spins: self.spins.plane(plane) });
                    for (lane, &sum) in sums.iter().enumerate().filter(|(_, sum)| **sum != 0) {
                        let slot = plane * LANES + bit_of_lane(lane);
                        found.entry((info.layer, slot)).or_default().add(sum, digit.unit);
                    }
                }
            }
        }
    }
}

/// `Σ_i s_i F_i` over the rows, for one plane, of fields that are whole numbers.
struct Aligned<'a> {
    fields: &'a Fields,
    /// Position of the plane among those of the fields.
    index: usize,
    spins: &'a [u16],
}

impl Task for Aligned<'_> {
    type Output = [i64; LANES];

    #[inline(always)]
    fn run(self) -> [i64; LANES] {
        let (first, n_planes) = (self.fields.first_row() as usize, self.fields.n_planes());
        let vectors = self.fields.vectors().iter().skip(self.index).step_by(n_planes);
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        let mut sums = [0i64; LANES];
        for (vector, &spins) in vectors.zip(&self.spins[first..]) {
            let aligned = signed(spins, *vector);
            for (sum, term) in sums.iter_mut().zip(aligned) {
                // Adding 1.5 · 2⁵² puts a whole number into the low bits: unlike a cast, that has a vector form everywhere.
                let shifted = f64::from(term) + MAGIC;
                *sum += shifted.to_bits().wrapping_sub(MAGIC.to_bits()) as i64;
            }
        }
        sums
    }
}
