//! Edges into max-pooling layers: active in the images in which their element is the maximum.

use super::alive::Pass;
use super::sections::Section;
use crate::graph::NodeId;
use crate::graph::edges::for_each_edge_of;
use crate::kernel::mask_of;

/// Masks of the edges into max-pooling layers, by frame, in the order in which the frame's blocks have them. Memory: two
/// bytes an edge.
pub(super) struct Taps(Vec<Vec<u16>>);

impl Taps {
    pub fn new(n_frames: usize) -> Self {
        Self(vec![Vec::new(); n_frames])
    }
    pub fn set(&mut self, frame: usize, taps: Vec<u16>) {
        self.0[frame] = taps;
    }
    pub fn of(&self, frame: usize) -> &[u16] {
        &self.0[frame]
    }
}

/// Appends the masks of a section's edges, if `reader` is a max-pooling layer: that the gate of the node of `source` is open,
/// its element is the maximum, and the pool's node lives. `pair(row, column)` is the pool's node, then the source's.
pub(super) fn pool_taps(
    pass: &Pass<'_>,
    [reader, source]: [usize; 2],
    section: &Section<'_>,
    taps: &mut Vec<u16>,
    pair: impl Fn(NodeId, NodeId) -> (NodeId, NodeId),
    alive: impl Fn(NodeId) -> u16,
) {
    let Some(output) = pass.wiring.pool(reader) else { return };
    let link = pass.wiring.between(reader, source);
    let Some(input) = &link.pooled else { return };
    let (gates, first) = (&pass.planes[link.plane], pass.wiring.first_node(link.plane));
    for block in section.blocks {
        for_each_edge_of(block, section.intervals(block), |row, col, _| {
            let (pool, node) = pair(row, col);
            let mask = gates[(node - first) as usize] & alive(pool);
            let (maximum, value) = (output.value(pass.states, pool), input.value(pass.states, node));
            let is_maximum = || mask_of(std::array::from_fn(|lane| value[lane] == maximum[lane]));
            taps.push(if mask == 0 { 0 } else { mask & is_maximum() });
        });
    }
}
