//! Weights that are changed before they are used, and intervals that point to them.
//!
//! The store itself is shared and never written: what is made of a block's values goes to a buffer, whose first value is the
//! store's `first`-th, and the block's intervals are moved to match.

use std::ops::Range;

use crate::graph::reading::Reading;
use crate::graph::{Block, Interval};
use crate::kernel::lanes::isa::Isa;
use crate::kernel::lanes::task::Task;

/// Intervals and values of one block, read in some way. A buffer.
#[derive(Clone, Debug, Default)]
pub struct ReadValues {
    intervals: Vec<Interval>,
    values: Vec<f32>,
    /// Offset of the first of the values in the store.
    first: u64,
}

impl ReadValues {
    /// The block's intervals, and the values that they point into. Cost, unless weights stay as they are: the values from
    /// the block's first to its last.
    pub fn read<'a>(
        &'a mut self,
        isa: Isa,
        (block, intervals): (&Block, &'a [Interval]),
        values: &'a [f32],
        reading: Reading,
    ) -> (&'a [Interval], &'a [f32]) {
        if reading == Reading::AsIs {
            return (intervals, values);
        }
        self.load(isa, block.value_range(intervals), values, reading);
        self.of(intervals)
    }

    /// Reads the values of a range of the store.
    pub fn load(&mut self, isa: Isa, range: Range<u64>, values: &[f32], reading: Reading) {
        self.first = range.start;
        let from = &values[range.start as usize..range.end as usize];
        self.values.resize(from.len(), 0.0);
        let to = &mut self.values[..];
        match reading {
            Reading::AsIs => to.copy_from_slice(from),
            Reading::Scaled(factor) => isa.run(Map { from, to, f: move |w| (f64::from(w) * factor) as f32 }),
            Reading::Digit(digit) => isa.run(Map { from, to, f: move |w| digit.of(w) }),
        }
    }

    /// Intervals whose values have been loaded, and the values that they point into.
    pub fn of(&mut self, intervals: &[Interval]) -> (&[Interval], &[f32]) {
        self.intervals.clear();
        self.intervals.extend(intervals.iter().map(|i| Interval { values: i.values - self.first, ..*i }));
        (&self.intervals, &self.values)
    }
}

/// `f` of every value.
struct Map<'a, F> {
    from: &'a [f32],
    to: &'a mut [f32],
    f: F,
}

impl<F: Fn(f32) -> f32> Task for Map<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &w) in self.to.iter_mut().zip(self.from) {
            *to = (self.f)(w);
        }
    }
}
