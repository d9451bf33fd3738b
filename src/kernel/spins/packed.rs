//! The spins of many replicas, one bit each.

use super::super::lanes::vector::LANES;
use super::state;
use crate::graph::NodeId;

/// Spins of all nodes for up to `16 · n_planes` replicas: one bit each, set for `+1`.
///
/// # Bit order
/// Sixteen replicas are a **plane**: a `u16` **mask** for every node, `masks[plane · n_nodes + node]`. Replica `k` is bit
/// `k % 16` of the masks of plane `k / 16`.
///
/// ```text
///              plane 0: replicas 15 … 0     plane 1: replicas 31 … 16
/// node 0       1111111111111111             1111111111111111
/// node 1       1111111111111101             1111111111111111     replica 1 has s₁ = −1
/// node 2       1111111111111111             1111111111111011     replica 18 has s₂ = −1
/// ```
///
/// The bits of one node are together, because all replicas meet its edges at the same time; those of one plane follow each
/// other, because consecutive columns are read at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spins {
    n_nodes: usize,
    masks: Vec<u16>,
}

impl Spins {
    /// All spins `+1`.
    pub fn all_up(n_nodes: u32, n_planes: usize) -> Self {
        Self { n_nodes: n_nodes as usize, masks: vec![u16::MAX; n_nodes as usize * n_planes] }
    }
    /// All spins `+1`, with room for that many replicas.
    pub fn for_replicas(n_nodes: u32, replicas: usize) -> Self {
        Self::all_up(n_nodes, replicas.div_ceil(LANES))
    }
    /// The spins of replicas by their [states](state); `+1` in the bits that are left over.
    pub fn of_states(n_nodes: u32, states: &[&[u8]]) -> Self {
        let mut spins = Self::for_replicas(n_nodes, states.len());
        for (plane, states) in states.chunks(LANES).enumerate() {
            // Eight nodes at a time: a byte of each of sixteen states becomes a mask for each of eight nodes.
            for (byte, masks) in spins.plane_mut(plane).chunks_mut(8).enumerate() {
                let half = |first: usize| {
                    let replica = |k: usize| states.get(first + k).map_or(u8::MAX, |state| state[byte]);
                    transposed(std::array::from_fn(replica))
                };
                let (low, high) = (half(0), half(8));
                for ((mask, low), high) in masks.iter_mut().zip(low).zip(high) {
                    *mask = u16::from_le_bytes([low, high]);
                }
            }
        }
        spins
    }
    /// Spins by their masks, plane after plane.
    ///
    /// # Panics
    /// Unless there is a mask for every node in every plane.
    pub fn from_masks(n_nodes: usize, masks: Vec<u16>) -> Self {
        assert!(masks.len().is_multiple_of(n_nodes.max(1)), "{} masks for {n_nodes} nodes", masks.len());
        Self { n_nodes, masks }
    }
    /// The masks, plane after plane.
    pub fn into_masks(self) -> Vec<u16> {
        self.masks
    }
    /// Number of planes.
    pub fn n_planes(&self) -> usize {
        self.masks.len().checked_div(self.n_nodes).unwrap_or(0)
    }
    /// Nodes.
    pub fn n_nodes(&self) -> usize {
        self.n_nodes
    }
    /// The masks of one plane, by node.
    pub fn plane(&self, plane: usize) -> &[u16] {
        &self.masks[plane * self.n_nodes..][..self.n_nodes]
    }
    /// The masks of one plane, by node, to change.
    pub fn plane_mut(&mut self, plane: usize) -> &mut [u16] {
        &mut self.masks[plane * self.n_nodes..][..self.n_nodes]
    }
    /// The spin of one node in one replica.
    pub fn get(&self, replica: usize, node: NodeId) -> i8 {
        if self.plane(replica / LANES)[node as usize] >> (replica % LANES) & 1 == 1 { 1 } else { -1 }
    }
    /// Negates the spin of one node in one replica.
    pub fn flip(&mut self, replica: usize, node: NodeId) {
        self.plane_mut(replica / LANES)[node as usize] ^= 1 << (replica % LANES);
    }
    /// Exchanges two replicas.
    pub fn swap(&mut self, a: usize, b: usize) {
        for node in 0..self.n_nodes as NodeId {
            if self.get(a, node) != self.get(b, node) {
                self.flip(a, node);
                self.flip(b, node);
            }
        }
    }
    /// Replaces the spins of one replica by a [state].
    pub fn set_state(&mut self, replica: usize, bytes: &[u8]) {
        let bit = replica % LANES;
        for (node, mask) in (0..).zip(self.plane_mut(replica / LANES)) {
            *mask = *mask & !(1 << bit) | u16::from(state::is_up(bytes, node)) << bit;
        }
    }
    /// The [state] of one replica.
    pub fn state(&self, replica: usize) -> Vec<u8> {
        let bit = replica % LANES;
        state::of(self.plane(replica / LANES).iter().map(|mask| mask >> bit & 1 == 1))
    }
}

/// Rows and columns of a matrix of 8 × 8 bits exchanged: bit `i` of byte `k` becomes bit `k` of byte `i`.
///
/// Blocks of one, then two, then four bits change places across the diagonal; the masks choose the upper one of each pair.
fn transposed(bytes: [u8; 8]) -> [u8; 8] {
    let mut x = u64::from_le_bytes(bytes);
    for (shift, upper) in [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)] {
        let moved = (x ^ x >> shift) & upper;
        x ^= moved ^ moved << shift;
    }
    x.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spins_of_states_are_those_of_each() {
        let (n_nodes, n_replicas) = (37, 21);
        let state = |replica: u64| -> Vec<u8> {
            let byte = |byte: u64| crate::random::mix64(replica << 8 | byte) as u8;
            (0..5).map(|k| byte(k) & if k == 4 { 0x1f } else { 0xff }).collect()
        };
        let states: Vec<_> = (0..n_replicas).map(state).collect();
        let spins = Spins::of_states(n_nodes, &states.iter().map(|state| &**state).collect::<Vec<_>>());
        let mut expected = Spins::for_replicas(n_nodes, states.len());
        states.iter().enumerate().for_each(|(replica, state)| expected.set_state(replica, state));
        assert_eq!(spins, expected);
        assert!(states.iter().enumerate().all(|(replica, state)| spins.state(replica) == *state));
    }
}
