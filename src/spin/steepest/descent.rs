//! One replica that flips one spin after the other.

use super::adjacency::Adjacency;
use super::tournament::{CHUNK, Tournament};
use crate::graph::NodeId;
use crate::kernel::state;
use crate::spin::measure::sum::Sum;

/// The state of one replica: spins and local fields `r_i = s_i Σ_j Au_ij s_j`.
pub(in crate::spin) struct Descent<'a> {
    adjacency: &'a Adjacency<'a>,
    spins: Vec<i8>,
    /// `r_i`, exact.
    fields: Vec<f64>,
    /// Chunks of `fields` changed by the last flip, possibly more than once.
    touched: Vec<usize>,
}

impl<'a> Descent<'a> {
    /// A given [state]. Cost: a flip of every spin of the rarer sign.
    pub(in crate::spin) fn new(adjacency: &'a Adjacency<'a>, state: &[u8]) -> Self {
        let fields = adjacency.row_sums().to_vec();
        let n = fields.len();
        let mut descent = Self { adjacency, spins: vec![1; n], fields, touched: Vec::new() };
        let is_up = |i: usize| state::is_up(state, i as NodeId);
        // The fields are those of the opposite state, too.
        let common = 2 * (0..n).filter(|&i| is_up(i)).count() >= n;
        for node in (0..n).filter(|&i| is_up(i) != common) {
            descent.flip(node as NodeId);
            descent.touched.clear();
        }
        if !common {
            descent.spins.iter_mut().for_each(|s| *s = -*s);
        }
        descent
    }

    /// Flips the spin with the least field while that is negative, at most `max_flips` times. Returns the number of
    /// flips, and whether no field is negative.
    pub(in crate::spin) fn run(&mut self, max_flips: u64) -> (u64, bool) {
        let mut flips = 0;
        loop {
            let (more, settled) = self.descend(max_flips - flips);
            flips += more;
            if !settled {
                return (flips, false);
            }
            let (more, settled) = self.descend_below_the_quantum(max_flips - flips);
            flips += more;
            if more == 0 || !settled {
                return (flips, settled);
            }
        }
    }

    /// [`run`](Self::run) by the fields of the rounded weights.
    fn descend(&mut self, max_flips: u64) -> (u64, bool) {
        let mut tree = Tournament::new(&self.fields);
        let mut flips = 0;
        loop {
            let (least, node) = tree.winner(&self.fields);
            if least >= 0.0 || flips == max_flips {
                return (flips, least >= 0.0);
            }
            self.flip(node as NodeId);
            flips += 1;
            for chunk in self.touched.drain(..) {
                tree.update(chunk, &self.fields);
            }
        }
    }

    /// Flips, in order, the spins whose field is negative by less than rounded weights tell. Returns the number of flips,
    /// and false if `max_flips` kept a spin from being flipped.
    fn descend_below_the_quantum(&mut self, max_flips: u64) -> (u64, bool) {
        let adjacency = self.adjacency;
        let mut flips = 0;
        for (node, &residue) in adjacency.residues().iter().enumerate() {
            if self.fields[node] >= f64::from(residue) || !self.exact_field(node as NodeId).is_negative() {
                continue;
            }
            if flips == max_flips {
                return (flips, false);
            }
            self.flip(node as NodeId);
            self.touched.clear();
            flips += 1;
        }
        (flips, true)
    }

    /// `r_i` of the weights as they are. Cost: tens of nanoseconds an edge.
    fn exact_field(&self, node: NodeId) -> Sum {
        let (spin, mut sum) = (self.spins[node as usize], Sum::default());
        self.adjacency.for_each_stretch(node, |first, weights| {
            for (&s, w) in self.spins[first as usize..].iter().zip(weights.unrounded()) {
                sum.add_weight(if s == spin { w } else { -w });
            }
        });
        sum
    }

    /// Negates one spin and updates its neighbours' fields: `r_j −= 2 w s_i s_j`.
    fn flip(&mut self, node: NodeId) {
        let Self { adjacency, spins, fields, touched } = self;
        let spin = f64::from(spins[node as usize]);
        adjacency.for_each_stretch(node, |first, weights| {
            let (first, end) = (first as usize, first as usize + weights.len());
            for ((field, &s), w) in fields[first..end].iter_mut().zip(&spins[first..end]).zip(weights.iter()) {
                *field -= 2.0 * spin * w * f64::from(s);
            }
            for chunk in first / CHUNK..=(end - 1) / CHUNK {
                if touched.last() != Some(&chunk) {
                    touched.push(chunk);
                }
            }
        });
        self.spins[node as usize] *= -1;
        self.fields[node as usize] *= -1.0;
        self.touched.push(node as usize / CHUNK);
    }

    /// `Σ_edges s_i w s_j = ½ Σ_i r_i`. The fields are multiples of the quantum: their sum is exact as an integer.
    pub(in crate::spin) fn alignment(&self) -> f64 {
        let quantum = self.adjacency.quantum();
        let sum: i128 = self.fields.iter().map(|r| (r / quantum) as i128).sum();
        0.5 * sum as f64 * quantum
    }

    pub(in crate::spin) fn bits(&self) -> Vec<u8> {
        state::of(self.spins.iter().map(|&s| s > 0))
    }
}
