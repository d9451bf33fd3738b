//! Which frames a descent must look at again: those with a neighbour that flipped since they were last read.

use rayon::prelude::*;

use crate::graph::{self, Block, BlockStream, Frame, Interval, PanelKind};

/// Frames joined by an edge.
pub(super) struct Neighbours {
    /// By frame: indices of the frames that hold a column of one of its rows, ascending.
    frames: Vec<Vec<u32>>,
}

impl Neighbours {
    /// Cost: one read of the frames.
    pub(super) fn new(graph: &dyn BlockStream) -> Result<Self, graph::Error> {
        let of_frame = |frame: &mut Frame, index: usize| {
            graph.read(index, frame)?;
            let mut found = vec![false; graph.frames().len()];
            for blocks in [&frame.inward, &frame.outward] {
                for block in &blocks.blocks {
                    blocks.intervals(block).iter().for_each(|i| mark(graph, block, i, &mut found));
                }
            }
            Ok((0..found.len() as u32).filter(|&k| found[k as usize]).collect())
        };
        let frames = (0..graph.frames().len()).into_par_iter().map_init(Frame::default, of_frame);
        Ok(Self { frames: frames.collect::<Result<_, graph::Error>>()? })
    }

    /// The frames whose fields depend on the spins of frame `index`.
    pub(super) fn of(&self, index: usize) -> &[u32] {
        &self.frames[index]
    }
}

/// Marks the frames that hold a column of one interval, over the whole run of row groups.
fn mark(graph: &dyn BlockStream, block: &Block, interval: &Interval, found: &mut [bool]) {
    let frames = graph.frames();
    let len = if block.kind == PanelKind::Dense { interval.len } else { block.n_rows };
    for a in 0..block.runs[0].count {
        for b in 0..block.runs[1].count {
            let first = interval.first_col + block.group(a, b).1;
            let mut k = frames.partition_point(|f| f.rows.end <= first);
            while k < frames.len() && frames[k].rows.start < first + len {
                found[k] = true;
                k += 1;
            }
        }
    }
}

/// By frame and lane group: does it have to be looked at?
pub(super) struct Stale {
    n_groups: usize,
    flags: Vec<bool>,
}

impl Stale {
    /// Everything has to be.
    pub(super) fn all(n_frames: usize, n_groups: usize) -> Self {
        Self { n_groups, flags: vec![true; n_frames * n_groups] }
    }
    /// The lane groups for which a frame has to be looked at; it counts as looked at from now on.
    pub(super) fn take(&mut self, frame: usize) -> Vec<usize> {
        let flags = &mut self.flags[frame * self.n_groups..][..self.n_groups];
        (0..self.n_groups).filter(|&group| std::mem::take(&mut flags[group])).collect()
    }
    /// A frame has to be looked at for one lane group.
    pub(super) fn set(&mut self, frame: usize, group: usize) {
        self.flags[frame * self.n_groups + group] = true;
    }
}
