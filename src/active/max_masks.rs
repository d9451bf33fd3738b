//! Edges into max-pooling layers: active in the images in which their element is the maximum.

use super::wiring::NodeElements;
use crate::forward::States;
use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};

/// **Max masks** of the edges into max-pooling layers, by frame, in the order in which the frame's blocks have them.
/// Memory: two bytes an edge.
pub(super) struct MaxMasks(Vec<Vec<u16>>);

impl MaxMasks {
    pub fn new(n_frames: usize) -> Self {
        Self(vec![Vec::new(); n_frames])
    }
    pub fn set(&mut self, frame: usize, masks: Vec<u16>) {
        self.0[frame] = masks;
    }
    pub fn of(&self, frame: usize) -> &[u16] {
        &self.0[frame]
    }
}

/// The edges between a max-pooling layer and one that it reads.
pub(super) struct PoolEdges<'a> {
    /// The network's values.
    pub states: &'a States,
    /// Where the pools' nodes are in their output.
    pub output: &'a NodeElements,
    /// Where the source's nodes are in the tensor that is pooled.
    pub input: &'a NodeElements,
    /// By node of the source, from `first`: the images in which its gates are open.
    pub open: &'a [u16],
    /// First node of the source.
    pub first: NodeId,
}

impl PoolEdges<'_> {
    /// The images in which the edge to `pool` from `node` is active, of those in which the pool's node is `alive`: the gates
    /// of `node` are open and its element is the maximum.
    pub fn max_mask(&self, pool: NodeId, node: NodeId, alive: u16) -> u16 {
        let mask = alive & self.open[(node - self.first) as usize];
        if mask == 0 {
            return 0;
        }
        let mut is_maximum = [false; LANES];
        let lanes = self.output.value(self.states, pool).iter().zip(self.input.value(self.states, node));
        for (is_maximum, (maximum, value)) in is_maximum.iter_mut().zip(lanes) {
            *is_maximum = value == maximum;
        }
        mask & mask_of(is_maximum)
    }
}
