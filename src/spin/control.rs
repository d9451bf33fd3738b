//! How a long search is watched, saved, stopped and resumed.

use std::borrow::Cow;
use std::time::Instant;

use super::{Error, Plan, Replica};
use crate::kernel::Spins;
use crate::progress::{Progress, Silent};

/// What the solver asks of its surroundings between two sweeps, or after a replica of `steepest`.
pub trait Control: Progress {
    /// The state that an earlier, unfinished run of the same plan left behind.
    fn saved(&self) -> Option<Checkpoint<'static>> {
        None
    }
    /// What to do now.
    fn pulse(&self) -> Pulse {
        Pulse::Continue
    }
    /// Keeps a state.
    ///
    /// # Errors
    /// Whatever the storage says.
    fn save(&self, _: &Checkpoint<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}

impl Control for Silent {}

/// The answer to "what now?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// Go on.
    Continue,
    /// Save, then go on.
    Save,
    /// Save, then end with [`super::Error::Interrupted`].
    Stop,
}

/// A search between two sweeps: going on from here gives the same replicas as never having stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkpoint<'a> {
    /// The replicas that are finished, in any order.
    pub done: Cow<'a, [Replica]>,
    /// The replicas that are under way (streaming methods).
    pub ensemble: Option<Cow<'a, Ensemble>>,
}

/// Replicas of a streaming method that travel together.
#[derive(Clone, Debug, PartialEq)]
pub struct Ensemble {
    /// How many sweeps are done, those of the descent included.
    pub steps: u32,
    /// Totals by slot. A slot is a place for one replica: bit `slot % 16` of the masks of plane `slot / 16`.
    pub walkers: Vec<Walker>,
    /// Seconds spent so far.
    pub secs: f64,
    /// The states, by slot.
    pub spins: Spins,
}

/// The running totals of one replica.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Walker {
    /// The replica's number.
    pub replica: u32,
    /// `Σ_edges s_i w s_j`, about: it changes by sums of `f32` fields. For watching only, yet the same on any number of
    /// threads, because the fields of a layer are added up as integers. The energy of [`Replica`] is exact.
    ///
    /// [`Replica`]: super::Replica
    pub alignment: f64,
    /// Flips so far.
    pub flips: u64,
    /// Sweeps that flipped something.
    pub sweeps: u64,
    /// `max_flips` was reached.
    pub exhausted: bool,
    /// The last sweep flipped nothing.
    pub settled: bool,
}

impl Ensemble {
    /// Slots of the replicas that may still flip.
    pub(super) fn live(&self) -> Vec<usize> {
        (0..self.walkers.len()).filter(|&slot| self.walkers[slot].is_live()).collect()
    }
}

impl Walker {
    /// May it still flip?
    pub(super) fn is_live(&self) -> bool {
        !self.settled && !self.exhausted
    }
}

/// What the ensembles of a search have in common: the plan, who watches, and the replicas of earlier ensembles.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub plan: &'a Plan,
    pub control: &'a dyn Control,
    pub done: &'a [Replica],
}

impl Request<'_> {
    /// Saves an ensemble, or ends the search, if that is asked for; `started` is when this run began.
    pub fn pulse(&self, ensemble: &mut Ensemble, started: Instant) -> Result<(), Error> {
        let pulse = self.control.pulse();
        if pulse != Pulse::Continue {
            let secs = ensemble.secs;
            ensemble.secs += started.elapsed().as_secs_f64();
            let (done, under_way) = (Cow::Borrowed(self.done), Some(Cow::Borrowed(&*ensemble)));
            let saved = self.control.save(&Checkpoint { done, ensemble: under_way });
            ensemble.secs = secs;
            saved.map_err(Error::Save)?;
        }
        if pulse == Pulse::Stop { Err(Error::Interrupted) } else { Ok(()) }
    }
}
