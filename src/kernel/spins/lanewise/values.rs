//! The values of several graphs side by side.

use crate::kernel::lanes::vector::{LANES, bit_of_lane};

/// The values of several graphs, and which lane has which graph's.
#[derive(Clone, Debug)]
pub struct LaneValues {
    n_graphs: usize,
    /// By lane: its graph.
    graphs: [u32; LANES],
    /// `[value][graph]`, and [`LANES`] more, so that a whole vector can be read anywhere.
    values: Vec<f32>,
}

impl LaneValues {
    /// Zeros for the replicas `0..16`, of which each belongs to one of `n_graphs` graphs.
    ///
    /// Memory: 4 bytes per value and graph.
    ///
    /// # Panics
    /// Unless there are one to sixteen graphs, and replicas of no others.
    pub fn zero(n_values: usize, n_graphs: usize, graph_of_replica: [usize; LANES]) -> Self {
        assert!((1..=LANES).contains(&n_graphs) && graph_of_replica.iter().all(|&graph| graph < n_graphs));
        let graphs = std::array::from_fn(|lane| graph_of_replica[bit_of_lane(lane)] as u32);
        Self { n_graphs, graphs, values: vec![0.0; n_values * n_graphs + LANES] }
    }

    /// Sets the values of one graph, each times `factor`, a power of two.
    pub fn set(&mut self, graph: usize, values: &[f32], factor: f64) {
        assert_eq!(values.len(), self.n_values(), "a value store of another length");
        let to = self.values[graph..].iter_mut().step_by(self.n_graphs);
        to.zip(values).for_each(|(to, &value)| *to = (f64::from(value) * factor) as f32);
    }

    /// The values of one graph, as they were set.
    pub fn of_graph(&self, graph: usize) -> Vec<f32> {
        self.values[graph..].iter().step_by(self.n_graphs).take(self.n_values()).copied().collect()
    }

    /// Values of each graph.
    pub fn n_values(&self) -> usize {
        (self.values.len() - LANES) / self.n_graphs
    }

    /// The value at an offset, by lane.
    #[inline(always)]
    pub(in crate::kernel::spins) fn vector(&self, offset: usize) -> [f32; LANES] {
        let of_graphs = &self.values[offset * self.n_graphs..][..LANES];
        let mut vector = [0.0; LANES];
        for (value, graph) in vector.iter_mut().zip(self.graphs) {
            *value = of_graphs[graph as usize % LANES];
        }
        vector
    }

    /// By lane, the position of its value among sixteen from [`pointer`](Self::pointer).
    #[cfg(target_arch = "x86_64")]
    pub(in crate::kernel::spins) fn graphs(&self) -> &[u32; LANES] {
        &self.graphs
    }

    /// Where the values at an offset begin: sixteen can be read if the offset is in range.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(in crate::kernel::spins) fn pointer(&self, offset: usize) -> *const f32 {
        self.values.as_ptr().wrapping_add(offset * self.n_graphs)
    }
}
