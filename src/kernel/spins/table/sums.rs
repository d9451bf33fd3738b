//! The table of a row and a quad of columns.
//!
//! Four columns have sixteen states of their spins. With the spins as the bits of a number `i`, `1` for `+1`, entry `i` of the
//! table is the sum that the row gets from them:
//!
//! ```text
//! i = s₃s₂s₁s₀   sum                                  for w = (1, 2, 4, 8)
//! 0   0 0 0 0    (−w₀ − w₁) + (−w₂ − w₃)                    −15
//! 1   0 0 0 1    (+w₀ − w₁) + (−w₂ − w₃)                    −13
//! 2   0 0 1 0    (−w₀ + w₁) + (−w₂ − w₃)                    −11
//! …                                                            the lower half: −w₃
//! 7   0 1 1 1    (+w₀ + w₁) + (+w₂ − w₃)                     −1
//! ── ─────────────────────────────────────────────────────────────────────────────
//! 8   1 0 0 0    (−w₀ − w₁) + (−w₂ + w₃)                     +1
//! …                                                            the upper half: +w₃
//! 15  1 1 1 1    (+w₀ + w₁) + (+w₂ + w₃)                    +15
//! ```
//!
//! # Look-up
//! The spins of a quad are packed to a word of sixteen nibbles, one for every replica; a nibble is the index `i` of its
//! replica's sum. A permute instruction takes a register of sixteen entries and a register of sixteen indices, and gives
//! sixteen sums at once.
//!
//! ```text
//! masks (bit k: replica k)      packed word (nibble k: replica k)      one permute of the table
//! column 3   … 0 1 1            replica 2   0 1 1 0 = 6                lane of replica 2: entry 6
//! column 2   … 1 0 1            replica 1   1 0 0 1 = 9        ─▶      lane of replica 1: entry 9
//! column 1   … 1 0 0            replica 0   1 1 0 1 = 13               lane of replica 0: entry 13
//! column 0   … 0 1 1            (from the highest column down)
//! ```
//!
//! # Half a table
//! With all four spins opposite a sum is the opposite, too: entry `15 − i` is minus entry `i`, to the last bit. So where a
//! register holds only eight numbers, only the lower half is built, in which `w₃` is subtracted. An exclusive or with the mask
//! of the fourth column leaves the spins of a replica with `s₃ = −1` as they are, and turns those of one with `s₃ = +1` into the
//! opposite ones, whose `s₃` is `−1`: either way the other three bits are an index into the lower half. The entry is multiplied
//! by `−s₃`, which is exact.
//!
//! ```text
//! replica 0   s₃s₂s₁s₀ = 1 1 0 1  ─▶  exclusive or with s₃:  0 1 0 = 2   entry 2 times −1   −(−11) = +11 = entry 13
//! replica 2   s₃s₂s₁s₀ = 0 1 1 0  ─▶  as it is:              1 1 0 = 6   entry 6 times +1
//! ```

use crate::kernel::lanes::vector::{LANES, Line};

/// The sixteen sums of one row and quad: entry `i` has `+w_b` where bit `b` of `i` is set. Of a half table the first eight.
pub(in crate::kernel::spins) type SumTable = Line;

/// Sign of `w_b` in entry `i` of a table: `[b][i]`.
pub(super) const SIGNS: [[f32; LANES]; 4] = {
    let mut signs = [[1.0; LANES]; 4];
    let mut at = 0;
    while at < 4 * LANES {
        let (b, i) = (at / LANES, at % LANES);
        if i >> b & 1 == 0 {
            signs[b][i] = -1.0;
        }
        at += 1;
    }
    signs
};
