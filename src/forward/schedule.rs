//! From layers to stages: what is computed in which order, what is fused, and which buffer holds it.
//!
//! Two schedules share the weights. In one every layer has its own tensor. In the other what follows a convolution or dense
//! layer element by element happens as its sums are stored, a large convolution that is only pooled is pooled as it is
//! computed, later elementwise layers work in place, tensors that are only concatenated are written where they belong, and
//! buffers are used again when their tensor has been read for the last time. Both compute the same bits.

use std::sync::Arc;

use super::elementwise::Elementwise;
use super::gather::Gather;
use super::tensor::Slot;
use super::windowed::Windowed;
use crate::kernel::images::Finish;
use crate::net::{Lrn, Pool, Shape, Window};

/// What one stage computes.
#[derive(Clone, Debug)]
pub(super) enum Computation {
    Windowed {
        layer: Arc<Windowed>,
        finish: Finish,
    },
    /// A convolution and the maxima over windows of its output, which is nowhere whole.
    Pooled {
        layer: Arc<Windowed>,
        finish: Finish,
        window: Window,
    },
    Pool {
        pool: Pool,
        input: Shape,
    },
    Lrn(Lrn),
    Elementwise(Arc<Elementwise>),
    /// Sum of all inputs.
    Sum,
    /// Copies of all inputs, each at its first channel.
    Concat(Vec<usize>),
    Gather(Gather),
    Softmax,
}

/// One stage: reads tensors, writes one; in place if that is also its input.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub computation: Computation,
    /// For [`Computation::Windowed`] a second input is added.
    pub inputs: Vec<usize>,
    pub output: usize,
}

/// A tensor of the schedule.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlacedTensor {
    /// The order of its elements is channels-last of this.
    pub order: Shape,
    pub slot: Slot,
}

/// Steps in order, over tensors in buffers.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub stages: Vec<Stage>,
    pub tensors: Vec<PlacedTensor>,
    /// The tensor that holds each network layer's output; of a fused schedule not all are kept.
    pub of_layer: Vec<usize>,
    /// Sizes of the buffers, in vectors.
    pub buffers: Vec<usize>,
}

/// What a schedule keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Every layer's output.
    All,
    /// Only the output of this layer.
    One(usize),
}

impl Computation {
    /// True if the output may be strided.
    pub fn is_strided(&self) -> bool {
        matches!(self, Self::Windowed { .. } | Self::Pooled { .. } | Self::Pool { .. })
    }
}

impl Stage {
    /// A convolution, its output pooled: where windows share at most one row with the next.
    pub fn pooled(&self, window: &Window) -> Option<Computation> {
        let Computation::Windowed { layer, finish } = &self.computation else { return None };
        let shared = ((window.kernel[0] - 1) * window.dilation[0] + 1).saturating_sub(window.stride[0]);
        let (layer, finish, window) = (Arc::clone(layer), finish.clone(), *window);
        (layer.is_convolution() && shared <= 1).then_some(Computation::Pooled { layer, finish, window })
    }

    /// True for sums of products that are not bounded yet.
    pub fn is_unbounded(&self) -> bool {
        let Computation::Windowed { finish, .. } = &self.computation else { return false };
        finish.low == f32::NEG_INFINITY && finish.high == f32::INFINITY
    }

    /// Takes over an elementwise layer, if it can: factors before an addend before bounds.
    pub fn absorb(&mut self, f: &Elementwise) -> bool {
        let unbounded = self.is_unbounded();
        let Computation::Windowed { layer, finish } = &mut self.computation else { return false };
        match f {
            Elementwise::Affine(mul, add)
                if unbounded && finish.affine.is_none() && self.inputs.len() == 1 && mul.len() == layer.shape.c =>
            {
                finish.affine = Some((mul.clone(), add.clone()));
                true
            }
            Elementwise::Clamp(low, high) if unbounded => {
                (finish.low, finish.high) = (*low, *high);
                true
            }
            _ => false,
        }
    }
}
