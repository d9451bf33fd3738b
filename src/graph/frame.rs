//! Frames: what is read, worked on and skipped as a whole.

use std::ops::Range;

use super::{Blocks, NodeId};

/// Rows of `A` (edges into a node) or of `Aᵀ` (edges out of it).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Row `i` holds the edges `j → i`.
    In,
    /// Row `j` holds the edges `j → i`.
    Out,
}

impl Direction {
    /// What belongs to this direction.
    #[inline(always)]
    pub(crate) fn of<T>(self, inward: T, outward: T) -> T {
        match self {
            Self::In => inward,
            Self::Out => outward,
        }
    }
}

/// Both directions of consecutive rows, decoded. Reused as a buffer between reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Rows of `A`.
    pub inward: Blocks,
    /// Rows of `Aᵀ`.
    pub outward: Blocks,
}

impl Frame {
    /// Forgets the contents, keeps the capacity.
    pub fn clear(&mut self) {
        self.inward.clear();
        self.outward.clear();
    }
    /// The blocks of one direction.
    pub fn direction(&self, direction: Direction) -> &Blocks {
        direction.of(&self.inward, &self.outward)
    }
}

/// What a reader knows of a frame before reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// The frame's rows, all in one layer.
    pub rows: Range<NodeId>,
    /// Index of that layer.
    pub layer: u32,
    /// Edges into the rows.
    pub n_edges_in: u64,
    /// Edges out of the rows.
    pub n_edges_out: u64,
}
