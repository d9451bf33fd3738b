//! Descent by sweeps with a falling threshold.
//!
//! A plain sweep flips every spin with `r_i < 0` of a layer at once and falls into a poor minimum. Flipping only
//! `r_i < −τ` first, with `τ` falling, comes closer to always taking the most negative one (Algorithm 1) at the cost
//! of a few dozen passes. `τ = f σ` with the layer's field scale `σ` ([`super::Scales`]) and `f` from 4 down to 0.02 in
//! 40 geometric steps; then every negative field is flipped until there are none.

use super::coupling::Coupling;
use super::relax::{Relax, Search};
use super::visit::Rule;
use super::{Error, Scales};
use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};

/// Sweeps with a falling threshold.
const FALL: u32 = 40;
/// First and last threshold, in units of the layer's field scale.
const THRESHOLDS: [f64; 2] = [4.0, 0.02];
/// A field above `−TOLERANCE · Σ_j |Au_ij|` counts as not negative: rounding of `f32` sums stays below it.
const TOLERANCE: f32 = 1e-6;

/// Flips every spin whose field is below the layer's threshold.
struct Threshold {
    /// `−τ` by layer.
    below: Vec<f32>,
}

impl Threshold {
    fn new(scales: &Scales, factor: f64) -> Self {
        Self { below: scales.layers.iter().map(|s| (-factor * s.rms) as f32).collect() }
    }
}

impl Rule for Threshold {
    #[inline(always)]
    fn flips(&self, layer: usize, _: NodeId, _: usize, r: &[f32; LANES]) -> u16 {
        let below = self.below[layer];
        mask_of(r.map(|r| r < below))
    }
}

/// Flips every spin whose field is negative beyond rounding.
struct Negative<'a> {
    /// `Σ_j |Au_ij|` of every row.
    rows: &'a [f32],
}

impl Rule for Negative<'_> {
    #[inline(always)]
    fn flips(&self, _: usize, node: NodeId, _: usize, r: &[f32; LANES]) -> u16 {
        let below = -TOLERANCE * self.rows[node as usize];
        mask_of(r.map(|r| r < below))
    }
}

/// The whole method: falling threshold, then descent.
pub(super) fn run<C: Coupling>(relax: &mut Relax<'_, C>) -> Result<(), Error> {
    let Search { scales, control, .. } = relax.search;
    control.begin("sweep", u64::from(FALL));
    control.advance(u64::from(relax.steps().min(FALL)));
    let ratio = THRESHOLDS[1] / THRESHOLDS[0];
    for step in relax.steps()..FALL {
        let factor = THRESHOLDS[0] * ratio.powf(f64::from(step) / f64::from(FALL - 1));
        relax.step(&Threshold::new(scales, factor))?;
    }
    control.end();
    descend(relax, FALL)
}

/// Flips negative fields until there are none, after a schedule of that many sweeps.
pub(super) fn descend<C: Coupling>(relax: &mut Relax<'_, C>, schedule: u32) -> Result<(), Error> {
    let Search { scales, control, .. } = relax.search;
    control.begin("descent", 0);
    relax.descend(&Negative { rows: &scales.rows }, schedule)?;
    control.end();
    Ok(())
}
