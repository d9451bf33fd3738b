//! One sweep: layer by layer, recompute all local fields from the blocks and let a rule choose which spins to flip.
//!
//! Frames of a layer are independent and run in parallel; their flips are applied when the whole layer is done. Cost
//! of a sweep: one read of the edges in both directions for all replicas.

use rayon::prelude::*;

use super::energy::{Grid, Tally};
use super::{Error, Plan, Replica, Scales};
use crate::graph::{self, BlockStream, Frame, NodeId};
use crate::kernel::{self, Fields, LANES, Scratch, Spins, Task, signed};

/// Decides flips from local fields.
pub(super) trait Rule: Sync {
    /// What to add up.
    const TALLY: Tallied = Tallied::Flipped;
    /// The mask of replicas whose spin at `node` flips, given `r` (by lane) in a layer of index `layer`.
    fn flips(&self, layer: usize, node: NodeId, group: usize, r: &[f32; LANES]) -> u16;
}

/// Flips nothing, and tallies every field.
struct Look;

impl Rule for Look {
    const TALLY: Tallied = Tallied::All;

    #[inline(always)]
    fn flips(&self, _: usize, _: NodeId, _: usize, _: &[f32; LANES]) -> u16 {
        0
    }
}

/// Which fields a rule wants added up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tallied {
    /// Those of the spins that flip.
    Flipped,
    /// All.
    All,
}

/// Applies a rule to the rows of a frame, for one lane group.
struct Decide<'a, R> {
    rule: &'a R,
    layer: usize,
    group: usize,
    fields: &'a Fields,
    spins: &'a [u16],
    /// Replicas that may flip.
    active: u16,
    grid: Grid,
    /// `[row][group]`
    flips: &'a mut [u16],
}

impl<R: Rule> Task for Decide<'_, R> {
    type Output = Tally;

    #[inline(always)]
    fn run(self) -> Tally {
        let (first, n_groups) = (self.fields.first_row(), self.fields.n_groups());
        let mut tally = Tally::zero();
        let vectors = self.fields.vectors().chunks_exact(n_groups);
        for ((row, vectors), flips) in vectors.enumerate().zip(self.flips.chunks_exact_mut(n_groups)) {
            let node = first + row as NodeId;
            let r = signed(self.spins[node as usize], vectors[self.group]);
            let mask = self.rule.flips(self.layer, node, self.group, &r) & self.active;
            flips[self.group] = mask;
            if R::TALLY == Tallied::All {
                tally.add(&self.grid, u16::MAX, &r);
            } else if mask != 0 {
                tally.add(&self.grid, mask, &r);
            }
        }
        tally
    }
}

/// All replicas of a batch, and what is known of them.
pub(super) struct Relax<'a> {
    graph: &'a dyn BlockStream,
    pub(super) scales: &'a Scales,
    pub(super) plan: &'a Plan,
    spins: Spins,
    /// Frame indices by layer.
    layers: Vec<std::ops::Range<usize>>,
    grids: Vec<Grid>,
    runs: Vec<Run>,
}

/// The running totals of one replica.
#[derive(Clone, Debug, Default)]
struct Run {
    alignment: f64,
    flips: u64,
    sweeps: u64,
    /// `max_flips` was reached.
    exhausted: bool,
    /// The last sweep flipped nothing.
    settled: bool,
}

/// What one frame contributes.
struct Outcome {
    /// `[row][group]`
    flips: Vec<u16>,
    /// By group.
    tallies: Vec<Tally>,
}

/// Buffers of one thread.
#[derive(Default)]
struct Buffers {
    frame: Frame,
    fields: Fields,
    scratch: Scratch,
}

impl<'a> Relax<'a> {
    /// Measures the initial energies. Cost: one sweep.
    pub(super) fn new(
        graph: &'a dyn BlockStream,
        scales: &'a Scales,
        plan: &'a Plan,
        spins: Spins,
    ) -> Result<Self, graph::Error> {
        let mut layers = vec![0..0; graph.layers().len()];
        for (index, info) in graph.frames().iter().enumerate() {
            let frames = &mut layers[info.layer as usize];
            *frames = if frames.end == 0 { index..index + 1 } else { frames.start..index + 1 };
        }
        let grids = scales.layers.iter().map(|s| Grid::new(s.max)).collect();
        let runs = vec![Run::default(); plan.replicas as usize];
        let mut relax = Self { graph, scales, plan, spins, layers, grids, runs };
        for (replica, alignment) in relax.alignments()?.into_iter().enumerate() {
            relax.runs[replica].alignment = alignment;
        }
        Ok(relax)
    }

    /// One sweep over all layers. Returns the flips of all replicas together.
    pub(super) fn sweep(&mut self, rule: &impl Rule) -> Result<u64, graph::Error> {
        let before: u64 = self.runs.iter().map(|r| r.flips).sum();
        let flips_before: Vec<_> = self.runs.iter().map(|r| r.flips).collect();
        for layer in 0..self.layers.len() {
            let outcomes = self.visit(layer, rule)?;
            self.apply(layer, outcomes);
        }
        for (run, before) in self.runs.iter_mut().zip(flips_before) {
            run.settled = run.flips == before && !run.exhausted;
            run.sweeps += u64::from(!run.settled && !run.exhausted);
        }
        Ok(self.runs.iter().map(|r| r.flips).sum::<u64>() - before)
    }

    /// The least energy of any replica so far.
    pub(super) fn best_energy(&self) -> f64 {
        let best = self.runs.iter().map(|r| r.alignment).fold(f64::NEG_INFINITY, f64::max);
        0.5 * (1.0 - best / self.graph.totals().sum_abs)
    }

    /// Recomputes all energies, checks them against the running ones, and reports the replicas.
    pub(super) fn finish(self, secs: f64) -> Result<Vec<Replica>, Error> {
        let recomputed = self.alignments()?;
        let sum_abs = self.graph.totals().sum_abs;
        let energy = |alignment: f64| 0.5 * (1.0 - alignment / sum_abs);
        let mut replicas = Vec::with_capacity(self.runs.len());
        for (index, (run, alignment)) in self.runs.iter().zip(recomputed).enumerate() {
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
                secs: secs / self.runs.len() as f64,
                local_minimum: run.settled,
                state: self.spins.replica_bits(index),
            });
        }
        Ok(replicas)
    }

    /// `Σ_edges s_i w s_j = ½ Σ_i r_i` of every replica, from scratch.
    fn alignments(&self) -> Result<Vec<f64>, graph::Error> {
        let mut sums = vec![0.0; self.runs.len()];
        for layer in 0..self.layers.len() {
            let mut seen = vec![Tally::zero(); self.spins.n_groups()];
            for outcome in self.visit(layer, &Look)? {
                seen.iter_mut().zip(&outcome.tallies).for_each(|(a, b)| a.merge(b));
            }
            for (replica, sum) in sums.iter_mut().enumerate() {
                *sum += 0.5 * seen[replica / LANES].of(&self.grids[layer], replica % LANES).0;
            }
        }
        Ok(sums)
    }

    /// Fields and flips of all frames of a layer, in order.
    fn visit(&self, layer: usize, rule: &impl Rule) -> Result<Vec<Outcome>, graph::Error> {
        let frames = self.layers[layer].clone();
        frames
            .into_par_iter()
            .map_init(Buffers::default, |buffers, index| {
                self.graph.read(index, &mut buffers.frame)?;
                let rows = self.graph.frames()[index].rows.clone();
                let Buffers { frame, fields, scratch } = buffers;
                fields.reset(rows, self.spins.n_groups());
                for blocks in [&frame.inward, &frame.outward] {
                    kernel::add_blocks(self.plan.isa, blocks, self.graph.values(), &self.spins, fields, scratch);
                }
                Ok(self.decide(layer, rule, fields))
            })
            .collect()
    }

    fn decide(&self, layer: usize, rule: &impl Rule, fields: &Fields) -> Outcome {
        let n_groups = self.spins.n_groups();
        let mut flips = vec![0; fields.vectors().len()];
        let tally = |group| {
            let (spins, active) = (self.spins.plane(group), self.active(group));
            self.plan.isa.run(Decide {
                rule,
                layer,
                group,
                fields,
                spins,
                active,
                grid: self.grids[layer],
                flips: &mut flips,
            })
        };
        let tallies = (0..n_groups).map(tally).collect();
        Outcome { flips, tallies }
    }

    /// Replicas of a group that may still flip.
    fn active(&self, group: usize) -> u16 {
        let runs = self.runs.iter().skip(group * LANES).take(LANES);
        runs.enumerate().fold(0, |mask, (bit, run)| mask | u16::from(!run.exhausted) << bit)
    }

    /// Applies a layer's flips and books their energy: flipping `i` changes `Σ_edges s w s` by `−2 r_i`.
    fn apply(&mut self, layer: usize, outcomes: Vec<Outcome>) {
        let n_groups = self.spins.n_groups();
        let mut flipped = vec![Tally::zero(); n_groups];
        for outcome in &outcomes {
            flipped.iter_mut().zip(&outcome.tallies).for_each(|(a, b)| a.merge(b));
        }
        let mut allowed = vec![u16::MAX; n_groups];
        for (replica, run) in self.runs.iter_mut().enumerate() {
            let (sum, count) = flipped[replica / LANES].of(&self.grids[layer], replica % LANES);
            if count > self.plan.max_flips.saturating_sub(run.flips) {
                run.exhausted = true;
                allowed[replica / LANES] &= !(1 << (replica % LANES));
                continue;
            }
            run.alignment -= 2.0 * sum;
            run.flips += count;
        }
        let first_row = self.graph.layers()[layer].nodes.start as usize;
        for (group, &allowed) in allowed.iter().enumerate() {
            let plane = self.spins.plane_mut(group)[first_row..].iter_mut();
            let flips = outcomes.iter().flat_map(|o| o.flips.iter().skip(group).step_by(n_groups));
            plane.zip(flips).for_each(|(mask, flips)| *mask ^= flips & allowed);
        }
    }
}
