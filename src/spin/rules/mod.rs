//! Methods that stream: what flips at every visit, sweep after sweep.

pub mod anneal;
mod descent;
mod random;
pub mod threshold;

use super::error::Error;
use super::plan::Method;
use super::problem::Problem;
use super::replica::Replica;
use super::sweep::Relaxation;

/// Runs the plan's streaming method to its end.
pub(super) fn run<P: Problem>(mut relaxation: Relaxation<'_, P>) -> Result<Vec<Replica>, Error> {
    match relaxation.request().plan.method {
        Method::Anneal { sweeps } => anneal::run(&mut relaxation, sweeps)?,
        Method::Sweep | Method::Steepest => threshold::run(&mut relaxation)?,
    }
    Ok(relaxation.finish())
}
