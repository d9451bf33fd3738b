//! Descent: flips negative fields until there are none, which is how every streaming method ends.

use crate::graph::NodeId;
use crate::kernel::{LANES, mask_of};
use crate::spin::sweep::Relaxation;
use crate::spin::sweep::rule::Rule;
use crate::spin::{Error, Problem};

/// A field above `−TOLERANCE · Σ_j |Au_ij|` counts as not negative: rounding of `f32` sums stays below it.
const TOLERANCE: f32 = 1e-6;

/// Flips every spin whose field is negative beyond rounding.
struct Downhill<'a, P>(&'a P);

impl<P: Problem> Rule for Downhill<'_, P> {
    #[inline(always)]
    fn flips(&self, _: usize, node: NodeId, _: usize, r: &[f32; LANES]) -> u16 {
        // Most rows of a descent have no negative field, and row sums by lane are slow to fetch.
        if !r.iter().fold(false, |any, &r| any | (r < 0.0)) {
            return 0;
        }
        let below = self.0.by_graph(|lane| -TOLERANCE * self.0.row_sum(lane, node));
        let mut flips = [false; LANES];
        for (lane, flips) in flips.iter_mut().enumerate() {
            *flips = r[lane] < below[lane];
        }
        mask_of(flips)
    }
}

/// Flips negative fields until there are none, after a schedule of that many sweeps.
pub(super) fn run<P: Problem>(relaxation: &mut Relaxation<'_, P>, schedule: u32) -> Result<(), Error> {
    let control = relaxation.request.control;
    control.begin("descent", 0);
    relaxation.descend(&Downhill(relaxation.problem), schedule)?;
    control.end();
    Ok(())
}
