//! Heat-bath annealing: every visited spin is redrawn from its conditional distribution at the sweep's temperature.
//!
//! `P(flip) = 1 / (1 + exp(2 β r_i))`; `β` rises geometrically over the sweeps. It has no magic number in it:
//! it runs from `β σ_max = 0.15`, where the stiffest layer is still disordered, to `β σ_min = 15`, where the softest one
//! is frozen (`σ`: a layer's field scale, [`super::Scales`]). A descent ends the run in a local minimum.

use super::relax::{Relax, Rule};
use super::{Error, Scales, random, sweep};
use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};
use crate::progress::Progress;

/// `β` times the largest field scale at the first sweep, and times the smallest at the last.
const BETA_SIGMA: [f64; 2] = [0.15, 15.0];

/// One temperature.
struct HeatBath {
    key: u64,
    /// `2 β / ln 2`.
    exponent: f32,
}

impl Rule for HeatBath {
    #[inline(always)]
    fn flips(&self, _: usize, node: NodeId, group: usize, r: &[f32; LANES]) -> u16 {
        // The least uniform number is 2⁻²⁵: beyond 2²⁵ no lane can flip.
        if r.iter().all(|&r| r * self.exponent > 25.5) {
            return 0;
        }
        let u = random::uniform(self.key, node, group);
        mask_of(|lane| u[lane] * (1.0 + exp2(r[lane] * self.exponent)) < 1.0)
    }
}

/// `2^x` for moderate `x`, to a relative error of 5·10⁻⁶, by multiplications and additions only: the same bits everywhere.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    let x = x.clamp(-126.0, 126.0);
    let whole = (x + 12_582_912.0) - 12_582_912.0;
    let f = x - whole;
    let p = 1.0
        + f * (std::f32::consts::LN_2 + f * (0.240_226_5 + f * (0.055_503_6 + f * (0.009_618_1 + f * 0.001_333_6))));
    f32::from_bits((p.to_bits() as i32).wrapping_add((whole as i32) << 23) as u32)
}

/// Inverse temperatures of all sweeps.
fn schedule(scales: &Scales, sweeps: u32) -> impl Iterator<Item = f64> {
    let sizes = || scales.layers.iter().map(|s| s.rms).filter(|&s| s > 0.0);
    let first = BETA_SIGMA[0] / sizes().fold(f64::MIN_POSITIVE, f64::max);
    let last = BETA_SIGMA[1] / sizes().fold(f64::MAX, f64::min);
    let steps = f64::from(sweeps.max(2) - 1);
    (0..sweeps).map(move |k| first * (last / first).powf(f64::from(k) / steps))
}

/// The whole method: the schedule, then descent.
pub(super) fn run(relax: &mut Relax<'_>, sweeps: u32, progress: &dyn Progress) -> Result<(), Error> {
    progress.begin("anneal", u64::from(sweeps));
    for (sweep, beta) in schedule(relax.scales, sweeps).enumerate() {
        let exponent = (2.0 * beta / std::f64::consts::LN_2) as f32;
        relax.sweep(&HeatBath { key: random::sweep_key(relax.plan.seed, sweep as u64), exponent })?;
        progress.advance(1);
        progress.note(&format!("best ε {:.6}", relax.best_energy()));
    }
    progress.end();
    sweep::descend(relax, progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp2_is_the_power_of_two() {
        for i in -1200..1200 {
            let x = i as f32 * 0.1;
            let exact = f64::from(x).exp2();
            assert!((f64::from(exp2(x)) / exact - 1.0).abs() < 5e-6, "2^{x}");
        }
    }
}
