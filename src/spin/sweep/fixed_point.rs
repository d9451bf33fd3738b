//! Energies that add up to the same bits in any order of threads: sums of local fields as integers.

use crate::kernel::{LANES, bit_of_lane, lane_of_bit};

/// The grids, by lane, on which one layer's fields are added: multiples of `unit`, at most 2³⁰ of them in a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    unit: [f64; LANES],
    scale: [f64; LANES],
}

impl Grid {
    /// For fields of at most `max`, by lane.
    pub(super) fn new(max: [f64; LANES]) -> Self {
        // A power of two, so that scaling is exact; one binary place to spare for rounding in `f32`. Sums over all
        // nodes (fewer than 2³²) fit 64 bits.
        let exponent = |max: f64| if max > 0.0 { 29 - max.log2().floor() as i32 } else { 0 };
        let exponents = max.map(exponent);
        Self { unit: exponents.map(|e| 2f64.powi(-e)), scale: exponents.map(|e| 2f64.powi(e)) }
    }
    /// The nearest grid point. Adding 1.5 · 2⁵² rounds to a whole number, which then is in the low bits: unlike a cast,
    /// every instruction set has a vector form of that.
    #[inline(always)]
    fn points(&self, lane: usize, field: f32) -> i64 {
        const MAGIC: f64 = 6_755_399_441_055_744.0;
        (f64::from(field) * self.scale[lane] + MAGIC).to_bits().wrapping_sub(MAGIC.to_bits()) as i64
    }
    /// A lane's sum of grid points as a number.
    fn value(&self, lane: usize, sum: i64) -> f64 {
        sum as f64 * self.unit[lane]
    }
}

/// Sums of fields and counts by replica, for one plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FieldSums {
    /// In units of the grid, by lane.
    sums: [i64; LANES],
    counts: [u64; LANES],
}

impl FieldSums {
    pub(super) fn zero() -> Self {
        Self { sums: [0; LANES], counts: [0; LANES] }
    }

    /// Adds the fields of the lanes whose bit is set.
    #[inline(always)]
    pub(super) fn add(&mut self, grid: &Grid, mask: u16, fields: &[f32; LANES]) {
        for (lane, field) in fields.iter().enumerate() {
            let chosen = i64::from(mask >> bit_of_lane(lane) & 1);
            let points = grid.points(lane, *field) & -chosen;
            self.sums[lane] = self.sums[lane].wrapping_add(points);
            self.counts[lane] = self.counts[lane].wrapping_add(chosen as u64);
        }
    }

    /// Has nothing been added?
    pub(super) fn is_empty(&self) -> bool {
        self.counts == [0; LANES]
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for lane in 0..LANES {
            self.sums[lane] += other.sums[lane];
            self.counts[lane] += other.counts[lane];
        }
    }

    /// Sum and count of the replica with spin bit `bit`.
    pub(super) fn of(&self, grid: &Grid, bit: usize) -> (f64, u64) {
        let lane = lane_of_bit(bit);
        (grid.value(lane, self.sums[lane]), self.counts[lane])
    }
}
