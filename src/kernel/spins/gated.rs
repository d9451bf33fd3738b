//! Spins and edges that only some replicas have.
//!
//! In an active subnetwork a node takes part in some images and not in others, and sixteen images are the sixteen replicas
//! of a plane. A spin has one bit, and no third value "takes no part". So a sum over the spins that take part is made
//! from two sums over all spins, in two planes: where a spin takes part both have it as it is; where it does not, the first
//! has `+1` and the second `−1`. In the mean of the two it cancels:
//!
//! ```text
//! spins        s₀ = +1   s₁ = −1   s₂: takes no part           w = (3, 5, 7)
//! plane 0        +1        −1        +1                         3 − 5 + 7 =  5
//! plane 1        +1        −1        −1                         3 − 5 − 7 = −9
//! mean                                                          (5 − 9) / 2 = −2 = 3 − 5
//! ```
//!
//! Both planes go through the ordinary kernel, and share its tables.

use crate::graph::{Block, Interval, Stretch};
use crate::kernel::{Fields, Isa, LANES, Task, bit_of_lane, signed};

/// `x` by lane where the lane's bit of `mask` is set, `+0` elsewhere.
#[inline(always)]
fn kept(mask: u16, mut x: [f32; LANES]) -> [f32; LANES] {
    for (lane, x) in x.iter_mut().enumerate() {
        let keep = 0u32.wrapping_sub(u32::from(mask) >> bit_of_lane(lane) & 1);
        *x = f32::from_bits(x.to_bits() & keep);
    }
    x
}

/// Adds to each row's field the mean of its two fields in `pairs`, for the replicas whose bit is set in the row's mask.
///
/// The two planes of `pairs` are sums of spins that are equal where a node takes part and opposite where it does not: their
/// mean is the sum over the nodes that take part. The mask says in which replicas the row itself does.
///
/// # Panics
/// Unless `fields` has one plane, `pairs` two, and all the same rows.
pub fn add_means(isa: Isa, masks: &[u16], pairs: &Fields, fields: &mut Fields) {
    assert!(pairs.rows() == fields.rows() && pairs.n_planes() == 2 && fields.n_planes() == 1);
    assert_eq!(masks.len(), fields.vectors().len(), "a mask for every row");
    isa.run(AddMeans { masks, pairs, fields });
}

struct AddMeans<'a> {
    masks: &'a [u16],
    pairs: &'a Fields,
    fields: &'a mut Fields,
}

impl Task for AddMeans<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let pairs = self.pairs.vectors().as_chunks::<2>().0;
        for ((field, [a, b]), &mask) in self.fields.vectors_mut().iter_mut().zip(pairs).zip(self.masks) {
            let mut mean = *a;
            mean.iter_mut().zip(b).for_each(|(mean, b)| *mean = 0.5 * (*mean + b));
            field.iter_mut().zip(kept(mask, mean)).for_each(|(field, term)| *field += term);
        }
    }
}

/// The edges of a diagonal block, each of which only some replicas have: those of a max-pooling layer, of which an image
/// has the one from the largest input of a window.
pub struct MaskedBlock<'a> {
    /// The block.
    pub block: &'a Block,
    /// Its intervals.
    pub intervals: &'a [Interval],
    /// The value store.
    pub values: &'a [f32],
    /// By node: spins.
    pub spins: &'a [u16],
    /// Which replicas have an edge: group after group, row after row, interval after interval.
    pub masks: &'a [u16],
}

impl MaskedBlock<'_> {
    /// Adds `Σ w s` over the edges that a replica has to the fields of the block's rows, of one plane: interval after
    /// interval.
    pub fn add(&self, isa: Isa, fields: &mut Fields) {
        assert_eq!(fields.n_planes(), 1, "gates come in one plane");
        isa.run(AddMasked { masked: self, fields });
    }
}

struct AddMasked<'a, 'b> {
    masked: &'b MaskedBlock<'a>,
    fields: &'b mut Fields,
}

impl Task for AddMasked<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let MaskedBlock { block, intervals, values, spins, masks } = *self.masked;
        let mut masks = masks.chunks_exact(intervals.len());
        for group in block.groups() {
            let first = self.fields.vector_of(group.first_row);
            let rows = self.fields.vectors_mut()[first..].iter_mut().step_by(block.row_step as usize);
            for (r, (field, masks)) in (0..block.n_rows).zip(rows.zip(&mut masks)) {
                for (interval, &mask) in intervals.iter().zip(masks) {
                    let Stretch { first_col, first_value, .. } = block.stretch(group, r, interval);
                    let terms = kept(mask, signed(spins[first_col as usize], [values[first_value as usize]; LANES]));
                    field.iter_mut().zip(terms).for_each(|(field, term)| *field += term);
                }
            }
        }
    }
}
