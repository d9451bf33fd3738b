//! Which frames a descent must look at again: those with a neighbour that flipped since they were last read.

use rayon::prelude::*;

use crate::graph::{self, Block, BlockStream, Frame, Interval};

/// Frames joined by an edge.
struct Neighbours {
    /// By frame: indices of the frames that hold a column of one of its rows, ascending.
    frames: Vec<Vec<u32>>,
}

impl Neighbours {
    /// Cost: one read of the frames.
    fn new(graph: &dyn BlockStream) -> Result<Self, graph::Error> {
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
    fn of(&self, index: usize) -> &[u32] {
        &self.frames[index]
    }
}

/// Marks the frames that hold a column of one interval, over the whole run of row groups.
fn mark(graph: &dyn BlockStream, block: &Block, interval: &Interval, found: &mut [bool]) {
    let frames = graph.frames();
    for group in block.groups() {
        let columns = group.shifted(interval).columns();
        let first = frames.partition_point(|frame| frame.rows.end <= columns.start);
        let behind = frames.partition_point(|frame| frame.rows.start < columns.end);
        found[first..behind].fill(true);
    }
}

/// By frame and lane group: does a sweep have to look at it?
pub(super) struct Stale {
    n_groups: usize,
    /// Nothing where everything has to be looked at in every sweep.
    watch: Option<Watch>,
}

struct Watch {
    neighbours: Neighbours,
    /// `[frame][group]`
    flags: Vec<bool>,
}

impl Stale {
    /// Every sweep looks at everything.
    pub(super) fn everything(n_groups: usize) -> Self {
        Self { n_groups, watch: None }
    }

    /// The first sweep looks at everything, later ones at what has a neighbour that flipped. Cost: one read of the frames.
    pub(super) fn new(graph: &dyn BlockStream, n_groups: usize) -> Result<Self, graph::Error> {
        let watch = Watch { neighbours: Neighbours::new(graph)?, flags: vec![true; graph.frames().len() * n_groups] };
        Ok(Self { n_groups, watch: Some(watch) })
    }

    /// Lane groups that are looked at.
    pub(super) fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// The lane groups for which a frame has to be looked at; it counts as looked at from now on.
    pub(super) fn take(&mut self, frame: usize) -> Vec<usize> {
        let groups = 0..self.n_groups;
        let Some(watch) = &mut self.watch else { return groups.collect() };
        let flags = &mut watch.flags[frame * self.n_groups..][..self.n_groups];
        groups.filter(|&group| std::mem::take(&mut flags[group])).collect()
    }

    /// A spin of this frame has flipped in one lane group.
    pub(super) fn flipped(&mut self, frame: usize, group: usize) {
        let Some(Watch { neighbours, flags }) = &mut self.watch else { return };
        neighbours.of(frame).iter().for_each(|&k| flags[k as usize * self.n_groups + group] = true);
    }

    /// Forgets all but the first lane groups, after their replicas have been exchanged: a frame that is stale for any
    /// group is then stale for all.
    pub(super) fn keep_groups(&mut self, n_groups: usize) {
        if let Some(watch) = &mut self.watch {
            let any = watch.flags.chunks(self.n_groups).map(|flags| flags.contains(&true));
            watch.flags = any.flat_map(|any| std::iter::repeat_n(any, n_groups)).collect();
        }
        self.n_groups = n_groups;
    }
}
