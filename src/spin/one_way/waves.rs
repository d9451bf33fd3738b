//! Reading a one-way stream in waves: while the threads work on one, the system is asked for the values of the next ones, and
//! those of the one before are given back.
//!
//! A wave is as many visits as keep all threads busy for a while. Without waves threads would wait for the disk in turn,
//! each for its own frame, and nothing would ever be given back before memory is full.

use std::iter::Peekable;
use std::ops::Range;

use rayon::prelude::*;

use super::out_blocks::out_blocks;
use crate::graph::{self, BlockStream, Frame};
use crate::kernel::LANES;
use crate::spin::visits::{Visit, planes_at_once};

/// What makes a wave full, if it has a visit for every thread: 32 MiB of values and scattered fields, in numbers of 4 bytes.
const FULL: u64 = 1 << 23;
/// How far ahead values are asked for, in full waves: the disk must have work while threads wait for each other.
const AHEAD: u64 = 4;

/// What visits to every frame hold.
pub(in crate::spin) struct Waves {
    frames: Vec<FrameLoad>,
}

/// What a visit holds: the values of its frame, and vectors for the rows that their edges come from.
struct FrameLoad {
    values: Range<u64>,
    vectors: u64,
}

impl FrameLoad {
    fn numbers(&self, n_planes: usize) -> u64 {
        self.values.end - self.values.start + LANES as u64 * self.vectors * n_planes as u64
    }
}

impl Waves {
    /// Cost: one read of the frames, not of the values.
    pub(in crate::spin) fn new(graph: &dyn BlockStream) -> Result<Self, graph::Error> {
        let load = |frame: &mut Frame, index: usize| {
            graph.read(index, frame)?;
            let vectors = out_blocks(graph, index, frame).iter().map(|(rows, _)| rows.len() as u64).sum();
            Ok(FrameLoad { values: frame.inward.own_values(), vectors })
        };
        let frames = (0..graph.frames().len()).into_par_iter().map_init(Frame::default, load);
        Ok(Self { frames: frames.collect::<Result<_, graph::Error>>()? })
    }

    /// Bytes that a wave holds at most, with that many planes.
    pub(in crate::spin) fn bytes(&self, graph: &dyn BlockStream, n_planes: usize) -> u64 {
        let frames = graph.frames().iter().zip(&self.frames);
        let largest =
            frames.map(|(info, load)| load.numbers(planes_at_once(info.rows.len()).min(n_planes))).max().unwrap_or(0);
        4 * ((1 + AHEAD) * FULL + rayon::current_num_threads() as u64 * largest)
    }

    /// The visits of the next wave, at least one.
    pub(in crate::spin) fn next(&self, visits: &mut Peekable<impl Iterator<Item = Visit>>) -> Vec<Visit> {
        let threads = rayon::current_num_threads();
        let (mut wave, mut numbers) = (Vec::new(), 0);
        while let Some(visit) = visits.next_if(|_| wave.len() < threads || numbers < FULL) {
            numbers += self.frames[visit.frame].numbers(visit.planes.len());
            wave.push(visit);
        }
        wave
    }

    /// Asks for the values that follow those of frame `last`.
    pub(in crate::spin) fn prefetch_after(&self, graph: &dyn BlockStream, last: usize) {
        let following = (last + 1..self.frames.len()).chain(0..=last);
        let mut asked = 0;
        for values in following.map(|index| &self.frames[index].values).filter(|values| !values.is_empty()) {
            if asked >= AHEAD * FULL {
                break;
            }
            asked += values.end - values.start;
            graph.prefetch(values.clone());
        }
    }

    /// Gives back the values of some frames.
    pub(in crate::spin) fn release(&self, graph: &dyn BlockStream, frames: Range<usize>) {
        let values = self.frames[frames].iter().map(|load| &load.values).filter(|values| !values.is_empty());
        values.for_each(|values| graph.release(values.clone()));
    }
}
