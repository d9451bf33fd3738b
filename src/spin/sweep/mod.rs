//! Sweeps: layer by layer, recompute the local fields from the blocks and let a rule choose which spins to flip.
//!
//! Frames of a layer are independent and run in parallel; their flips are applied when the whole layer is done. Cost
//! of a sweep: one read of the edges in both directions for all replicas; in a descent only of the frames and lane
//! groups with a neighbour that flipped since they were last read ([`stale`]), and of the replicas that have not
//! settled ([`ending`]).

mod ending;
mod fixed_point;
pub(super) mod rule;
mod stale;
mod visit;

use std::ops::Range;
use std::time::Instant;

use self::ending::PATIENCE;
use self::fixed_point::{Grid, Tally};
use self::rule::{Look, Rule};
use self::stale::Stale;
use self::visit::{Outcome, Spare, Visit};
use super::control::{Batch, Request, Run};
use super::error::Error;
use super::initial;
use super::one_way::behind::Behind;
use super::one_way::waves::Waves;
use super::problem::Problem;
use super::replica::Replica;
use super::visits::{Job, jobs};
use crate::graph;
use crate::kernel::LANES;

/// The replicas of a batch, and what is known of them.
pub(super) struct Relax<'a, P>
where
    P: Problem,
{
    problem: &'a P,
    request: Request<'a>,
    batch: Batch,
    /// When this run began, which may go on from an earlier one, and when the last sweep ended.
    started: Instant,
    last: Instant,
    /// Frame indices by layer.
    layers: Vec<Range<usize>>,
    grids: Vec<Grid>,
    /// Of a one-way stream.
    one_way: Option<(Behind, Waves)>,
    spare: Spare<P::Buffers>,
}

impl<'a, P: Problem> Relax<'a, P> {
    /// Goes on from a saved batch. Cost for a one-way stream: one sweep.
    pub(super) fn resume(problem: &'a P, request: Request<'a>, batch: Batch) -> Result<Self, graph::Error> {
        let mut relax = Self::of(problem, request, batch)?;
        if relax.one_way.is_some() {
            relax.alignments()?;
        }
        Ok(relax)
    }

    fn of(problem: &'a P, request: Request<'a>, batch: Batch) -> Result<Self, graph::Error> {
        let graph = problem.graph();
        let mut layers = vec![0..0; graph.layers().len()];
        for (index, info) in graph.frames().iter().enumerate() {
            let frames = &mut layers[info.layer as usize];
            *frames = if frames.end == 0 { index..index + 1 } else { frames.start..index + 1 };
        }
        let grid = |layer: usize| Grid::new(problem.by_graph(|lane| problem.scales(lane).layers[layer].max));
        let grids = (0..layers.len()).map(grid).collect();
        let now = Instant::now();
        let one_way = match graph.is_one_way() {
            true => Some((Behind::new(batch.spins.n_nodes(), batch.spins.n_planes()), Waves::new(graph)?)),
            false => None,
        };
        Ok(Self { problem, request, batch, started: now, last: now, layers, grids, one_way, spare: Spare::default() })
    }

    /// Draws the initial state of some replicas, the first a multiple of sixteen, and measures their energies (cost:
    /// half a sweep).
    pub(super) fn new(problem: &'a P, request: Request<'a>, replicas: Range<u32>) -> Result<Self, graph::Error> {
        let spins = initial::spins(problem, request.plan, replicas.clone());
        let runs = replicas.map(|replica| Run { replica, ..Run::default() }).collect();
        let mut relax = Self::of(problem, request, Batch { steps: 0, runs, secs: 0.0, spins })?;
        for (run, alignment) in relax.alignments()?.into_iter().enumerate() {
            relax.batch.runs[run].alignment = alignment;
        }
        Ok(relax)
    }

    /// What is solved.
    pub(super) fn problem(&self) -> &'a P {
        self.problem
    }

    /// What was asked for.
    pub(super) fn request(&self) -> Request<'a> {
        self.request
    }

    /// Sweeps that are done.
    pub(super) fn steps(&self) -> u32 {
        self.batch.steps
    }

    /// Is there a replica that `max_flips` has not ended?
    pub(super) fn may_flip(&self) -> bool {
        self.batch.runs.iter().any(|run| !run.exhausted)
    }

    /// One step of a schedule: a sweep over all layers, and a moment to save or stop.
    pub(super) fn step(&mut self, rule: &impl Rule) -> Result<(), Error> {
        self.sweep(rule, &mut Stale::everything(self.batch.spins.n_planes()))
    }

    /// Sweeps with one rule, which must be a function of node and field alone, until no replica flips. The schedule
    /// before it had `schedule` sweeps.
    pub(super) fn descend(&mut self, rule: &impl Rule, schedule: u32) -> Result<(), Error> {
        if self.batch.steps == schedule {
            self.batch.runs.iter_mut().for_each(|run| run.settled = false);
        }
        let n_groups = self.batch.spins.n_planes();
        let one_way = self.one_way.is_some();
        let mut stale = if one_way { Stale::everything(n_groups) } else { Stale::new(self.problem.graph(), n_groups)? };
        while self.batch.runs.iter().any(Run::is_live) {
            if P::OF_WHOLE_GRAPHS && self.batch.steps >= schedule + PATIENCE && !one_way {
                return ending::one_by_one(self.problem, self.request, &mut self.batch, self.started);
            }
            self.close_ranks(&mut stale);
            self.sweep(rule, &mut stale)?;
        }
        Ok(())
    }

    /// Visits what is stale, layer by layer.
    fn sweep(&mut self, rule: &impl Rule, stale: &mut Stale) -> Result<(), Error> {
        let before: Vec<_> = self.batch.runs.iter().map(|run| run.flips).collect();
        let mut edge_ends = 0;
        for layer in 0..self.layers.len() {
            let jobs: Vec<_> =
                self.layers[layer].clone().flat_map(|k| jobs(k, self.n_rows(k), stale.take(k))).collect();
            edge_ends += jobs.iter().map(|job| self.edge_ends(job)).sum::<u64>();
            let outcomes = self.visit(layer, jobs, rule)?;
            self.apply(layer, &outcomes);
            for outcome in &outcomes {
                outcome.flipped_groups().for_each(|group| stale.flipped(outcome.frame, group));
            }
        }
        for (run, before) in self.batch.runs.iter_mut().zip(before) {
            run.settled = run.flips == before && !run.exhausted;
            run.sweeps += u64::from(run.is_live());
        }
        self.batch.steps += 1;
        self.report(edge_ends);
        self.pulse()
    }

    /// Moves the replicas that still flip into the first lane groups, if that empties a group.
    fn close_ranks(&mut self, stale: &mut Stale) {
        let live = self.batch.live();
        let n_groups = live.len().div_ceil(LANES);
        if n_groups == stale.n_groups() {
            return;
        }
        let Batch { runs, spins, .. } = &mut self.batch;
        let free: Vec<_> = (0..n_groups * LANES).filter(|&slot| !runs[slot].is_live()).collect();
        for (free, slot) in free.into_iter().zip(live.into_iter().filter(|&slot| slot >= n_groups * LANES)) {
            runs.swap(free, slot);
            spins.swap(free, slot);
            if let Some((behind, _)) = &mut self.one_way {
                behind.swap(free, slot);
            }
        }
        stale.keep_groups(n_groups);
    }

    /// Tells how it goes.
    fn report(&mut self, edge_ends: u64) {
        let control = self.request.control;
        let secs = std::mem::replace(&mut self.last, Instant::now()).elapsed().as_secs_f64();
        let runs = &self.batch.runs;
        let energy = runs.iter().map(|run| self.energy(run.replica, run.alignment)).fold(f64::INFINITY, f64::min);
        let flips = runs.iter().map(|run| run.flips).sum::<u64>() as f64 / 1e6;
        let live = runs.iter().filter(|run| run.is_live()).count();
        let rate = edge_ends as f64 / secs / 1e9;
        control.advance(1);
        control.note(&format!("best ε {energy:.6}, {live} replicas, {flips:.1} M flips, {rate:.1} G edge ends/s"));
    }

    /// A moment to save or stop.
    fn pulse(&mut self) -> Result<(), Error> {
        self.request.pulse(&mut self.batch, self.started)
    }

    /// Reports the replicas, without their energies.
    pub(super) fn finish(self) -> Vec<Replica> {
        let secs = self.batch.secs + self.started.elapsed().as_secs_f64();
        let Batch { runs, spins, .. } = &self.batch;
        let replica = |(slot, run): (usize, &Run)| Replica {
            index: run.replica,
            flips: run.flips,
            sweeps: run.sweeps,
            secs: secs / runs.len() as f64,
            local_minimum: run.settled,
            state: spins.state(slot),
            ..Replica::default()
        };
        let mut replicas: Vec<_> = runs.iter().enumerate().map(replica).collect();
        replicas.sort_by_key(|replica| replica.index);
        replicas
    }

    /// `e` of a replica whose `Σ_edges s_i w s_j` is `alignment`, about.
    fn energy(&self, replica: u32, alignment: f64) -> f64 {
        0.5 * (1.0 - alignment / self.problem.sum_abs(replica))
    }

    /// `Σ_edges s_i w s_j` by slot, about: the sum of the In fields.
    fn alignments(&mut self) -> Result<Vec<f64>, graph::Error> {
        let mut sums = vec![0.0; self.batch.runs.len()];
        let groups: Vec<_> = (0..self.batch.spins.n_planes()).collect();
        for layer in 0..self.layers.len() {
            let jobs = self.layers[layer].clone().flat_map(|k| jobs(k, self.n_rows(k), groups.clone())).collect();
            let outcomes = self.visit(layer, jobs, &Look)?;
            let tallies = self.tally(&outcomes);
            for (slot, sum) in sums.iter_mut().enumerate() {
                *sum += tallies[slot / LANES].of(&self.grids[layer], slot % LANES).0;
            }
        }
        Ok(sums)
    }

    fn visit(&mut self, layer: usize, jobs: Vec<Job>, rule: &impl Rule) -> Result<Vec<Outcome>, graph::Error> {
        let active: Vec<_> = (0..self.batch.spins.n_planes()).map(|group| self.active(group)).collect();
        let first_group = self.batch.runs[0].replica as usize / LANES;
        let (spins, isa, grid) = (&self.batch.spins, self.request.plan.isa, &self.grids[layer]);
        let factor = self.problem.scales(0).factor;
        let visit = Visit {
            problem: self.problem,
            spare: &self.spare,
            spins,
            isa,
            factor,
            layer,
            first_group,
            grid,
            active: &active,
        };
        match &mut self.one_way {
            Some((behind, waves)) => visit.run_one_way(jobs, rule, behind, waves),
            None => visit.run(jobs, rule),
        }
    }

    fn n_rows(&self, frame: usize) -> usize {
        self.problem.graph().frames()[frame].rows.len()
    }

    /// Edge ends that a job reads, times replicas.
    fn edge_ends(&self, job: &Job) -> u64 {
        let info = &self.problem.graph().frames()[job.frame];
        let replicas: u32 = job.groups.iter().map(|&group| self.active(group).count_ones()).sum();
        (info.n_edges_in + info.n_edges_out) * u64::from(replicas)
    }

    /// Replicas of a group that may still flip.
    fn active(&self, group: usize) -> u16 {
        let runs = self.batch.runs.iter().skip(group * LANES).take(LANES);
        runs.enumerate().fold(0, |mask, (bit, run)| mask | u16::from(!run.exhausted) << bit)
    }

    /// Sums by lane group.
    fn tally(&self, outcomes: &[Outcome]) -> Vec<Tally> {
        let mut sums = vec![Tally::zero(); self.batch.spins.n_planes()];
        for (&group, tally) in outcomes.iter().flat_map(|o| o.groups.iter().zip(&o.tallies)) {
            sums[group].merge(tally);
        }
        sums
    }

    /// Applies a layer's flips and books their energy: flipping `i` changes `Σ_edges s w s` by `−2 r_i`.
    fn apply(&mut self, layer: usize, outcomes: &[Outcome]) {
        let tallies = self.tally(outcomes);
        let mut allowed = vec![u16::MAX; tallies.len()];
        for (slot, run) in self.batch.runs.iter_mut().enumerate() {
            let (sum, count) = tallies[slot / LANES].of(&self.grids[layer], slot % LANES);
            if count > self.request.plan.max_flips.saturating_sub(run.flips) {
                run.exhausted = true;
                allowed[slot / LANES] &= !(1 << (slot % LANES));
                continue;
            }
            run.alignment -= 2.0 * sum;
            run.flips += count;
        }
        for outcome in outcomes {
            let first_row = self.problem.graph().frames()[outcome.frame].rows.start as usize;
            for (index, &group) in outcome.groups.iter().enumerate() {
                let masks = self.batch.spins.plane_mut(group)[first_row..].iter_mut();
                let flips = outcome.flips.iter().skip(index).step_by(outcome.groups.len());
                masks.zip(flips).for_each(|(mask, flips)| *mask ^= flips & allowed[group]);
            }
        }
    }
}
