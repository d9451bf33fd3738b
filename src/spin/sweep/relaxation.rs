//! The sweeps of some replicas that travel together.

use std::ops::Range;
use std::time::Instant;

use super::fixed_point::{FieldSums, Grid};
use super::last_flips::{self, PATIENCE};
use super::rule::{NoFlips, Rule};
use super::stale::StaleFrames;
use super::visitor::{BufferPool, Visited, Visitor};
use crate::graph;
use crate::kernel::LANES;
use crate::spin::control::{Ensemble, Request, Walker};
use crate::spin::initial;
use crate::spin::one_way::out_fields::OutFields;
use crate::spin::one_way::waves::Waves;
use crate::spin::visits::{self, Visit};
use crate::spin::{Error, Problem, Replica};

/// The walkers of an ensemble, and what is known of them.
pub(in crate::spin) struct Relaxation<'a, P: Problem> {
    pub problem: &'a P,
    pub request: Request<'a>,
    ensemble: Ensemble,
    /// When this run began, which may go on from an earlier one, and when the last sweep ended.
    started: Instant,
    last: Instant,
    /// Frame indices by layer.
    layers: Vec<Range<usize>>,
    grids: Vec<Grid>,
    /// Of a one-way stream.
    one_way: Option<(OutFields, Waves)>,
    buffers: BufferPool<P::Buffers>,
}

impl<'a, P: Problem> Relaxation<'a, P> {
    /// Goes on from a saved ensemble. Cost for a one-way stream: one sweep.
    pub(in crate::spin) fn resume(
        problem: &'a P,
        request: Request<'a>,
        ensemble: Ensemble,
    ) -> Result<Self, graph::Error> {
        let mut relaxation = Self::of(problem, request, ensemble)?;
        // Out fields are not saved: a sweep that flips nothing scatters them anew.
        if relaxation.one_way.is_some() {
            relaxation.alignments()?;
        }
        Ok(relaxation)
    }

    fn of(problem: &'a P, request: Request<'a>, ensemble: Ensemble) -> Result<Self, graph::Error> {
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
            true => Some((OutFields::new(ensemble.spins.n_nodes(), ensemble.spins.n_planes()), Waves::new(graph)?)),
            false => None,
        };
        Ok(Self {
            problem,
            request,
            ensemble,
            started: now,
            last: now,
            layers,
            grids,
            one_way,
            buffers: BufferPool::default(),
        })
    }

    /// Draws the initial state of some replicas, the first a multiple of sixteen, and measures their energies (cost:
    /// half a sweep).
    pub(in crate::spin) fn new(
        problem: &'a P,
        request: Request<'a>,
        replicas: Range<u32>,
    ) -> Result<Self, graph::Error> {
        let spins = initial::spins(problem, request.plan, replicas.clone());
        let walkers = replicas.map(|replica| Walker { replica, ..Walker::default() }).collect();
        let mut relaxation = Self::of(problem, request, Ensemble { steps: 0, walkers, secs: 0.0, spins })?;
        for (slot, alignment) in relaxation.alignments()?.into_iter().enumerate() {
            relaxation.ensemble.walkers[slot].alignment = alignment;
        }
        Ok(relaxation)
    }

    /// Sweeps that are done.
    pub(in crate::spin) fn steps(&self) -> u32 {
        self.ensemble.steps
    }

    /// Is there a replica that `max_flips` has not ended?
    pub(in crate::spin) fn may_flip(&self) -> bool {
        self.ensemble.walkers.iter().any(|walker| !walker.exhausted)
    }

    /// One step of a schedule: a sweep over all layers, and a moment to save or stop.
    pub(in crate::spin) fn step(&mut self, rule: &impl Rule) -> Result<(), Error> {
        self.sweep(rule, &mut StaleFrames::everything(self.ensemble.spins.n_planes()))
    }

    /// Sweeps with one rule, which must be a function of node and field alone, until no replica flips. The schedule
    /// before it had `schedule` sweeps.
    pub(in crate::spin) fn descend(&mut self, rule: &impl Rule, schedule: u32) -> Result<(), Error> {
        if self.ensemble.steps == schedule {
            self.ensemble.walkers.iter_mut().for_each(|walker| walker.settled = false);
        }
        let n_planes = self.ensemble.spins.n_planes();
        let one_way = self.one_way.is_some();
        let mut stale =
            if one_way { StaleFrames::everything(n_planes) } else { StaleFrames::new(self.problem.graph(), n_planes)? };
        while self.ensemble.walkers.iter().any(Walker::is_live) {
            if P::OF_WHOLE_GRAPHS && self.ensemble.steps >= schedule + PATIENCE && !one_way {
                return last_flips::one_by_one(self.problem, self.request, &mut self.ensemble, self.started);
            }
            self.compact(&mut stale);
            self.sweep(rule, &mut stale)?;
        }
        Ok(())
    }

    /// Visits what is stale, layer by layer.
    fn sweep(&mut self, rule: &impl Rule, stale: &mut StaleFrames) -> Result<(), Error> {
        let before: Vec<_> = self.ensemble.walkers.iter().map(|walker| walker.flips).collect();
        let mut edge_ends = 0;
        for layer in 0..self.layers.len() {
            let visits: Vec<_> =
                self.layers[layer].clone().flat_map(|k| visits::of_frame(k, self.n_rows(k), stale.take(k))).collect();
            edge_ends += visits.iter().map(|visit| self.edge_ends(visit)).sum::<u64>();
            let visited = self.visit(layer, visits, rule)?;
            self.apply(layer, &visited);
            for done in &visited {
                done.flipped_planes().for_each(|plane| stale.flipped(done.frame, plane));
            }
        }
        for (walker, before) in self.ensemble.walkers.iter_mut().zip(before) {
            walker.settled = walker.flips == before && !walker.exhausted;
            walker.sweeps += u64::from(walker.is_live());
        }
        self.ensemble.steps += 1;
        self.report(edge_ends);
        self.pulse()
    }

    /// Moves the replicas that still flip into the first planes, if that empties a plane.
    fn compact(&mut self, stale: &mut StaleFrames) {
        let live = self.ensemble.live();
        let n_planes = live.len().div_ceil(LANES);
        if n_planes == stale.n_planes() {
            return;
        }
        let Ensemble { walkers, spins, .. } = &mut self.ensemble;
        // Slots of the first planes whose replica is done, filled with those that still flip and are further behind.
        let free: Vec<_> = (0..n_planes * LANES).filter(|&slot| !walkers[slot].is_live()).collect();
        for (free, slot) in free.into_iter().zip(live.into_iter().filter(|&slot| slot >= n_planes * LANES)) {
            walkers.swap(free, slot);
            spins.swap(free, slot);
            if let Some((out_fields, _)) = &mut self.one_way {
                out_fields.swap(free, slot);
            }
        }
        stale.keep_planes(n_planes);
    }

    /// Tells how it goes.
    fn report(&mut self, edge_ends: u64) {
        let control = self.request.control;
        let secs = std::mem::replace(&mut self.last, Instant::now()).elapsed().as_secs_f64();
        let walkers = &self.ensemble.walkers;
        let energy =
            walkers.iter().map(|walker| self.energy(walker.replica, walker.alignment)).fold(f64::INFINITY, f64::min);
        let flips = walkers.iter().map(|walker| walker.flips).sum::<u64>() as f64 / 1e6;
        let live = walkers.iter().filter(|walker| walker.is_live()).count();
        let rate = edge_ends as f64 / secs / 1e9;
        control.advance(1);
        control.note(&format!("best ε {energy:.6}, {live} replicas, {flips:.1} M flips, {rate:.1} G edge ends/s"));
    }

    /// A moment to save or stop.
    fn pulse(&mut self) -> Result<(), Error> {
        self.request.pulse(&mut self.ensemble, self.started)
    }

    /// Reports the replicas, without their energies.
    pub(in crate::spin) fn finish(self) -> Vec<Replica> {
        let secs = self.ensemble.secs + self.started.elapsed().as_secs_f64();
        let Ensemble { walkers, spins, .. } = &self.ensemble;
        let replica = |(slot, walker): (usize, &Walker)| Replica {
            index: walker.replica,
            flips: walker.flips,
            sweeps: walker.sweeps,
            secs: secs / walkers.len() as f64,
            local_minimum: walker.settled,
            state: spins.state(slot),
            ..Replica::default()
        };
        let mut replicas: Vec<_> = walkers.iter().enumerate().map(replica).collect();
        replicas.sort_by_key(|replica| replica.index);
        replicas
    }

    /// `e` of a replica whose `Σ_edges s_i w s_j` is `alignment`, about.
    fn energy(&self, replica: u32, alignment: f64) -> f64 {
        0.5 * (1.0 - alignment / self.problem.sum_abs(replica))
    }

    /// `Σ_edges s_i w s_j` by slot, about: the sum of the In fields.
    fn alignments(&mut self) -> Result<Vec<f64>, graph::Error> {
        let mut sums = vec![0.0; self.ensemble.walkers.len()];
        let planes: Vec<_> = (0..self.ensemble.spins.n_planes()).collect();
        for layer in 0..self.layers.len() {
            let visits =
                self.layers[layer].clone().flat_map(|k| visits::of_frame(k, self.n_rows(k), planes.clone())).collect();
            let visited = self.visit(layer, visits, &NoFlips)?;
            let found = self.sums(&visited);
            for (slot, sum) in sums.iter_mut().enumerate() {
                *sum += found[slot / LANES].of(&self.grids[layer], slot % LANES).0;
            }
        }
        Ok(sums)
    }

    fn visit(&mut self, layer: usize, visits: Vec<Visit>, rule: &impl Rule) -> Result<Vec<Visited>, graph::Error> {
        let active: Vec<_> = (0..self.ensemble.spins.n_planes()).map(|plane| self.active(plane)).collect();
        let first_plane = self.ensemble.walkers[0].replica as usize / LANES;
        let (spins, isa, grid) = (&self.ensemble.spins, self.request.plan.isa, &self.grids[layer]);
        let visitor = Visitor {
            problem: self.problem,
            buffers: &self.buffers,
            spins,
            isa,
            layer,
            first_plane,
            grid,
            active: &active,
        };
        match &mut self.one_way {
            Some((out_fields, waves)) => visitor.run_one_way(visits, rule, out_fields, waves),
            None => visitor.run(visits, rule),
        }
    }

    fn n_rows(&self, frame: usize) -> usize {
        self.problem.graph().frames()[frame].rows.len()
    }

    /// Edge ends that a visit reads, times replicas.
    fn edge_ends(&self, visit: &Visit) -> u64 {
        let info = &self.problem.graph().frames()[visit.frame];
        let replicas: u32 = visit.planes.iter().map(|&plane| self.active(plane).count_ones()).sum();
        (info.n_edges_in + info.n_edges_out) * u64::from(replicas)
    }

    /// Replicas of a plane that may still flip.
    fn active(&self, plane: usize) -> u16 {
        let walkers = self.ensemble.walkers.iter().skip(plane * LANES).take(LANES);
        walkers.enumerate().fold(0, |mask, (bit, walker)| mask | u16::from(!walker.exhausted) << bit)
    }

    /// Sums by plane.
    fn sums(&self, visited: &[Visited]) -> Vec<FieldSums> {
        let mut sums = vec![FieldSums::zero(); self.ensemble.spins.n_planes()];
        for (&plane, found) in visited.iter().flat_map(|o| o.planes.iter().zip(&o.sums)) {
            sums[plane].merge(found);
        }
        sums
    }

    /// Applies a layer's flips and books their energy: flipping `i` changes `Σ_edges s w s` by `−2 r_i`.
    fn apply(&mut self, layer: usize, visited: &[Visited]) {
        let sums = self.sums(visited);
        let mut allowed = vec![u16::MAX; sums.len()];
        for (slot, walker) in self.ensemble.walkers.iter_mut().enumerate() {
            let (sum, count) = sums[slot / LANES].of(&self.grids[layer], slot % LANES);
            // A layer's flips are made or not made together: half of them would depend on the order of the nodes.
            if count > self.request.plan.max_flips.saturating_sub(walker.flips) {
                walker.exhausted = true;
                allowed[slot / LANES] &= !(1 << (slot % LANES));
                continue;
            }
            walker.alignment -= 2.0 * sum;
            walker.flips += count;
        }
        for visited in visited {
            let first_row = self.problem.graph().frames()[visited.frame].rows.start as usize;
            for (index, &plane) in visited.planes.iter().enumerate() {
                let masks = self.ensemble.spins.plane_mut(plane)[first_row..].iter_mut();
                let flips = visited.flips.iter().skip(index).step_by(visited.planes.len());
                masks.zip(flips).for_each(|(mask, flips)| *mask ^= flips & allowed[plane]);
            }
        }
    }
}
