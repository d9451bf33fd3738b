//! Which frames a descent must look at again: those with a neighbour that flipped since they were last read.

use rayon::prelude::*;

use crate::graph::{self, Block, BlockStream, Frame, Interval};

/// By frame and plane: does a sweep have to look at it?
pub(super) struct StaleFrames {
    n_planes: usize,
    /// Nothing where everything has to be looked at in every sweep.
    tracked: Option<Tracked>,
}

/// What is known where not every sweep looks at everything.
struct Tracked {
    /// By frame: those whose fields depend on its spins.
    neighbours: Vec<Vec<u32>>,
    /// `[frame][plane]`
    flags: Vec<bool>,
}

impl StaleFrames {
    /// Every sweep looks at everything.
    pub(super) fn everything(n_planes: usize) -> Self {
        Self { n_planes, tracked: None }
    }

    /// The first sweep looks at everything, later ones at what has a neighbour that flipped. Cost: one read of the frames.
    pub(super) fn new(graph: &dyn BlockStream, n_planes: usize) -> Result<Self, graph::Error> {
        let tracked = Tracked { neighbours: neighbours(graph)?, flags: vec![true; graph.frames().len() * n_planes] };
        Ok(Self { n_planes, tracked: Some(tracked) })
    }

    /// Planes that are looked at.
    pub(super) fn n_planes(&self) -> usize {
        self.n_planes
    }

    /// The planes for which a frame has to be looked at; it counts as looked at from now on.
    pub(super) fn take(&mut self, frame: usize) -> Vec<usize> {
        let planes = 0..self.n_planes;
        let Some(tracked) = &mut self.tracked else { return planes.collect() };
        let flags = &mut tracked.flags[frame * self.n_planes..][..self.n_planes];
        planes.filter(|&plane| std::mem::take(&mut flags[plane])).collect()
    }

    /// A spin of this frame has flipped in one plane.
    pub(super) fn flipped(&mut self, frame: usize, plane: usize) {
        let Some(Tracked { neighbours, flags }) = &mut self.tracked else { return };
        neighbours[frame].iter().for_each(|&k| flags[k as usize * self.n_planes + plane] = true);
    }

    /// Forgets all but the first planes, after their replicas have been exchanged: a frame that is stale for any
    /// plane is then stale for all.
    pub(super) fn keep_planes(&mut self, n_planes: usize) {
        if let Some(tracked) = &mut self.tracked {
            let any = tracked.flags.chunks(self.n_planes).map(|flags| flags.contains(&true));
            tracked.flags = any.flat_map(|any| std::iter::repeat_n(any, n_planes)).collect();
        }
        self.n_planes = n_planes;
    }
}

/// By frame: indices of the frames that hold a column of one of its rows, ascending. Cost: one read of the frames.
fn neighbours(graph: &dyn BlockStream) -> Result<Vec<Vec<u32>>, graph::Error> {
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
    (0..graph.frames().len()).into_par_iter().map_init(Frame::default, of_frame).collect()
}

/// Marks the frames that hold a column of one interval, over the row groups of the block.
fn mark(graph: &dyn BlockStream, block: &Block, interval: &Interval, found: &mut [bool]) {
    let frames = graph.frames();
    for group in block.groups() {
        let columns = group.shifted(interval).columns();
        let first = frames.partition_point(|frame| frame.rows.end <= columns.start);
        let end = frames.partition_point(|frame| frame.rows.start < columns.end);
        found[first..end].fill(true);
    }
}
