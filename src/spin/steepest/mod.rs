//! Algorithm 1 to the letter (paper, section B): while some `r_k < 0` and fewer than M flips, flip the most negative
//! one; ties go to the lowest node.
//!
//! # Exactness
//! Weights are rounded to a multiple of a quantum `q = 2^−k`, the finest for which every local field is below `2⁵¹ q`:
//! all sums are then exact in `f64`, whatever their order, and the running fields are the fields. Weights above
//! `2⁻²⁸` of the largest row sum keep all their 24 bits. Where some do not, a state in which no rounded field is negative is
//! looked at once more: spins whose field is negative by less than the rounding, as exact sums tell, are flipped in order,
//! and the descent goes on until there are none. So it always ends in a local minimum.
//!
//! Cost: per flip one read of the flipped node's edges (both directions) and one minimum per touched 64 nodes. Memory
//! per replica in flight: 9 bytes a node; shared: the decoded blocks, and the panels once more in transposed order.

mod adjacency;

use std::borrow::Cow;
use std::sync::Mutex;
use std::time::Instant;

use rayon::prelude::*;

pub(super) use self::adjacency::Adjacency;
use super::tournament::{CHUNK, Tournament};
use super::weigh::Sum;
use super::{Checkpoint, Control, Error, Plan, Pulse, Replica, memory, random};
use crate::graph::{BlockStream, NodeId};

/// Runs the plan's replicas, one per thread at a time.
pub(super) fn solve(graph: &dyn BlockStream, plan: &Plan, control: &dyn Control) -> Result<Vec<Replica>, Error> {
    let at_once = memory::descents_at_once(graph, plan)?;
    let adjacency = Adjacency::new(graph)?;
    if adjacency.sum_abs() == 0.0 {
        return Err(Error::NoWeight);
    }
    control.begin("steepest", u64::from(plan.replicas));
    let done = control.saved().unwrap_or_default().done.into_owned();
    control.advance(done.len() as u64);
    let missing: Vec<_> = (0..plan.replicas).filter(|&index| done.iter().all(|r| r.index != index)).collect();
    let done = Mutex::new(done);
    let each = |&index: &u32| {
        let replica = replica(&adjacency, plan, index);
        control.advance(1);
        control.note(&format!("replica {index}: ε {:.6}, {} flips", replica.energy, replica.flips));
        let mut done = done.lock().expect("no thread panics while it holds the lock");
        done.push(replica);
        let pulse = control.pulse();
        if pulse != Pulse::Continue {
            control.save(&Checkpoint { done: Cow::Borrowed(&done), batch: None }).map_err(Error::Save)?;
        }
        if pulse == Pulse::Stop { Err(Error::Interrupted) } else { Ok(()) }
    };
    match at_once < rayon::current_num_threads() {
        true => missing.chunks(at_once).try_for_each(|wave| wave.par_iter().with_max_len(1).try_for_each(each))?,
        false => missing.par_iter().with_max_len(1).try_for_each(each)?,
    }
    control.end();
    let mut done = done.into_inner().expect("no thread panics while it holds the lock");
    done.sort_by_key(|replica| replica.index);
    Ok(done)
}

/// One replica from its initial state to the minimum; its energy is that of the rounded weights.
fn replica(adjacency: &Adjacency<'_>, plan: &Plan, index: u32) -> Replica {
    let start = Instant::now();
    let mut descent = Descent::new(adjacency, &initial_state(adjacency.n_nodes(), plan, index));
    let (flips, local_minimum) = descent.run(plan.max_flips);
    Replica {
        index,
        energy: 0.5 * (1.0 - descent.alignment() / adjacency.sum_abs()),
        flips,
        secs: start.elapsed().as_secs_f64(),
        local_minimum,
        state: descent.bits(),
        ..Replica::default()
    }
}

/// Bit `i % 8` of byte `i / 8` is set if `s_i = +1`.
fn initial_state(n_nodes: usize, plan: &Plan, index: u32) -> Vec<u8> {
    let mut state = vec![0xff; n_nodes.div_ceil(8)];
    for node in random::initial_flips(plan, index, n_nodes as u32) {
        state[node as usize / 8] ^= 1 << (node % 8);
    }
    state
}

/// The state of one replica: spins and local fields in the current gauge.
pub(super) struct Descent<'a> {
    adjacency: &'a Adjacency<'a>,
    spins: Vec<i8>,
    /// `r_i`, exact.
    fields: Vec<f64>,
    /// Chunks of `fields` changed by the last flip, possibly more than once.
    touched: Vec<usize>,
}

impl<'a> Descent<'a> {
    /// A given state: bit `i % 8` of byte `i / 8` is set if `s_i = +1`. Cost: a flip of every spin of the rarer sign.
    pub(super) fn new(adjacency: &'a Adjacency<'a>, state: &[u8]) -> Self {
        let fields = adjacency.row_sums().to_vec();
        let n = fields.len();
        let mut descent = Self { adjacency, spins: vec![1; n], fields, touched: Vec::new() };
        let is_up = |i: usize| state[i / 8] >> (i % 8) & 1 == 1;
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
    pub(super) fn run(&mut self, max_flips: u64) -> (u64, bool) {
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
        self.adjacency.for_each_run(node, |first, weights| {
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
        adjacency.for_each_run(node, |first, weights| {
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
    pub(super) fn alignment(&self) -> f64 {
        let quantum = self.adjacency.quantum();
        let sum: i128 = self.fields.iter().map(|r| (r / quantum) as i128).sum();
        0.5 * sum as f64 * quantum
    }

    pub(super) fn bits(&self) -> Vec<u8> {
        let byte = |spins: &[i8]| spins.iter().enumerate().fold(0, |b, (i, &s)| b | u8::from(s > 0) << i);
        self.spins.chunks(8).map(byte).collect()
    }
}
