//! Dense tiles in plain Rust.

use super::LANES;
use super::bit_of_lane;
use super::dense::{Table, Tile};

/// Bit `j` of `mask` to bit `4j`.
#[inline(always)]
pub(super) fn spread(mask: u16) -> u64 {
    let mut x = u64::from(mask);
    x = (x | x << 24) & 0x0000_00ff_0000_00ff;
    x = (x | x << 12) & 0x000f_000f_000f_000f;
    x = (x | x << 6) & 0x0303_0303_0303_0303;
    (x | x << 3) & 0x1111_1111_1111_1111
}

/// Four masks to one word: bit `b` of nibble `j` is bit `j` of mask `b`.
#[inline(always)]
pub(super) fn pack(masks: &[u16], packed: &mut Vec<u64>) {
    let word = |q: &[u16]| spread(q[0]) | spread(q[1]) << 1 | spread(q[2]) << 2 | spread(q[3]) << 3;
    packed.extend(masks.chunks_exact(4).map(word));
}

/// As [`pack`], for look-ups in the lower half of a table: the first three bits of a nibble are relative to the fourth.
#[cfg(target_arch = "aarch64")]
pub(super) fn pack_relative(masks: &[u16], packed: &mut Vec<u64>) {
    let word =
        |q: &[u16]| spread(q[0] ^ q[3]) | spread(q[1] ^ q[3]) << 1 | spread(q[2] ^ q[3]) << 2 | spread(q[3]) << 3;
    packed.extend(masks.chunks_exact(4).map(word));
}

/// Entry `i` is the sum with `+w_b` where bit `b` of `i` is set.
#[inline(always)]
pub(super) fn table(w: [f32; 4]) -> Table {
    std::array::from_fn(|i| {
        let sign = |b: usize| if i >> b & 1 == 1 { w[b] } else { -w[b] };
        (sign(0) + sign(1)) + (sign(2) + sign(3))
    })
}

#[inline(always)]
pub(super) fn build(offsets: &[u64], n_rows: usize, weights: impl Fn(&[u64], usize) -> [f32; 4], tables: &mut [Table]) {
    for (quad, tables) in offsets.chunks(4).zip(tables.chunks_exact_mut(n_rows)) {
        for (row, out) in tables.iter_mut().enumerate() {
            *out = table(weights(quad, row));
        }
    }
}

pub(super) fn look_up(
    tile: &Tile<'_>,
    items: impl ExactSizeIterator<Item = usize>,
    packed: &[u64],
    fields: &mut [[f32; LANES]],
) {
    for (first, words) in items.zip(packed.chunks_exact(tile.n_quads)) {
        for row in 0..tile.n_rows {
            let field = &mut fields[first + row * tile.field_step];
            for (quad, word) in words.iter().enumerate() {
                let table = &tile.tables[quad * tile.n_rows + row];
                for (lane, field) in field.iter_mut().enumerate() {
                    *field += table[(word >> (4 * bit_of_lane(lane)) & 15) as usize];
                }
            }
        }
    }
}
