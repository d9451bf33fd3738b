//! Tensors that are other tensors' elements in another order: shuffles, slices, paddings, reorderings.

use crate::kernel::multiply::Vector;
use crate::net::{Op, Shape};

/// No element: a zero.
const ZERO: u32 = u32::MAX;

/// Which element of the input each element of the output is.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    sources: Vec<u32>,
}

impl Gather {
    /// Of an operator that moves elements, from a tensor of shape `input` to one of shape `output`; both channels-last.
    pub fn of(op: &Op, input: Shape, output: Shape) -> Option<Self> {
        let source: Box<dyn Fn([usize; 3]) -> Option<[usize; 3]>> = match op {
            Op::Shuffle { groups } => {
                let (groups, m) = (*groups, input.c / groups);
                Box::new(move |[c, y, x]| Some([c % groups * m + c / groups, y, x]))
            }
            Op::Slice { begin, step } => {
                let (begin, step) = (*begin, *step);
                Box::new(move |at| Some([0, 1, 2].map(|axis| begin[axis] + at[axis] * step[axis])))
            }
            Op::Pad { before } => {
                let before = *before;
                Box::new(move |[c, y, x]| {
                    Some([c.checked_sub(before[0])?, y.checked_sub(before[1])?, x.checked_sub(before[2])?])
                })
            }
            _ => return None,
        };
        let position = |at: [usize; 3]| match source(at) {
            Some([c, y, x]) if c < input.c && y < input.h && x < input.w => ((y * input.w + x) * input.c + c) as u32,
            _ => ZERO,
        };
        let elements = (0..output.h).flat_map(|y| (0..output.w).map(move |x| (y, x)));
        Some(Self {
            sources: elements.flat_map(|(y, x)| (0..output.c).map(move |c| [c, y, x])).map(position).collect(),
        })
    }

    /// From the order `from` to the order `to`, two shapes with one channel-major flattening.
    pub fn reordering(from: Shape, to: Shape) -> Self {
        let places = |shape: Shape| {
            let pixels = shape.h * shape.w;
            (0..shape.len()).map(move |e| (e % pixels * shape.c + e / pixels) as u32)
        };
        let mut sources = vec![ZERO; to.len()];
        for (source, place) in places(from).zip(places(to)) {
            sources[place as usize] = source;
        }
        Self { sources }
    }

    /// Fills `out`, the elements from `first` on.
    pub fn run<const L: usize>(&self, input: &[Vector<L>], first: usize, out: &mut [Vector<L>]) {
        for (out, &source) in out.iter_mut().zip(&self.sources[first..]) {
            *out = if source == ZERO { [0.0; L] } else { input[source as usize] };
        }
    }
}
