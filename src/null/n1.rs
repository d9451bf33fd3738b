//! N1: the parameters of each layer in another order.

use rand::Rng;

use super::model::{Kind, Model};
use super::parameters::{Error, with_parameters};
use crate::graph::BlockStream;

/// The value store of N1 model `index`: the parameters of every layer permuted uniformly.
///
/// # Errors
/// If no layer has parameters.
pub fn n1(graph: &dyn BlockStream, seed: u64, index: u32) -> Result<Vec<f32>, Error> {
    let model = Model { kind: Kind::N1, index };
    with_parameters(graph, (seed, model), |_, rng, params| {
        shuffle(params, rng);
        Ok(())
    })
}

/// Fisher and Yates, from the end. Where a value goes is `⌊n u⌋` with 64 random bits `u` in [0, 1): no
/// position is likelier than another by more than n · 2⁻⁶⁴.
fn shuffle(values: &mut [f32], rng: &mut impl Rng) {
    for last in (1..values.len()).rev() {
        let other = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        values.swap(last, other as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::rng;
    use super::*;

    #[test]
    fn every_order_is_equally_likely() {
        let mut rng = rng(1, Model { kind: Kind::N1, index: 0 }, 0);
        let mut counts = std::collections::BTreeMap::new();
        for _ in 0..24_000 {
            let mut values = [0.0, 1.0, 2.0, 3.0];
            shuffle(&mut values, &mut rng);
            *counts.entry(values.map(|v| v as u8)).or_insert(0u32) += 1;
        }
        let chi_squared: f64 = counts.values().map(|&n| (f64::from(n) - 1000.0).powi(2) / 1000.0).sum();
        // 23 degrees of freedom: 60 has p = 4e-5.
        assert!(counts.len() == 24 && chi_squared < 60.0, "{counts:?}");
    }
}
