//! Dead ends: one pass over the layers, from the last to the first, tells which nodes reach the predicted class.

use rayon::prelude::*;

use super::max_masks::{MaxMasks, PoolEdges};
use super::sections::Section;
use super::wiring::Wiring;
use crate::forward::States;
use crate::graph::{self, BlockStream, Frame, NodeId, PanelKind};

/// What the pass reads.
pub(super) struct Pass<'a> {
    pub wiring: &'a Wiring<'a>,
    pub stream: &'a dyn BlockStream,
    pub states: &'a States,
    /// By gates of the wiring and node: the images in which they are open.
    pub open: &'a [Vec<u16>],
}

/// Which nodes and pooling edges are active.
pub(super) struct Alive {
    /// By node.
    pub nodes: Vec<u16>,
    /// By frame: edges into max-pooling layers, as the In blocks of their rows have them.
    pub inward: MaxMasks,
    /// The same edges as the Out blocks of their columns' rows have them.
    pub outward: MaxMasks,
}

/// The masks of one frame.
struct FrameMasks {
    /// By row.
    masks: Vec<u16>,
    /// Max masks of its In blocks and of its Out blocks.
    inward: Vec<u16>,
    outward: Vec<u16>,
}

impl<'a> Pass<'a> {
    /// Lets the nodes `roots` live, and every node that has an active edge to a living one.
    ///
    /// Cost: one read of the frames; a word a column for every row group.
    pub fn run(&self, roots: &[(NodeId, u16)]) -> Result<Alive, graph::Error> {
        let n_frames = self.stream.frames().len();
        let mut alive = Alive {
            nodes: vec![0; self.stream.totals().n_nodes as usize],
            inward: MaxMasks::new(n_frames),
            outward: MaxMasks::new(n_frames),
        };
        roots.iter().for_each(|&(node, mask)| alive.nodes[node as usize] |= mask);
        // Edges lead from earlier layers to later ones. So whoever reads a layer is known to live or not when it is its turn,
        // and the frames of one layer do not depend on each other.
        for layer in (0..self.stream.layers().len()).rev() {
            let frames: Vec<_> = (0..n_frames).filter(|&k| self.stream.frames()[k].layer as usize == layer).collect();
            let each = |frame: &mut Frame, &index: &usize| self.frame(index, frame, &alive.nodes);
            let found = frames.par_iter().with_max_len(1).map_init(Frame::default, each);
            let found = found.collect::<Result<Vec<_>, graph::Error>>()?;
            for (&index, FrameMasks { masks, inward, outward }) in frames.iter().zip(found) {
                let first = self.stream.frames()[index].rows.start as usize;
                alive.nodes[first..first + masks.len()].copy_from_slice(&masks);
                alive.outward.set(index, outward);
                alive.inward.set(index, inward);
            }
        }
        Ok(alive)
    }

    /// What is found of a frame; `alive` is final for all later layers.
    fn frame(&self, index: usize, frame: &mut Frame, alive: &[u16]) -> Result<FrameMasks, graph::Error> {
        self.stream.read(index, frame)?;
        let info = &self.stream.frames()[index];
        let (layer, first) = (info.layer as usize, info.rows.start);
        let mut masks = alive[info.rows.start as usize..info.rows.end as usize].to_vec();
        let mut outward = Vec::new();
        for section in Section::all(self.stream.layers(), &frame.outward) {
            match self.pool_edges(section.layer, layer) {
                Some(edges) => section.for_each_edge(|row, col| {
                    let mask = edges.max_mask(col, row, alive[col as usize]);
                    masks[(row - first) as usize] |= mask;
                    outward.push(mask);
                }),
                None => {
                    let gates = self.wiring.between(section.layer, layer).gates;
                    reach(&section, alive, self.open(gates, first, masks.len()), first, &mut masks);
                }
            }
        }
        // The rows of this frame are final now: so are the max masks of their own edges.
        let mut inward = Vec::new();
        for section in Section::all(self.stream.layers(), &frame.inward) {
            if let Some(edges) = self.pool_edges(layer, section.layer) {
                section.for_each_edge(|row, col| inward.push(edges.max_mask(row, col, masks[(row - first) as usize])));
            }
        }
        Ok(FrameMasks { masks, inward, outward })
    }

    /// The edges into `reader` from `source`; nothing if `reader` is no max-pooling layer.
    fn pool_edges(&self, reader: usize, source: usize) -> Option<PoolEdges<'a>> {
        let (pair, output) = (self.wiring.between(reader, source), self.wiring.pool(reader)?);
        let (open, first) = (&self.open[pair.gates], self.wiring.first_node(pair.gates));
        Some(PoolEdges { states: self.states, output, input: pair.pooled.as_ref()?, open, first })
    }

    /// The images in which the gates of consecutive nodes are open.
    fn open(&self, gates: usize, first: NodeId, n: usize) -> &[u16] {
        &self.open[gates][(first - self.wiring.first_node(gates)) as usize..][..n]
    }
}

/// Adds to each row's mask the images in which one of its columns lives and its gate is open.
fn reach(section: &Section<'_>, alive: &[u16], open: &[u16], first: NodeId, masks: &mut [u16]) {
    for block in section.blocks {
        let intervals = section.intervals(block);
        for group in block.groups() {
            let any = |r: u32| {
                let columns = intervals.iter().flat_map(|interval| block.stretch(group, r, interval).columns());
                columns.fold(0, |any, column| any | alive[column as usize])
            };
            // The rows of a dense group have the same columns: one look at them serves all.
            let shared = (block.kind == PanelKind::Dense).then(|| any(0));
            for (r, row) in block.rows(group) {
                let at = (row - first) as usize;
                masks[at] |= shared.unwrap_or_else(|| any(r)) & open[at];
            }
        }
    }
}
