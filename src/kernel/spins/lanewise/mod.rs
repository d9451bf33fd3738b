//! Blocks whose weights differ from lane to lane: several graphs that share all but their values, side by side.
//!
//! The replicas in the lanes have no table in common. But of a pair of columns only the relative sign matters: `s₀ w₀ + s₁ w₁`
//! is `s₀ (w₀ + w₁)` where the spins are equal and `s₀ (w₀ − w₁)` where they differ. So of every pair both are made, by lane
//! ([`pairs`]); for a row and a quad two of four vectors are chosen, and added up with two multiply-adds whose products with
//! a sign are exact: the order of summation is that of [`super::table`], and so are the bits.
//!
//! Cost: four vector operations per row and quad of sixteen lanes, and twelve to make the sums, once for all row groups
//! that share a panel; they stay in the first-level cache.
//!
//! - [`values`]: the weights by lane; [`weights`]: those of a tile;
//! - [`add`](mod@add): the loops over tiles and positions; [`portable`] and [`x86`]: what they call;
//! - [`diagonal`]: diagonal blocks, term by term.

mod add;
pub(super) mod diagonal;
pub(super) mod pairs;
mod portable;
pub(in crate::kernel) mod values;
mod weights;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use add::add;
