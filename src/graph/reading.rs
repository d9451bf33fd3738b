//! Weights that are changed while they are read: scaled, or taken apart into digits that `f32` adds up without rounding.
//!
//! A weight is a whole number of 2⁻¹⁴⁹, in binary. Cut into digits of a few places each, `w = Σ_k d_k 2^(unit_k)`, its sums
//! can be made digit by digit: whole numbers below 2²⁴ are exact in `f32`, and so are their sums as long as they stay below.
//! With rows of at most 64 weights digits may have 17 places, and the 24 places of a weight near the largest are two digits;
//! weights that are 2²⁰ times smaller need a third.
//!
//! ```text
//! 0.8125 = 0.1101₂:  digits of two places  3 · 2⁻² + 1 · 2⁻⁴
//! ```

use std::ops::Range;

use super::{Blocks, Interval, NodeId};

/// The exponent of the smallest `f32`: every weight is a multiple of `2^LEAST`.
pub const LEAST: i32 = -149;
/// Sums of digits stay below `2^PLACES`: one place less than `f32` has, for sums of two of them.
const PLACES: u32 = 23;
/// Most columns that a row may have for its digits to be summed at once.
pub const MOST_COLUMNS: u64 = 1 << 20;

/// What is made of a weight before it is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// Nothing.
    AsIs,
    /// It is multiplied by a power of two.
    Scaled(f64),
    /// One of its digits.
    Digit(Digit),
}

impl Reading {
    /// Multiplies by `factor`, a power of two.
    pub fn scaled(factor: f64) -> Self {
        if factor == 1.0 { Self::AsIs } else { Self::Scaled(factor) }
    }
}

/// Some binary places of every weight, as a signed whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// The last place is worth `2^unit`.
    pub unit: i32,
    /// How many places.
    pub places: u32,
    /// Of the weights' magnitudes: then no digit is negative.
    pub of_magnitude: bool,
}

impl Digit {
    /// The digit of a weight. Without a branch, in 32 bits: every instruction set has a vector form of it.
    #[inline(always)]
    pub fn of(self, w: f32) -> f32 {
        let (mantissa, exponent) = parts(w);
        let shift = exponent - self.unit;
        // What is shifted out, or by more than 31, lies outside the digit's places.
        let above = mantissa << shift.clamp(0, 31);
        let below = mantissa >> (-shift).clamp(0, 31);
        let places = if shift >= 0 { above } else { below } & ((1 << self.places) - 1);
        let digit = places as i32 as f32;
        if self.of_magnitude { digit } else { digit.copysign(w) }
    }
}

/// `|w| = mantissa · 2^exponent`.
#[inline(always)]
pub fn parts(w: f32) -> (u32, i32) {
    let (bits, hidden) = (w.to_bits(), 1 << 23);
    let biased = (bits >> 23 & 0xff) as i32;
    let leading = if biased > 0 { hidden } else { 0 };
    (bits & (hidden - 1) | leading, biased.max(1) - 1 + LEAST)
}

/// The binary places that some weights have: the exponent of the last one, and one more than that of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    last: i32,
    end: i32,
}

impl Places {
    /// Of the weights of some blocks.
    pub fn of(blocks: &Blocks, values: &[f32]) -> Self {
        let mut places = Self { last: i32::MAX, end: i32::MIN };
        let mut add = |range: Range<u64>| {
            values[range.start as usize..range.end as usize].iter().for_each(|&w| places.add(w));
        };
        match common_range(blocks) {
            Some(range) => add(range),
            None => blocks.blocks.iter().for_each(|block| add(block.value_range(blocks.intervals(block)))),
        }
        places
    }

    fn add(&mut self, w: f32) {
        let (mantissa, exponent) = parts(w);
        if mantissa != 0 {
            self.last = self.last.min(exponent + mantissa.trailing_zeros() as i32);
            self.end = self.end.max(exponent + 32 - mantissa.leading_zeros() as i32);
        }
    }

    /// Digits that together are the weights, whose sums over `n_columns` of them, [`MOST_COLUMNS`] at most, are exact.
    pub fn digits(self, n_columns: u64, of_magnitude: bool) -> impl Iterator<Item = Digit> {
        let places = PLACES - n_columns.max(1).next_power_of_two().ilog2();
        (self.last..self.end).step_by(places as usize).map(move |unit| Digit { unit, places, of_magnitude })
    }
}

/// Where the values of some blocks lie, if that is no longer than the blocks' own ranges together: blocks of one convolution
/// share a kernel.
pub fn common_range(blocks: &Blocks) -> Option<Range<u64>> {
    let ranges = || blocks.blocks.iter().map(|block| block.value_range(blocks.intervals(block)));
    let all = ranges().reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))?;
    (all.end - all.start <= ranges().map(|range| range.end - range.start).sum()).then_some(all)
}

/// Most columns of one row among some rows.
pub fn most_columns(blocks: &Blocks, rows: &Range<NodeId>) -> u64 {
    let mut columns = vec![0; rows.len()];
    for block in &blocks.blocks {
        let n = block.n_columns(blocks.intervals(block));
        for (_, row) in block.groups().flat_map(|group| block.rows(group)) {
            columns[(row - rows.start) as usize] += n;
        }
    }
    columns.into_iter().max().unwrap_or(0)
}

/// The same edges in parts, in none of which a row has more than `most` columns: diagonal blocks together, then every dense
/// block on its own, cut by columns. Diagonal blocks are not cut.
pub fn cut_by_columns(blocks: &Blocks, most: u64) -> Vec<Blocks> {
    let mut parts = vec![Blocks::default()];
    for block in &blocks.blocks {
        let intervals = blocks.intervals(block);
        if block.kind == super::PanelKind::Diagonal {
            parts[0].push(*block, intervals);
            continue;
        }
        for interval in intervals {
            for first in (0..interval.len).step_by(most as usize) {
                let len = (interval.len - first).min(most as u32);
                let values = interval.values + u64::from(first) * u64::from(block.col_stride);
                let mut part = Blocks::default();
                part.push(*block, &[Interval { first_col: interval.first_col + first, len, values }]);
                parts.push(part);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_add_up_to_the_weight(bits in prop::collection::vec(any::<u32>(), 1..6), n_columns in 1..MOST_COLUMNS) {
            let finite = |bits: u32| if f32::from_bits(bits).is_finite() { bits } else { bits & 0x807f_ffff };
            let weights: Vec<_> = bits.into_iter().map(|bits| f32::from_bits(finite(bits))).collect();
            let mut places = Places { last: i32::MAX, end: i32::MIN };
            weights.iter().for_each(|&w| places.add(w));
            for &w in &weights {
                // Each digit is below a double's 53 places, and they do not overlap: but for rounding of none.
                let digits: Vec<_> = places.digits(n_columns, false).collect();
                let sum: f64 = digits.iter().map(|&d| f64::from(d.of(w)) * 2f64.powi(d.unit)).sum();
                prop_assert_eq!(sum, f64::from(w));
                prop_assert!(digits.iter().all(|d| f64::from(d.of(w)).abs() * n_columns as f64 <= 2f64.powi(23)));
            }
        }
    }
}
