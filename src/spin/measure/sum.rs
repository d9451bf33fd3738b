//! Sums of weights without any rounding, and the energies that are made of them.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::graph::reading::{LEAST, parts};
use crate::spin::replica::Replica;

/// A sum over edges, exactly: a whole number of 2⁻¹⁴⁹.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum(BigInt);

impl Sum {
    /// Adds `n · 2^unit`; `unit` is at least −149.
    pub(super) fn add(&mut self, n: impl Into<BigInt>, unit: i32) {
        self.0 += n.into() << (unit - LEAST) as u32;
    }

    /// Adds a weight.
    pub(in crate::spin) fn add_weight(&mut self, w: f32) {
        let (mantissa, exponent) = parts(w);
        let mantissa = i64::from(mantissa);
        self.add(if w < 0.0 { -mantissa } else { mantissa }, exponent);
    }

    /// Is it below zero?
    pub(in crate::spin) fn is_negative(&self) -> bool {
        self.0.is_negative()
    }

    /// The nearest number.
    pub fn value(&self) -> f64 {
        nearest(BigRational::new(self.0.clone(), BigInt::from(1) << -LEAST as u32))
    }
}

impl std::ops::AddAssign<&Sum> for Sum {
    fn add_assign(&mut self, other: &Self) {
        self.0 += &other.0;
    }
}

fn nearest(ratio: BigRational) -> f64 {
    ratio.to_f64().expect("sums of finite weights are finite")
}

impl Replica {
    /// Fills in the energy of the state: the weight of its edges, and `Σ s_i w s_j` over them.
    pub(in crate::spin) fn set_weights(&mut self, total: &Sum, aligned: &Sum) {
        let half = |twice: BigInt| Sum(twice / 2);
        let (satisfied, frustrated) = (half(&total.0 + &aligned.0), half(&total.0 - &aligned.0));
        self.energy =
            if total.0.is_zero() { 0.0 } else { nearest(BigRational::new(frustrated.0.clone(), total.0.clone())) };
        [self.satisfied_weight, self.frustrated_weight] = [satisfied, frustrated].map(|weight| weight.value());
        self.sum_abs = total.value();
    }
}
