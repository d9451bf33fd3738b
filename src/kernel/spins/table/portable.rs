//! Tables in plain Rust: how they are built and looked up. The vector files do the same.

use super::sums::{SIGNS, SumTable};
use super::weights::TileWeights;
use crate::kernel::lanes::vector::{LANES, Line, bit_of_lane};
use crate::kernel::spins::tile::{BuiltTile, PackedPosition};

/// Bit `j` of `mask` to bit `4j`: halves, quarters, eighths and sixteenths of the bits are moved apart in turn.
fn spread(mask: u16) -> u64 {
    let mut x = u64::from(mask);
    x = (x | x << 24) & 0x0000_00ff_0000_00ff;
    x = (x | x << 12) & 0x000f_000f_000f_000f;
    x = (x | x << 6) & 0x0303_0303_0303_0303;
    (x | x << 3) & 0x1111_1111_1111_1111
}

/// Four masks to one word: bit `b` of nibble `j` is bit `j` of mask `b`.
pub(super) fn pack(masks: &[u16], packed: &mut Vec<u64>) {
    let word = |q: &[u16]| spread(q[0]) | spread(q[1]) << 1 | spread(q[2]) << 2 | spread(q[3]) << 3;
    packed.extend(masks.chunks_exact(4).map(word));
}

/// Builds the whole tables of a tile: `[quad][row]`.
pub(super) fn build(weights: &TileWeights<'_>, tables: &mut [SumTable]) {
    for (quad, tables) in weights.quads().zip(tables.chunks_exact_mut(weights.n_rows())) {
        for (row, table) in tables.iter_mut().enumerate() {
            let w = quad.row(row);
            let term = |b: usize, i: usize| SIGNS[b][i] * w[b];
            *table = Line(std::array::from_fn(|i| (term(0, i) + term(1, i)) + (term(2, i) + term(3, i))));
        }
    }
}

/// Adds a tile at all positions: for every row, quad and lane the entry that the lane's nibble says.
pub(super) fn look_up<'a>(
    tile: &BuiltTile<'_, SumTable>,
    positions: impl Iterator<Item = PackedPosition<'a>>,
    fields: &mut [[f32; LANES]],
) {
    tile.check();
    for position in positions {
        tile.check_position(&position, fields);
        for row in 0..tile.n_rows {
            let field = &mut fields[tile.vector(&position, row)];
            for (quad, word) in position.words.iter().enumerate() {
                let Line(table) = &tile.entries[quad * tile.n_rows + row];
                for (lane, field) in field.iter_mut().enumerate() {
                    *field += table[(word >> (4 * bit_of_lane(lane)) & 15) as usize];
                }
            }
        }
    }
}
