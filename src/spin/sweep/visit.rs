//! The work of one layer: frames × lane groups, in parallel, from decoded blocks to the masks of spins that flip.

use std::sync::Mutex;

use rayon::prelude::*;

use super::fixed_point::{Grid, Tally};
use super::rule::{Rule, Tallied};
use crate::graph::reading::Reading;
use crate::graph::{self, Blocks, Frame, NodeId};
use crate::kernel::{Fields, Isa, Local, Scratch, Spins, Task, signed};
use crate::spin::one_way::behind::{self, Behind};
use crate::spin::one_way::waves::Waves;
use crate::spin::problem::Problem;
use crate::spin::visits::Job;

/// What a visit reads.
pub(super) struct Visit<'a, P: Problem> {
    pub problem: &'a P,
    pub spare: &'a Spare<P::Buffers>,
    pub spins: &'a Spins,
    pub isa: Isa,
    /// What the weights are multiplied by.
    pub factor: f64,
    /// Index of the layer, and the grid of its energies.
    pub layer: usize,
    /// Number of the first lane group, counted over all replicas of the plan.
    pub first_group: usize,
    pub grid: &'a Grid,
    /// By lane group: replicas that may flip.
    pub active: &'a [u16],
}

/// What a job found.
pub(super) struct Outcome {
    pub frame: usize,
    pub groups: Vec<usize>,
    /// `[row][group of the job]`
    pub flips: Vec<u16>,
    /// By group of the job.
    pub tallies: Vec<Tally>,
    /// In a one-way stream: what the rows leave for the rows that their edges come from.
    shares: Vec<Fields>,
}

impl Outcome {
    /// The lane groups in which something flips.
    pub(super) fn flipped_groups(&self) -> impl Iterator<Item = usize> + '_ {
        let flipped = |(_, tally): &(&usize, &Tally)| !tally.is_empty();
        self.groups.iter().zip(&self.tallies).filter(flipped).map(|(&group, _)| group)
    }
}

/// Buffers of one job.
#[derive(Default)]
struct Buffers<B> {
    frame: Frame,
    fields: Fields,
    problem: B,
    shares: (Scratch, Local),
}

/// Buffers that no job uses at the moment: as many as there have been jobs at the same time.
#[derive(Default)]
pub(super) struct Spare<B>(Mutex<Vec<Buffers<B>>>);

impl<B: Default> Spare<B> {
    fn lend<T>(&self, to: impl FnOnce(&mut Buffers<B>) -> T) -> T {
        let lock = || self.0.lock().expect("no thread panics while it holds the lock");
        let mut buffers = lock().pop().unwrap_or_default();
        let result = to(&mut buffers);
        lock().push(buffers);
        result
    }
}

impl<P: Problem> Visit<'_, P> {
    /// Does all jobs of a layer; outcomes in the jobs' order.
    pub(super) fn run(&self, jobs: Vec<Job>, rule: &impl Rule) -> Result<Vec<Outcome>, graph::Error> {
        let each = |job| self.spare.lend(|buffers| self.job(buffers, job, rule, None));
        jobs.into_par_iter().with_max_len(1).map(each).collect()
    }

    /// The same for a one-way stream, whose values are read and released wave by wave.
    pub(super) fn run_one_way(
        &self,
        jobs: Vec<Job>,
        rule: &impl Rule,
        behind: &mut Behind,
        waves: &Waves,
    ) -> Result<Vec<Outcome>, graph::Error> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        let mut jobs = jobs.into_iter().peekable();
        while jobs.peek().is_some() {
            let wave = waves.next(&mut jobs);
            let (first, last) = (wave[0].frame, wave[wave.len() - 1].frame);
            let each = |job| self.spare.lend(|buffers| self.job(buffers, job, rule, Some(behind)));
            let done = wave.into_par_iter().with_max_len(1).map(each);
            // Asking takes time, too: the system finds room for what it will read.
            let done = std::thread::scope(|scope| {
                let prefetch = || waves.prefetch_after(self.problem.graph(), last);
                if std::thread::Builder::new().spawn_scoped(scope, prefetch).is_err() {
                    prefetch();
                }
                done.collect::<Result<Vec<_>, _>>()
            });
            for mut outcome in done? {
                let rows = &self.problem.graph().frames()[outcome.frame].rows;
                outcome.groups.iter().for_each(|&group| behind.clear(group, rows));
                behind.add(&outcome.groups, &std::mem::take(&mut outcome.shares));
                outcomes.push(outcome);
            }
            waves.release(self.problem.graph(), first..last + 1);
        }
        Ok(outcomes)
    }

    fn job<R: Rule>(
        &self,
        buffers: &mut Buffers<P::Buffers>,
        job: Job,
        rule: &R,
        behind: Option<&Behind>,
    ) -> Result<Outcome, graph::Error> {
        let Buffers { frame, fields, problem: own, shares: (scratch, local) } = buffers;
        self.problem.graph().read(job.frame, frame)?;
        let rows = &self.problem.graph().frames()[job.frame].rows;
        fields.reset(rows.clone(), job.groups.iter().copied());
        if R::TALLY == Tallied::All {
            // Then every edge is met once, at the row that it goes into.
            frame.outward = Blocks::default();
        }
        self.problem.add_fields((job.frame, frame), self.spins, fields, own);
        if let Some(behind) = behind.filter(|_| R::TALLY == Tallied::Flipped) {
            job.groups.iter().enumerate().for_each(|(index, &group)| fields.add(index, behind.of(group, rows)));
        }
        let mut flips = vec![0; fields.vectors().len()];
        let tally = |(index, &group): (usize, &usize)| {
            let (spins, active) = (self.spins.plane(group), self.active[group]);
            let (layer, group) = (self.layer, self.first_group + group);
            let (grid, flips, members) = (self.grid, &mut flips, self.problem.members());
            self.isa.run(Decide { rule, layer, group, index, fields, spins, active, members, grid, flips })
        };
        let tallies = job.groups.iter().enumerate().map(tally).collect();
        let shares = match behind {
            Some(_) => {
                let spins = self.flipped_spins(&job, &flips);
                let reading = Reading::scaled(self.factor);
                behind::shares((self.problem.graph(), self.isa, reading), (job.frame, frame), &spins, (scratch, local))
            }
            None => Vec::new(),
        };
        Ok(Outcome { frame: job.frame, groups: job.groups, flips, tallies, shares })
    }

    /// The spins of a job's rows after its flips. A replica that is not allowed to make them never flips again: what it
    /// leaves behind does not matter.
    fn flipped_spins(&self, job: &Job, flips: &[u16]) -> Spins {
        let rows = &self.problem.graph().frames()[job.frame].rows;
        let mut own = Spins::all_up(rows.len() as u32, job.groups.len());
        for (index, &group) in job.groups.iter().enumerate() {
            let before = &self.spins.plane(group)[rows.start as usize..rows.end as usize];
            let flips = flips.iter().skip(index).step_by(job.groups.len());
            let masks = own.plane_mut(index).iter_mut().zip(before).zip(flips);
            masks.for_each(|((mask, before), flips)| *mask = before ^ flips);
        }
        own
    }
}

/// Applies a rule to the rows of a frame, for one lane group.
struct Decide<'a, R> {
    rule: &'a R,
    layer: usize,
    group: usize,
    /// Position of the group in the job.
    index: usize,
    fields: &'a Fields,
    spins: &'a [u16],
    /// Replicas that may flip.
    active: u16,
    /// By node: replicas that it may flip in; nothing: all.
    members: Option<&'a [u16]>,
    grid: &'a Grid,
    /// `[row][group of the job]`
    flips: &'a mut [u16],
}

impl<R: Rule> Task for Decide<'_, R> {
    type Output = Tally;

    #[inline(always)]
    fn run(self) -> Tally {
        let (first, n_groups) = (self.fields.first_row(), self.fields.n_planes());
        let mut tally = Tally::zero();
        let vectors = self.fields.vectors().chunks_exact(n_groups);
        for ((row, vectors), flips) in vectors.enumerate().zip(self.flips.chunks_exact_mut(n_groups)) {
            let node = first + row as NodeId;
            let r = signed(self.spins[node as usize], vectors[self.index]);
            let members = self.members.map_or(u16::MAX, |members| members[node as usize]);
            let mask = self.rule.flips(self.layer, node, self.group, &r) & self.active & members;
            flips[self.index] = mask;
            if R::TALLY == Tallied::All {
                tally.add(self.grid, u16::MAX, &r);
            } else if mask != 0 {
                tally.add(self.grid, mask, &r);
            }
        }
        tally
    }
}
