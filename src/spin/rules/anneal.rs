//! Simulated annealing: every visited spin is flipped with Metropolis' probability at the sweep's temperature.
//!
//! `P(flip) = min(1, exp(−2 β r_i))`; `β` rises geometrically over the sweeps, then a descent ends the run in a local
//! minimum. The schedule has no unit of its own: it runs from `β σ = 0.15`, where nearly every spin is flipped, to
//! `β σ = 4`; `σ` is the geometric mean of the layers' field scales ([`Scales::typical`](crate::spin::Scales::typical)), each
//! layer counted by its nodes.
//!
//! # Choice of the rule and of the schedule
//! BENCHMARKS.md compares rules (Metropolis and heat bath, `1 / (1 + exp(2 β r_i))`) and ranges of `β σ` on trained
//! networks. At every range Metropolis ends lower for the same work: it moves more. A `β` per layer (`∝ 1/σ_layer` or
//! `∝ 1/√σ_layer`) brought nothing that is worth losing detailed balance for.

use super::descent;
use super::random::Uniform;
use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};
use crate::spin::sweep::Relaxation;
use crate::spin::sweep::rule::Rule;
use crate::spin::{Error, Problem};

/// `β σ` of the first and of the last sweep.
const BETA_SIGMA: [f64; 2] = [0.15, 4.0];

/// One temperature in each lane.
struct Metropolis<'a, P> {
    random: Uniform<'a, P>,
    /// `2 β / ln 2`.
    exponents: [f32; LANES],
}

impl<P: Problem> Rule for Metropolis<'_, P> {
    #[inline(always)]
    fn flips(&self, _: usize, node: NodeId, plane: usize, r: &[f32; LANES]) -> u16 {
        // The least uniform number is 2⁻²⁵: beyond 2²⁵ no lane can flip.
        if !r.iter().zip(&self.exponents).fold(false, |any, (r, exponent)| any | (r * exponent <= 25.5)) {
            return 0;
        }
        let u = self.random.draw(node, plane);
        let mut flips = [false; LANES];
        for (lane, flips) in flips.iter_mut().enumerate() {
            *flips = u[lane] * exp2(r[lane] * self.exponents[lane]) < 1.0;
        }
        mask_of(flips)
    }
}

/// `2^x` for moderate `x`, to a relative error of 5·10⁻⁶, by multiplications and additions only: the same bits everywhere.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    let x = x.clamp(-126.0, 126.0);
    // Adding 1.5 · 2²³ rounds to a whole number, which then is in the low bits.
    let shifted = x + MAGIC;
    let f = x - (shifted - MAGIC);
    let whole = shifted.to_bits().wrapping_sub(MAGIC.to_bits());
    let p = 1.0
        + f * (std::f32::consts::LN_2 + f * (0.240_226_5 + f * (0.055_503_6 + f * (0.009_618_1 + f * 0.001_333_6))));
    f32::from_bits(p.to_bits().wrapping_add(whole << 23))
}

/// Inverse temperature of one sweep.
fn beta(sigma: f64, sweep: u32, sweeps: u32) -> f64 {
    let [first, last] = BETA_SIGMA.map(|b| b / sigma);
    first * (last / first).powf(f64::from(sweep) / f64::from(sweeps.max(2) - 1))
}

/// `2 β / ln 2` to sixteen binary places: the last bits of a logarithm differ between machines.
fn exponent(beta: f64) -> f32 {
    let exponent = (2.0 * beta / std::f64::consts::LN_2).min(f64::from(f32::MAX)) as f32;
    f32::from_bits(exponent.to_bits() & !0xff)
}

/// The whole method: the schedule, then descent.
pub(super) fn run<P: Problem>(relaxation: &mut Relaxation<'_, P>, sweeps: u32) -> Result<(), Error> {
    let (problem, control) = (relaxation.problem, relaxation.request.control);
    control.begin("anneal", u64::from(sweeps));
    control.advance(u64::from(relaxation.steps().min(sweeps)));
    while relaxation.steps() < sweeps && relaxation.may_flip() {
        let sweep = relaxation.steps();
        let exponents = problem.by_graph(|lane| exponent(beta(problem.scales(lane).typical, sweep, sweeps)));
        relaxation.step(&Metropolis { random: Uniform::new(problem, sweep), exponents })?;
    }
    control.end();
    descent::run(relaxation, sweeps)
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
