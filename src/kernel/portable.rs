//! Dense tiles in plain Rust.

use super::dense::{SIGNS, Table, Tile};
use super::weights::Weights;
use super::{LANES, Line, bit_of_lane};

/// Bit `j` of `mask` to bit `4j`.
pub(super) fn spread(mask: u16) -> u64 {
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

pub(super) fn build(weights: &Weights<'_>, tables: &mut [Table]) {
    for (quad, tables) in weights.quads().zip(tables.chunks_exact_mut(weights.n_rows())) {
        for (row, table) in tables.iter_mut().enumerate() {
            let w = quad.row(row);
            let term = |b: usize, i: usize| SIGNS[b][i] * w[b];
            *table = Line(std::array::from_fn(|i| (term(0, i) + term(1, i)) + (term(2, i) + term(3, i))));
        }
    }
}

pub(super) fn look_up(
    tile: &Tile<'_>,
    items: impl ExactSizeIterator<Item = usize>,
    packed: &[u64],
    fields: &mut [[f32; LANES]],
) {
    tile.each_item(items, packed, fields, |item, fields| {
        for row in 0..tile.n_rows {
            let field = &mut fields[item.vector(row)];
            for (quad, word) in item.words.iter().enumerate() {
                let Line(table) = &tile.tables[quad * tile.n_rows + row];
                for (lane, field) in field.iter_mut().enumerate() {
                    *field += table[(word >> (4 * bit_of_lane(lane)) & 15) as usize];
                }
            }
        }
    });
}
