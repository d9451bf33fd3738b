//! The work of one layer: frames × planes, in parallel, from decoded blocks to the masks of spins that flip.

use std::sync::Mutex;

use rayon::prelude::*;

use super::fixed_point::{FieldSums, Grid};
use super::rule::{Rule, Summed};
use crate::graph::reading::Reading;
use crate::graph::{self, Blocks, Frame, NodeId};
use crate::kernel::{Fields, Isa, ReadStore, Spins, Task, signed};
use crate::spin::fields::{self, ReadOperands};
use crate::spin::one_way::out_fields::{self, OutFields};
use crate::spin::one_way::waves::Waves;
use crate::spin::problem::Problem;
use crate::spin::visits::Visit;

/// What a visit reads.
pub(super) struct Visitor<'a, P: Problem> {
    pub problem: &'a P,
    pub buffers: &'a BufferPool<P::Buffers>,
    pub spins: &'a Spins,
    pub isa: Isa,
    /// Index of the layer, and the grid of its energies.
    pub layer: usize,
    /// Number of the first plane, counted over all replicas of the plan.
    pub first_plane: usize,
    pub grid: &'a Grid,
    /// By plane: replicas that may flip.
    pub active: &'a [u16],
}

/// What a visit found.
pub(super) struct Visited {
    pub frame: usize,
    pub planes: Vec<usize>,
    /// `[row][plane of the visit]`
    pub flips: Vec<u16>,
    /// By plane of the visit.
    pub sums: Vec<FieldSums>,
    /// In a one-way stream: what the rows add to the fields of the rows that their edges come from.
    scattered: Vec<Fields>,
}

impl Visited {
    /// The planes in which something flips.
    pub(super) fn flipped_planes(&self) -> impl Iterator<Item = usize> + '_ {
        let flipped = |(_, sums): &(&usize, &FieldSums)| !sums.is_empty();
        self.planes.iter().zip(&self.sums).filter(flipped).map(|(&plane, _)| plane)
    }
}

/// Buffers of one visit.
#[derive(Default)]
struct Buffers<B> {
    frame: Frame,
    fields: Fields,
    problem: B,
    scatter: fields::Buffers,
}

/// Buffers that no visit uses at the moment: as many as there have been visits at the same time.
#[derive(Default)]
pub(super) struct BufferPool<B>(Mutex<Vec<Buffers<B>>>);

impl<B: Default> BufferPool<B> {
    fn lend<T>(&self, to: impl FnOnce(&mut Buffers<B>) -> T) -> T {
        let lock = || self.0.lock().expect("no thread panics while it holds the lock");
        let mut buffers = lock().pop().unwrap_or_default();
        let result = to(&mut buffers);
        lock().push(buffers);
        result
    }
}

impl<P: Problem> Visitor<'_, P> {
    /// Does all visits of a layer; what they found comes in the visits' order.
    pub(super) fn run(&self, visits: Vec<Visit>, rule: &impl Rule) -> Result<Vec<Visited>, graph::Error> {
        let each = |visit| self.buffers.lend(|buffers| self.visit(buffers, visit, rule, None));
        visits.into_par_iter().with_max_len(1).map(each).collect()
    }

    /// The same for a one-way stream, whose values are read and released wave by wave.
    pub(super) fn run_one_way(
        &self,
        visits: Vec<Visit>,
        rule: &impl Rule,
        out_fields: &mut OutFields,
        waves: &Waves,
    ) -> Result<Vec<Visited>, graph::Error> {
        let mut visited = Vec::with_capacity(visits.len());
        let mut visits = visits.into_iter().peekable();
        while visits.peek().is_some() {
            let wave = waves.next(&mut visits);
            let (first, last) = (wave[0].frame, wave[wave.len() - 1].frame);
            let each = |visit| self.buffers.lend(|buffers| self.visit(buffers, visit, rule, Some(out_fields)));
            let done = wave.into_par_iter().with_max_len(1).map(each);
            // Asking takes time, too: the system finds room for what it will read.
            let done = std::thread::scope(|scope| {
                let prefetch = || waves.prefetch_after(self.problem.graph(), last);
                if std::thread::Builder::new().spawn_scoped(scope, prefetch).is_err() {
                    prefetch();
                }
                done.collect::<Result<Vec<_>, _>>()
            });
            // The rows have used up what waited for them; then, frame by frame in order, what they scatter is added.
            for mut done in done? {
                let rows = &self.problem.graph().frames()[done.frame].rows;
                done.planes.iter().for_each(|&plane| out_fields.clear(plane, rows));
                out_fields.add(&done.planes, &std::mem::take(&mut done.scattered));
                visited.push(done);
            }
            waves.release(self.problem.graph(), first..last + 1);
        }
        Ok(visited)
    }

    fn visit<R: Rule>(
        &self,
        buffers: &mut Buffers<P::Buffers>,
        visit: Visit,
        rule: &R,
        waiting: Option<&OutFields>,
    ) -> Result<Visited, graph::Error> {
        let Buffers { frame, fields, problem: own, scatter } = buffers;
        self.problem.graph().read(visit.frame, frame)?;
        let rows = &self.problem.graph().frames()[visit.frame].rows;
        fields.reset(rows.clone(), visit.planes.iter().copied());
        if R::SUMS == Summed::All {
            // Then every edge is met once, at the row that it goes into.
            frame.outward = Blocks::default();
        }
        self.problem.add_fields((visit.frame, frame), self.spins, fields, own);
        // The first sweep of a one-way stream comes before anything has been scattered.
        if let Some(waiting) = waiting.filter(|_| R::SUMS == Summed::Flipped) {
            visit.planes.iter().enumerate().for_each(|(index, &plane)| fields.add(index, waiting.of(plane, rows)));
        }
        let mut flips = vec![0; fields.vectors().len()];
        let decide = |(index, &plane): (usize, &usize)| {
            let (spins, active) = (self.spins.plane(plane), self.active[plane]);
            let (layer, plane) = (self.layer, self.first_plane + plane);
            let (grid, flips, members) = (self.grid, &mut flips, self.problem.members());
            self.isa.run(Decide { rule, layer, plane, index, fields, spins, active, members, grid, flips })
        };
        let sums = visit.planes.iter().enumerate().map(decide).collect();
        let scattered = match waiting {
            Some(_) => {
                let graph = self.problem.graph();
                let spins = self.flipped_spins(&visit, &flips);
                let reading = Reading::scaled(self.problem.scales(0).factor);
                let store = ReadStore { isa: self.isa, values: graph.values(), reading };
                let own = ReadOperands { store, spins: &spins };
                out_fields::scatter(graph, (visit.frame, frame), &own, scatter)
            }
            None => Vec::new(),
        };
        Ok(Visited { frame: visit.frame, planes: visit.planes, flips, sums, scattered })
    }

    /// The spins of a visit's rows after its flips. A replica that is not allowed to make them never flips again: what it
    /// scatters does not matter.
    fn flipped_spins(&self, visit: &Visit, flips: &[u16]) -> Spins {
        let rows = &self.problem.graph().frames()[visit.frame].rows;
        let mut own = Spins::all_up(rows.len() as u32, visit.planes.len());
        for (index, &plane) in visit.planes.iter().enumerate() {
            let before = &self.spins.plane(plane)[rows.start as usize..rows.end as usize];
            let flips = flips.iter().skip(index).step_by(visit.planes.len());
            let masks = own.plane_mut(index).iter_mut().zip(before).zip(flips);
            masks.for_each(|((mask, before), flips)| *mask = before ^ flips);
        }
        own
    }
}

/// Applies a rule to the rows of a frame, for one plane.
struct Decide<'a, R> {
    rule: &'a R,
    layer: usize,
    plane: usize,
    /// Position of the plane in the visit.
    index: usize,
    fields: &'a Fields,
    spins: &'a [u16],
    /// Replicas that may flip.
    active: u16,
    /// By node: replicas that it may flip in; nothing: all.
    members: Option<&'a [u16]>,
    grid: &'a Grid,
    /// `[row][plane of the visit]`
    flips: &'a mut [u16],
}

impl<R: Rule> Task for Decide<'_, R> {
    type Output = FieldSums;

    #[inline(always)]
    fn run(self) -> FieldSums {
        let (first, n_planes) = (self.fields.first_row(), self.fields.n_planes());
        let mut sums = FieldSums::zero();
        let vectors = self.fields.vectors().chunks_exact(n_planes);
        for ((row, vectors), flips) in vectors.enumerate().zip(self.flips.chunks_exact_mut(n_planes)) {
            let node = first + row as NodeId;
            // `Σ_j Au_ij s_j` becomes `r_i`: the sign bit of every lane whose spin is −1 is turned.
            let r = signed(self.spins[node as usize], vectors[self.index]);
            let members = self.members.map_or(u16::MAX, |members| members[node as usize]);
            let mask = self.rule.flips(self.layer, node, self.plane, &r) & self.active & members;
            flips[self.index] = mask;
            if R::SUMS == Summed::All {
                sums.add(self.grid, u16::MAX, &r);
            } else if mask != 0 {
                sums.add(self.grid, mask, &r);
            }
        }
        sums
    }
}
