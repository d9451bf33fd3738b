//! What happens to a sum while it is made, and before it is stored.

/// What happens to a sum before it is stored: `min(high, max(low, (sum · mul + add) + addend))`, the product rounded once.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    /// Factor and addend of every row, if any; of as many rows as there are biases.
    pub affine: Option<(Vec<f32>, Vec<f32>)>,
    /// Lower bound; `−∞` for none.
    pub low: f32,
    /// Upper bound; `∞` for none.
    pub high: f32,
}

impl Finish {
    /// Sums are stored as they are.
    pub const NONE: Self = Self { affine: None, low: f32::NEG_INFINITY, high: f32::INFINITY };

    /// One lane of `row` after its sum.
    #[inline(always)]
    pub fn apply(&self, row: usize, x: f32, addend: Option<f32>) -> f32 {
        let x = self.affine.as_ref().map_or(x, |(mul, add)| x.mul_add(mul[row], add[row]));
        clamp(addend.map_or(x, |addend| x + addend), self.low, self.high)
    }
}

/// `x` between two bounds; a NaN and the sign of a zero are kept.
#[inline(always)]
pub(crate) fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if low > x { low } else { x };
    if high < x { high } else { x }
}

/// `sum = weight · x + sum`, rounded once.
#[inline(always)]
pub(crate) fn multiply_add<const L: usize>(sum: &mut [f32; L], weight: f32, x: &[f32; L]) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum = weight.mul_add(*x, *sum);
    }
}
