//! Graphs that differ in their values only, side by side in the lanes of one search.
//!
//! Null models of a network have its edges, each with another weight. Solved one after the other, each would read all
//! frames for the two replicas that it has, and leave fourteen lanes empty. Side by side, eight of them fill the lanes, and
//! every pass over the frames advances all. It adds up, in each lane, weights of the lane's graph, which takes longer than
//! looking up sums that sixteen lanes have in common; so fewer than four graphs are solved one after the other.
//!
//! Thresholds, tolerances, temperatures, random numbers and the units in which changes of energy are added up are each graph's
//! own, so that its replicas are those of [`super::solve`] on it alone, to the last bit.
//!
//! ```
//! use frustration::graph::csr::Csr;
//! use frustration::graph::{BlockStream, Revalued};
//! use frustration::kernel::Isa;
//! use frustration::progress::Silent;
//! use frustration::spin::siblings::Siblings;
//! use frustration::spin::{Method, Plan};
//!
//! let triangle = Csr::from_edges_unclassed(3, &[(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)]);
//! let (method, isa) = (Method::Sweep, Isa::detect());
//! let plan = Plan { method, replicas: 2, random_flips: 10, seed: 0, max_flips: u64::MAX, isa, memory: None };
//! let mut siblings = Siblings::new(&triangle, &plan, 2);
//! for sign in [1.0, -1.0] {
//!     let weights = triangle.values().iter().map(|w| sign * w.abs()).collect();
//!     siblings.push(Revalued::new(&triangle, weights)?, 7)?;
//! }
//! // Three positive edges are balanced, three negative ones are not.
//! let energies: Vec<_> = siblings.solve(&Silent)?.iter().map(|replicas| replicas[0].energy).collect();
//! assert_eq!(energies, [0.0, 1.0 / 3.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Memory: 4 bytes per value and graph, 4 bytes per node and graph, and what one search needs.

use super::control::{Control, Request};
use super::problem::{OnGraph, Problem};
use super::sweep::Relaxation;
use super::{Error, Method, Plan, Replica, Scales, memory, rules, weigh};
use crate::graph::{BlockStream, Frame, NodeId, Revalued};
use crate::kernel::{Fields, LANES, LaneValues, Operands, Scratch, Spins, bit_of_lane, lane_of_bit};

/// At most sixteen replicas of graphs that differ in their values only: replica `k` of graph `g` is number
/// `g · Plan::replicas + k`.
pub struct Siblings<'a> {
    parent: &'a dyn BlockStream,
    plan: Plan,
    n_graphs: usize,
    /// By lane: index of its graph; in a lane without a replica, of any.
    graphs: [usize; LANES],
    /// By lane: number of the replica in the search on its graph alone.
    numbers: [u32; LANES],
    values: LaneValues,
    each: Vec<Sibling<'a>>,
    /// `Σ_j |Au_ij|`: `[node][graph]`
    rows: Vec<f32>,
}

struct Sibling<'a> {
    /// Without its values.
    graph: Revalued<'a>,
    /// Its values, if those of the lanes are scaled.
    unscaled: Option<Vec<f32>>,
    seed: u64,
    /// Without the sums of rows.
    scales: Scales,
}

/// Fewer graphs are faster one after the other: a pass over values by lane costs about as much as three over tables, see
/// BENCHMARKS.md.
const LEAST: usize = 4;

/// How many of `wanted` graphs are solved side by side where the plan says how each is solved: at least one. `graph` is
/// one of them, or what they differ from.
pub fn at_once(graph: &dyn BlockStream, plan: &Plan, wanted: usize) -> usize {
    let most = wanted.min(LANES / (plan.replicas as usize).clamp(1, LANES));
    let fitting = match plan.method {
        Method::Steepest => 1,
        _ if graph.is_one_way() => 1,
        Method::Sweep | Method::Anneal { .. } => memory::siblings_at_once(graph, plan, most),
    };
    if fitting < LEAST { 1 } else { fitting }
}

impl<'a> Siblings<'a> {
    /// Room for `n_graphs` graphs with the frames of `parent`, each to be solved by `plan` with a seed of its own.
    ///
    /// # Panics
    /// If they have more than sixteen replicas together.
    pub fn new(parent: &'a dyn BlockStream, plan: &Plan, n_graphs: usize) -> Self {
        let instances = plan.replicas as usize;
        assert!((1..=LANES).contains(&(n_graphs * instances)), "replicas for the lanes of one vector");
        let graph_of_replica: [_; LANES] = std::array::from_fn(|replica| (replica / instances).min(n_graphs - 1));
        Self {
            parent,
            plan: plan.clone(),
            n_graphs,
            graphs: std::array::from_fn(|lane| graph_of_replica[bit_of_lane(lane)]),
            numbers: std::array::from_fn(|lane| (bit_of_lane(lane) % instances) as u32),
            values: LaneValues::zero(parent.values().len(), n_graphs, graph_of_replica),
            each: Vec::with_capacity(n_graphs),
            rows: vec![0.0; n_graphs * parent.totals().n_nodes as usize],
        }
    }

    /// Takes in the next graph, which is to be solved with this seed. Cost: that of [`Scales::measure`].
    ///
    /// # Errors
    /// If the graph cannot be read or has no weight.
    ///
    /// # Panics
    /// If there is no room for it.
    pub fn push(&mut self, mut graph: Revalued<'a>, seed: u64) -> Result<(), Error> {
        let index = self.each.len();
        assert!(index < self.n_graphs, "a graph more than there is room for");
        let mut scales = Scales::measure(&graph)?;
        scales.check_weight()?;
        let rows = std::mem::take(&mut scales.rows);
        self.rows[index..].iter_mut().step_by(self.n_graphs).zip(rows).for_each(|(to, sum)| *to = sum);
        let values = graph.take_values();
        self.values.set(index, &values, scales.factor);
        let unscaled = (scales.factor != 1.0).then_some(values);
        self.each.push(Sibling { graph, unscaled, seed, scales });
        Ok(())
    }

    /// Solves all graphs, and returns the replicas of each.
    ///
    /// # Errors
    /// [`Error`] if the graphs cannot be read, or the search was stopped; nothing is saved.
    ///
    /// # Panics
    /// Unless all graphs have been pushed.
    pub fn solve(&self, control: &dyn Control) -> Result<Vec<Vec<Replica>>, Error> {
        assert_eq!(self.each.len(), self.n_graphs, "a graph is missing");
        let request = Request { plan: &self.plan, control, done: &[] };
        let n_replicas = self.plan.replicas * self.n_graphs as u32;
        let mut replicas = rules::run(Relaxation::new(self, request, 0..n_replicas)?)?;
        replicas.iter_mut().for_each(|replica| replica.index %= self.plan.replicas);
        let mut each: Vec<_> = replicas.chunks(self.plan.replicas as usize).map(<[_]>::to_vec).collect();
        for (index, replicas) in each.iter_mut().enumerate() {
            weigh::weigh(&self.graph_of(index), self.plan.isa, replicas)?;
        }
        Ok(each)
    }

    /// One of the graphs, with its values.
    fn graph_of(&self, index: usize) -> Revalued<'a> {
        let Sibling { graph, unscaled, .. } = &self.each[index];
        graph.refilled(unscaled.clone().unwrap_or_else(|| self.values.of_graph(index)))
    }

    /// Index of a replica's graph.
    fn index_of(&self, replica: usize) -> usize {
        self.graphs[lane_of_bit(replica % LANES)]
    }
}

impl Problem for Siblings<'_> {
    type Buffers = Scratch;

    fn graph(&self) -> &dyn BlockStream {
        self.parent
    }

    fn add_fields(&self, (_, frame): (usize, &Frame), spins: &Spins, fields: &mut Fields, scratch: &mut Scratch) {
        let operands = Operands { isa: self.plan.isa, values: &self.values, spins };
        for blocks in [&frame.inward, &frame.outward] {
            operands.add_blocks(blocks, fields, scratch);
        }
    }

    fn sum_abs(&self, replica: u32) -> f64 {
        let Sibling { graph, scales, .. } = &self.each[self.index_of(replica as usize)];
        scales.factor * graph.totals().sum_abs
    }

    fn scales(&self, lane: usize) -> &Scales {
        &self.each[self.graphs[lane]].scales
    }

    #[inline(always)]
    fn row_sum(&self, lane: usize, node: NodeId) -> f32 {
        self.rows[node as usize * self.n_graphs + self.graphs[lane]]
    }

    fn seed(&self, lane: usize) -> u64 {
        self.each[self.graphs[lane]].seed
    }

    #[inline(always)]
    fn numbers(&self, _: usize) -> [u32; LANES] {
        self.numbers
    }

    #[inline(always)]
    fn by_graph<T: Copy + Default>(&self, f: impl Fn(usize) -> T) -> [T; LANES] {
        // A loop, which is made into vectors: `std::array::from_fn` is called, lane by lane.
        let mut values = [T::default(); LANES];
        for (lane, value) in values.iter_mut().enumerate() {
            *value = f(lane);
        }
        values
    }

    fn each_graph(&self, slots: &[usize], f: &mut OnGraph<'_>) -> Result<(), Error> {
        let mut runs = slots.chunk_by(|&a, &b| self.index_of(a) == self.index_of(b));
        runs.try_for_each(|slots| f(&self.graph_of(self.index_of(slots[0])), slots))
    }
}
