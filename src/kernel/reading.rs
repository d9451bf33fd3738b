//! Values that are changed while they are read, and intervals that point into them.

use std::ops::Range;

use super::{Isa, Task};
use crate::graph::reading::{Digit, Reading};
use crate::graph::{Block, Interval};

/// Intervals and values of one block, read in some way. A buffer.
#[derive(Clone, Debug, Default)]
pub struct Local {
    intervals: Vec<Interval>,
    values: Vec<f32>,
    /// Offset of the first of the values in the store.
    first: u64,
}

impl Local {
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
            Reading::Scaled(factor) => isa.run(Scale { factor, from, to }),
            Reading::Digit(digit) => isa.run(Take { digit, from, to }),
        }
    }

    /// Intervals whose values have been loaded, and the values that they point into.
    pub fn of(&mut self, intervals: &[Interval]) -> (&[Interval], &[f32]) {
        self.intervals.clear();
        self.intervals.extend(intervals.iter().map(|i| Interval { values: i.values - self.first, ..*i }));
        (&self.intervals, &self.values)
    }
}

struct Scale<'a> {
    factor: f64,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Task for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &w) in self.to.iter_mut().zip(self.from) {
            *to = (f64::from(w) * self.factor) as f32;
        }
    }
}

struct Take<'a> {
    digit: Digit,
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Task for Take<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (to, &w) in self.to.iter_mut().zip(self.from) {
            *to = self.digit.of(w);
        }
    }
}
