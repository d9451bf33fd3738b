//! Weights that are changed before they are used, and intervals that point to them.
//!
//! The store itself is shared and never written: what is made of a block's values goes to a buffer, whose first value is the
//! store's `first`-th, and the block's intervals are moved to match.

use std::ops::Range;

use crate::graph::reading::Reading;
use crate::graph::{Block, Interval};
use crate::kernel::{Isa, Task};

/// A value store, and what is made of its values before they are used.
#[derive(Clone, Copy, Debug)]
pub struct ReadStore<'a> {
    /// How it is computed.
    pub isa: Isa,
    /// The value store.
    pub values: &'a [f32],
    /// What is made of the values.
    pub reading: Reading,
}

/// Values that have been read, and intervals that point to them. A buffer.
#[derive(Clone, Debug, Default)]
pub struct ReadValues {
    intervals: Vec<Interval>,
    values: Vec<f32>,
    /// Offset of the first of the values in the store.
    first: u64,
}

impl<'a> ReadStore<'a> {
    /// The intervals of a block, and the values that they point to. Cost, unless weights stay as they are: the values from
    /// the block's first to its last.
    pub fn block<'b>(
        &self,
        block: &Block,
        intervals: &'b [Interval],
        buffer: &'b mut ReadValues,
    ) -> (&'b [Interval], &'b [f32])
    where
        'a: 'b,
    {
        if self.reading == Reading::AsIs {
            return (intervals, self.values);
        }
        self.range(block.value_range(intervals), buffer);
        buffer.of(intervals)
    }

    /// Reads the values of a range of the store, for [`ReadValues::of`].
    pub fn range(&self, range: Range<u64>, buffer: &mut ReadValues) {
        buffer.first = range.start;
        let from = &self.values[range.start as usize..range.end as usize];
        buffer.values.resize(from.len(), 0.0);
        let to = &mut buffer.values[..];
        match self.reading {
            Reading::AsIs => to.copy_from_slice(from),
            Reading::Scaled(factor) => self.isa.run(Map { from, to, f: move |w| (f64::from(w) * factor) as f32 }),
            Reading::Digit(digit) => self.isa.run(Map { from, to, f: move |w| digit.of(w) }),
        }
    }
}

impl ReadValues {
    /// Intervals whose values have been read, and the values that they point to.
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
