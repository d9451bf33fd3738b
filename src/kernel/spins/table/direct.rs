//! A panel that is added at one position only: then a table would be looked up once, and that costs more than it saves.
//!
//! Instead the spins of a quad are expanded once to signs, one for every column and lane, and every row adds up its own signed
//! weights: six operations per row and quad, where a table takes five to build and two to look up. Only AVX-512 has enough
//! registers for it.

use super::weights::TileWeights;
use crate::kernel::lanes::vector::Line;

/// The spins of a quad's columns by lane, in the two forms that a sum of a pair needs: ±1, sign bit, ±1, sign bit.
pub(in crate::kernel::spins) type QuadSigns = [Line; 4];

/// A tile that one position uses: no tables, the signed sums themselves.
pub(super) struct DirectTile<'a> {
    pub weights: TileWeights<'a>,
    /// `[quad]`
    pub signs: &'a [QuadSigns],
    /// The vector of the first row.
    pub first: usize,
    /// Distance between the vectors of neighbouring rows.
    pub row_step: usize,
}
