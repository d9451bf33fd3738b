//! Sums of pairs, and the words that choose from them.
//!
//! ```text
//! s₀w₀ + s₁w₁ + s₂w₂ + s₃w₃  =  s₀ · ( (w₀ ± w₁)  +  s₀s₂ · (w₂ ± w₃) )
//!                                      + if s₁ = s₀          + if s₃ = s₂
//! ```
//!
//! So a quad needs four answers for every lane: is `s₀` up, is `s₁` like `s₀`, is `s₃` like `s₂`, is `s₂` like `s₀`? They are four
//! masks in one word, from the lowest bits up, in lane order.

use crate::kernel::lanes::vector::Line;

/// By lane: `w₀ + w₁`, `w₀ − w₁`, `w₂ + w₃` and `w₂ − w₃` of one row and quad.
pub(in crate::kernel::spins) type PairSums = [Line; 4];

/// The word of the masks of four columns, lowest first.
pub(super) fn pack([s0, s1, s2, s3]: [u16; 4]) -> u64 {
    let masks = [s0, !(s0 ^ s1), !(s2 ^ s3), !(s0 ^ s2)];
    let mut x = masks.iter().rev().fold(0, |x, &mask| x << 16 | u64::from(mask));
    // From the order of spin bits to that of lanes: the halves of each mask are interleaved, by exchanging the middle quarters
    // of each mask, then of each byte, then of each nibble.
    for (shift, stay) in [(4, 0x00f0_00f0_00f0_00f0), (2, 0x0c0c_0c0c_0c0c_0c0c), (1, 0x2222_2222_2222_2222)] {
        let moved = (x ^ x >> shift) & stay;
        x ^= moved | moved << shift;
    }
    x
}
