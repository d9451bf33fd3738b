//! Sweeps: layer by layer, recompute the local fields from the blocks and let a rule choose which spins to flip.
//!
//! Frames of a layer are independent and run in parallel; their flips are applied when the whole layer is done. Cost
//! of a sweep: one read of the edges in both directions for all replicas; in a descent only of the frames and lane
//! groups with a neighbour that flipped since they were last read ([`super::stale`]).

use std::borrow::Cow;
use std::ops::Range;
use std::time::Instant;

use super::energy::{Grid, Tally};
use super::stale::{Neighbours, Stale};
use super::visit::{Job, Look, Outcome, Rule, Visit, jobs};
use super::{Batch, Checkpoint, Control, Error, Plan, Pulse, Replica, Run, Scales, initial_spins};
use crate::graph::{self, BlockStream};
use crate::kernel::LANES;

/// All replicas of a batch, and what is known of them.
pub(super) struct Relax<'a> {
    graph: &'a dyn BlockStream,
    pub(super) scales: &'a Scales,
    pub(super) plan: &'a Plan,
    pub(super) control: &'a dyn Control,
    batch: Batch,
    /// When this run began, which may go on from an earlier one.
    started: Instant,
    /// Frame indices by layer.
    layers: Vec<Range<usize>>,
    grids: Vec<Grid>,
}

impl<'a> Relax<'a> {
    /// Goes on from the saved state, or draws the initial one and measures its energies (cost: one sweep).
    pub(super) fn new(
        graph: &'a dyn BlockStream,
        scales: &'a Scales,
        plan: &'a Plan,
        control: &'a dyn Control,
    ) -> Result<Self, graph::Error> {
        let mut layers = vec![0..0; graph.layers().len()];
        for (index, info) in graph.frames().iter().enumerate() {
            let frames = &mut layers[info.layer as usize];
            *frames = if frames.end == 0 { index..index + 1 } else { frames.start..index + 1 };
        }
        let grids = scales.layers.iter().map(|s| Grid::new(s.max)).collect();
        let relax = |batch| Self { graph, scales, plan, control, batch, started: Instant::now(), layers, grids };
        if let Some(Checkpoint::Batch(batch)) = control.saved() {
            return Ok(relax(batch.into_owned()));
        }
        let spins = initial_spins(graph.totals().n_nodes, plan);
        let runs = vec![Run::default(); plan.replicas as usize];
        let mut relax = relax(Batch { steps: 0, runs, secs: 0.0, spins });
        for (run, alignment) in relax.alignments()?.into_iter().enumerate() {
            relax.batch.runs[run].alignment = alignment;
        }
        Ok(relax)
    }

    /// Steps of the schedule that are done.
    pub(super) fn steps(&self) -> u32 {
        self.batch.steps
    }

    /// One step of a schedule: a sweep over all layers, and a moment to save or stop.
    pub(super) fn step(&mut self, rule: &impl Rule) -> Result<(), Error> {
        self.sweep(rule)?;
        self.batch.steps += 1;
        self.pulse()
    }

    /// Reports progress, and saves or stops if asked to.
    fn pulse(&mut self) -> Result<(), Error> {
        self.control.advance(1);
        self.control.note(&format!("best ε {:.6}", self.best_energy()));
        let pulse = self.control.pulse();
        if pulse != Pulse::Continue {
            self.batch.secs += std::mem::replace(&mut self.started, Instant::now()).elapsed().as_secs_f64();
            self.control.save(&Checkpoint::Batch(Cow::Borrowed(&self.batch))).map_err(Error::Save)?;
        }
        if pulse == Pulse::Stop { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// One sweep over all layers.
    fn sweep(&mut self, rule: &impl Rule) -> Result<(), graph::Error> {
        let before = self.flips();
        for layer in 0..self.layers.len() {
            let outcomes = self.visit(layer, self.all_jobs(layer), rule)?;
            self.apply(layer, &outcomes);
        }
        self.close_sweep(&before);
        Ok(())
    }

    /// Sweeps with one rule, which must be a function of node and field alone, until no replica flips.
    pub(super) fn descend(&mut self, rule: &impl Rule) -> Result<(), Error> {
        let neighbours = Neighbours::new(self.graph)?;
        let mut stale = Stale::all(self.graph.frames().len(), self.batch.spins.n_groups());
        loop {
            let before = self.flips();
            for layer in 0..self.layers.len() {
                let jobs = self.layers[layer].clone().flat_map(|k| jobs(k, self.n_rows(k), stale.take(k))).collect();
                let outcomes = self.visit(layer, jobs, rule)?;
                self.apply(layer, &outcomes);
                for (outcome, group) in outcomes.iter().flat_map(|o| o.flipped_groups().map(move |g| (o, g))) {
                    neighbours.of(outcome.frame).iter().for_each(|&k| stale.set(k as usize, group));
                }
            }
            let done = self.flips() == before;
            self.close_sweep(&before);
            if done {
                return Ok(());
            }
            self.pulse()?;
        }
    }

    /// The least energy of any replica so far.
    fn best_energy(&self) -> f64 {
        let best = self.batch.runs.iter().map(|r| r.alignment).fold(f64::NEG_INFINITY, f64::max);
        0.5 * (1.0 - best / self.graph.totals().sum_abs)
    }

    /// Recomputes all energies, checks them against the running ones, and reports the replicas.
    pub(super) fn finish(self) -> Result<Vec<Replica>, Error> {
        let recomputed = self.alignments()?;
        let secs = self.batch.secs + self.started.elapsed().as_secs_f64();
        let sum_abs = self.graph.totals().sum_abs;
        let energy = |alignment: f64| 0.5 * (1.0 - alignment / sum_abs);
        let mut replicas = Vec::with_capacity(self.batch.runs.len());
        for (index, (run, alignment)) in self.batch.runs.iter().zip(recomputed).enumerate() {
            if (run.alignment - alignment).abs() > 1e-6 * sum_abs {
                let (running, recomputed) = (energy(run.alignment), energy(alignment));
                return Err(Error::Drift { replica: index as u32, running, recomputed });
            }
            replicas.push(Replica {
                index: index as u32,
                energy: energy(alignment),
                alignment,
                flips: run.flips,
                sweeps: run.sweeps,
                secs: secs / self.batch.runs.len() as f64,
                local_minimum: run.settled,
                state: self.batch.spins.replica_bits(index),
            });
        }
        Ok(replicas)
    }

    /// `Σ_edges s_i w s_j = ½ Σ_i r_i` of every replica, from scratch.
    fn alignments(&self) -> Result<Vec<f64>, graph::Error> {
        let mut sums = vec![0.0; self.batch.runs.len()];
        for layer in 0..self.layers.len() {
            let tallies = self.tally(&self.visit(layer, self.all_jobs(layer), &Look)?);
            for (replica, sum) in sums.iter_mut().enumerate() {
                *sum += 0.5 * tallies[replica / LANES].of(&self.grids[layer], replica % LANES).0;
            }
        }
        Ok(sums)
    }

    fn visit(&self, layer: usize, jobs: Vec<Job>, rule: &impl Rule) -> Result<Vec<Outcome>, graph::Error> {
        let active: Vec<_> = (0..self.batch.spins.n_groups()).map(|group| self.active(group)).collect();
        let (graph, spins, isa, grid) = (self.graph, &self.batch.spins, self.plan.isa, self.grids[layer]);
        Visit { graph, spins, isa, layer, grid, active: &active }.run(jobs, rule)
    }

    fn all_jobs(&self, layer: usize) -> Vec<Job> {
        let groups = 0..self.batch.spins.n_groups();
        self.layers[layer].clone().flat_map(|k| jobs(k, self.n_rows(k), groups.clone().collect())).collect()
    }

    fn n_rows(&self, frame: usize) -> usize {
        self.graph.frames()[frame].rows.len()
    }

    fn flips(&self) -> Vec<u64> {
        self.batch.runs.iter().map(|r| r.flips).collect()
    }

    /// Replicas of a group that may still flip.
    fn active(&self, group: usize) -> u16 {
        let runs = self.batch.runs.iter().skip(group * LANES).take(LANES);
        runs.enumerate().fold(0, |mask, (bit, run)| mask | u16::from(!run.exhausted) << bit)
    }

    /// Books a sweep, given the flips before it.
    fn close_sweep(&mut self, before: &[u64]) {
        for (run, before) in self.batch.runs.iter_mut().zip(before) {
            run.settled = run.flips == *before && !run.exhausted;
            run.sweeps += u64::from(!run.settled && !run.exhausted);
        }
    }

    /// Sums by lane group.
    fn tally(&self, outcomes: &[Outcome]) -> Vec<Tally> {
        let mut sums = vec![Tally::zero(); self.batch.spins.n_groups()];
        for (&group, tally) in outcomes.iter().flat_map(|o| o.groups.iter().zip(&o.tallies)) {
            sums[group].merge(tally);
        }
        sums
    }

    /// Applies a layer's flips and books their energy: flipping `i` changes `Σ_edges s w s` by `−2 r_i`.
    fn apply(&mut self, layer: usize, outcomes: &[Outcome]) {
        let tallies = self.tally(outcomes);
        let mut allowed = vec![u16::MAX; tallies.len()];
        for (replica, run) in self.batch.runs.iter_mut().enumerate() {
            let (sum, count) = tallies[replica / LANES].of(&self.grids[layer], replica % LANES);
            if count > self.plan.max_flips.saturating_sub(run.flips) {
                run.exhausted = true;
                allowed[replica / LANES] &= !(1 << (replica % LANES));
                continue;
            }
            run.alignment -= 2.0 * sum;
            run.flips += count;
        }
        for outcome in outcomes {
            let first_row = self.graph.frames()[outcome.frame].rows.start as usize;
            for (index, &group) in outcome.groups.iter().enumerate() {
                let masks = self.batch.spins.plane_mut(group)[first_row..].iter_mut();
                let flips = outcome.flips.iter().skip(index).step_by(outcome.groups.len());
                masks.zip(flips).for_each(|(mask, flips)| *mask ^= flips & allowed[group]);
            }
        }
    }
}

impl Outcome {
    /// The lane groups in which something flips.
    fn flipped_groups(&self) -> impl Iterator<Item = usize> + '_ {
        let flipped = |(_, tally): &(&usize, &Tally)| !tally.is_empty();
        self.groups.iter().zip(&self.tallies).filter(flipped).map(|(&group, _)| group)
    }
}
