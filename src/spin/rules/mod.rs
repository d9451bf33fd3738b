//! Methods that stream: what flips at every visit, sweep after sweep.

pub mod anneal;
pub(super) mod random;
pub mod threshold;

use super::coupling::Coupling;
use super::error::Error;
use super::plan::Method;
use super::replica::Replica;
use super::sweep::Relax;

/// Runs a streaming method to its end.
pub(super) fn relaxed<C: Coupling>(mut relax: Relax<'_, C>, method: Method) -> Result<Vec<Replica>, Error> {
    match method {
        Method::Anneal { sweeps } => anneal::run(&mut relax, sweeps)?,
        _ => threshold::run(&mut relax)?,
    }
    Ok(relax.finish())
}
