//! One replica as bytes: bit `i % 8` of byte `i / 8` is set if `s_i = +1`.
//!
//! That is how states are written to tables and checkpoints. (What is computed with has the bits of sixteen replicas side
//! by side: [`Spins`](super::packed::Spins).) A set of nodes has the same form, a bit set if the node is in it.
//!
//! ```
//! use frustration::kernel::state;
//!
//! // Nodes 0, 1 and 9 of ten are up.
//! let mut bytes = state::of((0..10).map(|node| [0, 1, 9].contains(&node)));
//! assert_eq!(bytes, [0b0000_0011, 0b10]);
//! state::flip(&mut bytes, 9);
//! assert!(state::is_up(&bytes, 1) && !state::is_up(&bytes, 9));
//! ```

use crate::graph::NodeId;

/// The bytes of a state, from each node's answer to `s_i = +1`; the bits that are left over are zero.
pub fn of(is_up: impl IntoIterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (node, is_up) in is_up.into_iter().enumerate() {
        if node % 8 == 0 {
            bytes.push(0);
        }
        bytes[node / 8] |= u8::from(is_up) << (node % 8);
    }
    bytes
}

/// Is the spin of a node `+1`?
#[inline]
pub fn is_up(bytes: &[u8], node: NodeId) -> bool {
    bytes[node as usize / 8] >> (node % 8) & 1 == 1
}

/// Negates the spin of a node.
#[inline]
pub fn flip(bytes: &mut [u8], node: NodeId) {
    bytes[node as usize / 8] ^= 1 << (node % 8);
}

/// Length of a state.
pub const fn n_bytes(n_nodes: u32) -> usize {
    n_nodes.div_ceil(8) as usize
}
