//! Descent by sweeps with a falling threshold.
//!
//! A plain sweep flips every spin with `r_i < 0` of a layer at once and falls into a poor minimum. Flipping only
//! `r_i < −τ` first, with `τ` falling, comes closer to always taking the most negative one (Algorithm 1) at the cost
//! of a few dozen passes. `τ = f σ` with the layer's field scale `σ` ([`Scales`](crate::spin::Scales)) and `f` from 4 down to 0.02 in
//! 40 geometric steps; then every negative field is flipped until there are none.

use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};
use crate::spin::coupling::Coupling;
use crate::spin::error::Error;
use crate::spin::siblings::{Company, Siblings};
use crate::spin::sweep::rule::Rule;
use crate::spin::sweep::{Relax, Search};

/// Sweeps with a falling threshold.
const FALL: u32 = 40;
/// First and last threshold, in units of the layer's field scale.
const THRESHOLDS: [f64; 2] = [4.0, 0.02];
/// A field above `−TOLERANCE · Σ_j |Au_ij|` counts as not negative: rounding of `f32` sums stays below it.
const TOLERANCE: f32 = 1e-6;

/// Flips every spin whose field is below the layer's threshold.
struct Threshold {
    /// `−τ`: `[layer][lane]`
    below: Vec<[f32; LANES]>,
}

impl Threshold {
    fn new(company: Company<'_>, n_layers: usize, factor: f64) -> Self {
        let below = |layer: usize| company.by_lane(|scales| (-factor * scales.layers[layer].rms) as f32);
        Self { below: (0..n_layers).map(below).collect() }
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

/// The same where lanes belong to several graphs.
struct NegativeByGraph<'a> {
    /// `Σ_j |Au_ij|`: `[row][graph]`
    rows: &'a [f32],
    n_graphs: usize,
    /// By lane.
    graphs: [usize; LANES],
}

impl<'a> NegativeByGraph<'a> {
    fn new(siblings: &'a Siblings<'_>) -> Self {
        Self { rows: siblings.rows(), n_graphs: siblings.n_graphs(), graphs: siblings.graphs() }
    }
}

impl Rule for NegativeByGraph<'_> {
    #[inline(always)]
    fn flips(&self, _: usize, node: NodeId, _: usize, r: &[f32; LANES]) -> u16 {
        if !r.iter().fold(false, |any, &r| any | (r < 0.0)) {
            return 0;
        }
        let rows = &self.rows[node as usize * self.n_graphs..][..self.n_graphs];
        let mut flips = [false; LANES];
        for (lane, flips) in flips.iter_mut().enumerate() {
            *flips = r[lane] < -TOLERANCE * rows[self.graphs[lane]];
        }
        mask_of(flips)
    }
}

/// The whole method: falling threshold, then descent.
pub(super) fn run<C: Coupling>(relax: &mut Relax<'_, C>) -> Result<(), Error> {
    let Search { graph, company, control, .. } = relax.search;
    control.begin("sweep", u64::from(FALL));
    control.advance(u64::from(relax.steps().min(FALL)));
    let ratio = THRESHOLDS[1] / THRESHOLDS[0];
    while relax.steps() < FALL && relax.may_flip() {
        let factor = THRESHOLDS[0] * ratio.powf(f64::from(relax.steps()) / f64::from(FALL - 1));
        relax.step(&Threshold::new(company, graph.layers().len(), factor))?;
    }
    control.end();
    descend(relax, FALL)
}

/// Flips negative fields until there are none, after a schedule of that many sweeps.
pub(super) fn descend<C: Coupling>(relax: &mut Relax<'_, C>, schedule: u32) -> Result<(), Error> {
    let Search { company, control, .. } = relax.search;
    control.begin("descent", 0);
    match company {
        Company::One(scales) => relax.descend(&Negative { rows: &scales.rows }, schedule)?,
        Company::Siblings(siblings) => relax.descend(&NegativeByGraph::new(siblings), schedule)?,
    }
    control.end();
    Ok(())
}
