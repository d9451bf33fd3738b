//! Descent by sweeps with a falling threshold.
//!
//! A plain sweep flips every spin with `r_i < 0` of a layer at once and falls into a poor minimum. Flipping only
//! `r_i < −τ` first, with `τ` falling, comes closer to always taking the most negative one (Algorithm 1) at the cost
//! of a few dozen passes. `τ = f σ` with the layer's field scale `σ` ([`Scales`](crate::spin::Scales)) and `f` from 4 down to 0.02 in
//! 40 geometric steps; then every negative field is flipped until there are none.

use super::descent;
use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};
use crate::spin::sweep::Relaxation;
use crate::spin::sweep::rule::Rule;
use crate::spin::{Error, Problem};

/// Sweeps with a falling threshold.
const FALL: u32 = 40;
/// First and last threshold, in units of the layer's field scale.
const THRESHOLDS: [f64; 2] = [4.0, 0.02];

/// Flips every spin whose field is below the layer's threshold.
struct Threshold {
    /// `−τ`: `[layer][lane]`
    below: Vec<[f32; LANES]>,
}

impl Threshold {
    fn new(problem: &impl Problem, factor: f64) -> Self {
        let below = |layer: usize| problem.by_graph(|lane| (-factor * problem.scales(lane).layers[layer].rms) as f32);
        Self { below: (0..problem.graph().layers().len()).map(below).collect() }
    }
}

impl Rule for Threshold {
    #[inline(always)]
    fn flips(&self, layer: usize, _: NodeId, _: usize, r: &[f32; LANES]) -> u16 {
        let below = &self.below[layer];
        let mut flips = [false; LANES];
        for (lane, flips) in flips.iter_mut().enumerate() {
            *flips = r[lane] < below[lane];
        }
        mask_of(flips)
    }
}

/// The whole method: falling threshold, then descent.
pub(super) fn run<P: Problem>(relaxation: &mut Relaxation<'_, P>) -> Result<(), Error> {
    let (problem, control) = (relaxation.problem, relaxation.request.control);
    control.begin("sweep", u64::from(FALL));
    control.advance(u64::from(relaxation.steps().min(FALL)));
    let ratio = THRESHOLDS[1] / THRESHOLDS[0];
    while relaxation.steps() < FALL && relaxation.may_flip() {
        let factor = THRESHOLDS[0] * ratio.powf(f64::from(relaxation.steps()) / f64::from(FALL - 1));
        relaxation.step(&Threshold::new(problem, factor))?;
    }
    control.end();
    descent::run(relaxation, FALL)
}
