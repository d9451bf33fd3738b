//! Tensors that are other tensors' elements in another order: shuffles, slices, paddings, reorderings.
//!
//! Where an element comes from is computed as it is needed: no table, so that a chain of them costs no memory.

use crate::kernel::images::Vector;
use crate::net::{Op, Shape};

/// Which element of the input each element of the output is; both channels-last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gather {
    input: Shape,
    output: Shape,
    rearrangement: Rearrangement,
}

/// How elements move.
#[derive(Clone, Copy, Debug)]
enum Rearrangement {
    /// Channel `j · groups + i` is channel `i · m + j`.
    Shuffle { groups: usize },
    /// Element `k` of axis `a` (c, h, w) is element `begin[a] + k · step[a] − before[a]`, or a zero where there is none.
    Steps { begin: [usize; 3], step: [usize; 3], before: [usize; 3] },
    /// The tensors have one channel-major flattening.
    Reorder,
}

impl Gather {
    /// Of an operator that moves elements, from a tensor of shape `input` to one of shape `output`; both channels-last.
    pub fn of(op: &Op, input: Shape, output: Shape) -> Option<Self> {
        let rearrangement = match *op {
            Op::Shuffle { groups } => Rearrangement::Shuffle { groups },
            Op::Slice { begin, step } => Rearrangement::Steps { begin, step, before: [0; 3] },
            Op::Pad { before } => Rearrangement::Steps { begin: [0; 3], step: [1; 3], before },
            _ => return None,
        };
        Some(Self { input, output, rearrangement })
    }

    /// From the order `from` to the order `to`, two shapes with one channel-major flattening.
    pub fn reordering(from: Shape, to: Shape) -> Self {
        Self { input: from, output: to, rearrangement: Rearrangement::Reorder }
    }

    /// Fills `out`, whole pixels, the elements from `first` on.
    pub fn run<const L: usize>(&self, input: &[Vector<L>], first: usize, out: &mut [Vector<L>]) {
        let Shape { c, w, .. } = self.output;
        for (pixel, out) in (first / c..).zip(out.chunks_exact_mut(c)) {
            match self.rearrangement {
                Rearrangement::Shuffle { groups } => shuffle(&input[pixel * c..][..c], groups, out),
                Rearrangement::Steps { .. } => self.take(input, [pixel / w, pixel % w], out),
                Rearrangement::Reorder => self.reorder(input, pixel, out),
            }
        }
    }

    /// One pixel of a slice or padding.
    fn take<const L: usize>(&self, input: &[Vector<L>], pixel: [usize; 2], out: &mut [Vector<L>]) {
        let Rearrangement::Steps { begin, step, before } = self.rearrangement else { return };
        let Shape { c, h, w } = self.input;
        let at = |axis: usize, k: usize, size: usize| {
            (begin[axis] + k * step[axis]).checked_sub(before[axis]).filter(|&at| at < size)
        };
        let row = at(1, pixel[0], h).zip(at(2, pixel[1], w)).map(|(y, x)| &input[(y * w + x) * c..][..c]);
        for (k, out) in out.iter_mut().enumerate() {
            *out = row.zip(at(0, k, c)).map_or([0.0; L], |(row, channel)| row[channel]);
        }
    }

    /// One pixel of a tensor with another order.
    fn reorder<const L: usize>(&self, input: &[Vector<L>], pixel: usize, out: &mut [Vector<L>]) {
        let [n_from, n_to] = [self.input, self.output].map(|shape| shape.h * shape.w);
        for (channel, out) in out.iter_mut().enumerate() {
            let element = channel * n_to + pixel;
            *out = input[element % n_from * self.input.c + element / n_from];
        }
    }
}

/// One pixel of a channel shuffle.
fn shuffle<const L: usize>(pixel: &[Vector<L>], groups: usize, out: &mut [Vector<L>]) {
    let m = pixel.len() / groups;
    for (j, out) in out.chunks_exact_mut(groups).enumerate() {
        out.iter_mut().enumerate().for_each(|(i, out)| *out = pixel[i * m + j]);
    }
}
