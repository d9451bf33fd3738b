//! Spins and fields in lane order, and the choice of instruction set.

use std::ops::Range;

use crate::graph::NodeId;

/// Replicas in one plane.
pub const LANES: usize = 16;

/// Which bit of a spin mask lane `lane` carries.
pub const fn bit_of_lane(lane: usize) -> usize {
    (lane >> 1) + 8 * (lane & 1)
}

/// Which lane carries spin bit `bit`: the inverse of [`bit_of_lane`].
pub const fn lane_of_bit(bit: usize) -> usize {
    if bit < 8 { 2 * bit } else { 2 * (bit - 8) + 1 }
}

/// An instruction set of the machine. All give identical bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust.
    Portable,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit vectors of aarch64.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// The widest that this machine has.
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// True if a table does not fit one register.
    pub(super) fn has_half_tables(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => false,
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            Self::Portable => false,
        }
    }

    /// All that this machine has, widest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 =
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("bmi2");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if avx2 && avx512 {
                found.push(Self::Avx512);
            }
            if avx2 {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            found.push(Self::Neon);
        }
        found.push(Self::Portable);
        found
    }
}

/// Plain code to be compiled once for every instruction set. Mark [`run`](Task::run) `#[inline(always)]`, and everything
/// below it that matters: only what is inlined gets the wider vectors. (Loops over lanes instead of `array::from_fn`,
/// which the compiler may leave a function of its own.)
pub trait Task {
    /// What it computes.
    type Output;
    /// Computes it.
    fn run(self) -> Self::Output;
}

impl Isa {
    /// Runs a task compiled for this instruction set: the same arithmetic, wider vectors.
    pub fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => super::x86::with_avx512(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => super::x86::with_avx2(task),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => task.run(),
            Self::Portable => task.run(),
        }
    }
}

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

/// Spins of all nodes for up to `16 · n_planes` replicas: one bit each, set for `+1`.
///
/// Layout: plane after plane, one `u16` mask per node: `masks[plane · n_nodes + node]`.
/// Replica `k` is bit `k % 16` of plane `k / 16`.
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
    /// The spins of replicas by their bit strings, as [`replica_bits`](Self::replica_bits) makes them; `+1` in the lanes
    /// that are left over.
    pub fn of_replicas(n_nodes: u32, states: &[&[u8]]) -> Self {
        let mut spins = Self::for_replicas(n_nodes, states.len());
        for (plane, states) in states.chunks(LANES).enumerate() {
            for (byte, masks) in spins.plane_mut(plane).chunks_mut(8).enumerate() {
                let half = |first: usize| {
                    let replica = |k: usize| states.get(first + k).map_or(u8::MAX, |state| state[byte]);
                    transposed(std::array::from_fn(replica))
                };
                let (low, high) = (half(0), half(8));
                masks
                    .iter_mut()
                    .zip(low)
                    .zip(high)
                    .for_each(|((mask, low), high)| *mask = u16::from_le_bytes([low, high]));
            }
        }
        spins
    }
    /// All spins `+1`, with room for that many replicas.
    pub fn for_replicas(n_nodes: u32, replicas: usize) -> Self {
        Self::all_up(n_nodes, replicas.div_ceil(LANES))
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
    /// Replaces the spins of one replica by a bit string, as [`replica_bits`](Self::replica_bits) makes it.
    pub fn set_replica(&mut self, replica: usize, bits: &[u8]) {
        let bit = replica % LANES;
        for (node, mask) in self.plane_mut(replica / LANES).iter_mut().enumerate() {
            let up = u16::from(bits[node / 8] >> (node % 8) & 1);
            *mask = *mask & !(1 << bit) | up << bit;
        }
    }
    /// One replica as a bit string: bit `i % 8` of byte `i / 8` is set if node `i` is `+1`.
    pub fn replica_bits(&self, replica: usize) -> Vec<u8> {
        let (plane, shift) = (self.plane(replica / LANES), replica % LANES);
        let byte = |nodes: &[u16]| nodes.iter().enumerate().fold(0, |b, (i, m)| b | (((m >> shift) & 1) as u8) << i);
        plane.chunks(8).map(byte).collect()
    }
}

/// Rows and columns of a matrix of 8 × 8 bits exchanged: bit `i` of byte `k` becomes bit `k` of byte `i`. Blocks of one, two and
/// four bits change places in turn.
fn transposed(bytes: [u8; 8]) -> [u8; 8] {
    let mut x = u64::from_le_bytes(bytes);
    for (shift, upper) in [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)] {
        let moved = (x ^ x >> shift) & upper;
        x ^= moved ^ moved << shift;
    }
    x.to_le_bytes()
}

/// Local fields of a run of rows for some planes: `[row][chosen plane][lane]`, dimension of a weight.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    first_row: NodeId,
    planes: Vec<usize>,
    values: Vec<f32>,
    /// The part of `values` that is in use. It begins at a cache line (in a clone perhaps not).
    used: Range<usize>,
}

impl Fields {
    /// Zero for `rows` and the planes `planes` (of the spins that will be added); keeps the allocation.
    pub fn reset(&mut self, rows: Range<NodeId>, planes: impl IntoIterator<Item = usize>) {
        self.first_row = rows.start;
        self.planes.clear();
        self.planes.extend(planes);
        self.values.clear();
        let len = rows.len() * self.planes.len() * LANES;
        self.values.resize(len + LANES, 0.0);
        let start = self.values.as_ptr().align_offset(64).min(LANES);
        self.used = start..start + len;
    }
    /// First row.
    pub fn first_row(&self) -> NodeId {
        self.first_row
    }
    /// The chosen planes.
    pub fn planes(&self) -> &[usize] {
        &self.planes
    }
    /// Number of chosen planes.
    pub fn n_planes(&self) -> usize {
        self.planes.len()
    }
    /// All vectors, row after row, one per chosen plane.
    pub fn vectors(&self) -> &[[f32; LANES]] {
        self.values[self.used.clone()].as_chunks().0
    }
    pub(super) fn vectors_mut(&mut self) -> &mut [[f32; LANES]] {
        self.values[self.used.clone()].as_chunks_mut().0
    }
    /// The rows.
    pub fn rows(&self) -> Range<NodeId> {
        self.first_row..self.first_row + (self.vectors().len() / self.planes.len().max(1)) as NodeId
    }
    /// Adds one vector to every row of the `index`-th chosen plane.
    pub fn add(&mut self, index: usize, terms: &[[f32; LANES]]) {
        let n_planes = self.planes.len();
        for (field, terms) in self.vectors_mut().iter_mut().skip(index).step_by(n_planes).zip(terms) {
            field.iter_mut().zip(terms).for_each(|(field, term)| *field += term);
        }
    }
    /// The field of one row in the `index`-th chosen plane, for the replica with spin bit `bit`.
    pub fn get(&self, row: NodeId, index: usize, bit: usize) -> f32 {
        let vector = &self.vectors()[(row - self.first_row) as usize * self.planes.len() + index];
        vector[lane_of_bit(bit)]
    }
}
