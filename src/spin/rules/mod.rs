//! Methods that stream: which spins flip at a visit, sweep after sweep.
//!
//! A method is a schedule of sweeps, each with a rule that decides flips from local fields `r_i = s_i Σ_j Au_ij s_j`; then a
//! descent, which flips what has a negative one until nothing has. (On these pages *field* is short for local field.) Reading
//! edges, adding up fields, saving and stopping are the business of the sweep.
//!
//! | method | rule of a sweep | schedule |
//! |---|---|---|
//! | [`threshold`] | `r_i < −τ` | `τ` falls over 40 sweeps |
//! | [`anneal`] | Metropolis: with probability `min(1, exp(−2 β r_i))` | `β` rises over as many sweeps as are asked for |
//! | both, at the end | `r_i < 0`, beyond rounding | until no spin flips |

pub mod anneal;
mod descent;
mod random;
pub mod threshold;

use super::sweep::Relaxation;
use super::{Error, Method, Problem, Replica};

/// Runs the plan's streaming method to its end.
pub(super) fn run<P: Problem>(mut relaxation: Relaxation<'_, P>) -> Result<Vec<Replica>, Error> {
    match relaxation.request.plan.method {
        Method::Anneal { sweeps } => anneal::run(&mut relaxation, sweeps)?,
        Method::Sweep | Method::Steepest => threshold::run(&mut relaxation)?,
    }
    Ok(relaxation.finish())
}
