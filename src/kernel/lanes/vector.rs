//! Vectors of sixteen replicas, and how they stand to the masks of their spins.
//!
//! # Lane order
//! The spins of sixteen replicas at one node are a **mask**, a `u16`: bit `k` is set if replica `k` has `s = +1`. Sixteen
//! numbers of theirs, say their fields at a node, are a **vector**, in another order: lane `d` belongs to the replica of bit
//! [`bit_of_lane`]`(d)`.
//!
//! ```text
//! lane of the vector   0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15
//! bit of the mask      0   8   1   9   2  10   3  11   4  12   5  13   6  14   7  15
//! ```
//!
//! Why not the same order? The spins of four nodes are packed to one word of sixteen nibbles, of which nibble `k` has the four
//! spins of replica `k`: the index of a sum in a table. A permute looks for it in the lowest bits of the replica's 32-bit lane.
//! Eight copies of the word fill a 512-bit register, two lanes each. Copy `m` is shifted to the right by `4m` bits: then
//! nibble `m` is at the bottom of the copy, which is lane `2m`, and nibble `m + 8` 32 bits higher, at the bottom of lane
//! `2m + 1`. So one shift unpacks all sixteen.
//!
//! ```text
//!                                   lane 2m + 1              lane 2m
//! copy 0, shifted by  0 bits    15 14 13 12 11 10  9  8 │  7  6  5  4  3  2  1  0
//! copy 1, shifted by  4 bits     0 15 14 13 12 11 10  9 │  8  7  6  5  4  3  2  1
//! copy 2, shifted by  8 bits     0  0 15 14 13 12 11 10 │  9  8  7  6  5  4  3  2
//! …                                                   ↑                         ↑
//!                                             replica m + 8                 replica m
//! ```

/// Replicas in one plane: lanes of a vector.
pub const LANES: usize = 16;

/// Which bit of a spin mask lane `lane` carries.
pub const fn bit_of_lane(lane: usize) -> usize {
    (lane >> 1) + 8 * (lane & 1)
}

/// Which lane carries spin bit `bit`: the inverse of [`bit_of_lane`].
pub const fn lane_of_bit(bit: usize) -> usize {
    if bit < 8 { 2 * bit } else { 2 * (bit - 8) + 1 }
}

/// A vector in a cache line of its own.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(in crate::kernel) struct Line(pub [f32; LANES]);

/// `s · x` by lane: `x` where the lane's bit of `mask` is set, `−x` elsewhere.
#[inline(always)]
pub fn signed(mask: u16, mut x: [f32; LANES]) -> [f32; LANES] {
    for (lane, x) in x.iter_mut().enumerate() {
        let down = !(u32::from(mask) >> bit_of_lane(lane)) << 31;
        *x = f32::from_bits(x.to_bits() ^ down);
    }
    x
}

/// The mask whose bits are set where the lane's condition holds.
#[inline(always)]
pub fn mask_of(condition: [bool; LANES]) -> u16 {
    let mut bits = [0u32; LANES];
    for (lane, bit) in bits.iter_mut().enumerate() {
        *bit = if condition[lane] { 1 << bit_of_lane(lane) } else { 0 };
    }
    bits.into_iter().fold(0, |mask, bit| mask | bit) as u16
}
