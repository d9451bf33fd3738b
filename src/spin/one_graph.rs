//! One graph in all lanes: as many replicas at a time as memory allows.

use super::control::{Checkpoint, Control, Request};
use super::fields::{Buffers, ReadOperands};
use super::sweep::Relaxation;
use super::{Error, Plan, Problem, Replica, Scales, memory, rules};
use crate::graph::reading::Reading;
use crate::graph::{BlockStream, Frame};
use crate::kernel::{Fields, ReadStore, Spins};

/// All edges of a graph, in all replicas.
pub(super) struct OneGraph<'a> {
    pub graph: &'a dyn BlockStream,
    pub plan: &'a Plan,
    pub scales: Scales,
}

impl Problem for OneGraph<'_> {
    type Buffers = Buffers;

    fn graph(&self) -> &dyn BlockStream {
        self.graph
    }

    fn add_fields(&self, (_, frame): (usize, &Frame), spins: &Spins, fields: &mut Fields, buffers: &mut Buffers) {
        let (isa, reading) = (self.plan.isa, Reading::scaled(self.scales.factor));
        let operands = ReadOperands { store: ReadStore { isa, values: self.graph.values(), reading }, spins };
        for blocks in [&frame.inward, &frame.outward] {
            operands.add_blocks(blocks, fields, buffers);
        }
    }

    fn sum_abs(&self, _: u32) -> f64 {
        self.scales.factor * self.graph.totals().sum_abs
    }

    #[inline(always)]
    fn scales(&self, _: usize) -> &Scales {
        &self.scales
    }

    fn seed(&self, _: usize) -> u64 {
        self.plan.seed
    }
}

/// The replicas of a plan by a streaming method, without their energies.
pub(super) fn solve(graph: &dyn BlockStream, plan: &Plan, control: &dyn Control) -> Result<Vec<Replica>, Error> {
    let at_once = memory::replicas_at_once(graph, plan)?;
    let scales = Scales::measure(graph)?;
    scales.check_weight()?;
    let problem = OneGraph { graph, plan, scales };
    let Checkpoint { done, mut ensemble } = control.saved().unwrap_or_default();
    let mut done = done.into_owned();
    while done.len() < plan.replicas as usize {
        let request = Request { plan, control, done: &done };
        let first = done.len() as u32;
        let relaxation = match ensemble.take() {
            Some(ensemble) => Relaxation::resume(&problem, request, ensemble.into_owned())?,
            None => Relaxation::new(&problem, request, first..plan.replicas.min(first.saturating_add(at_once)))?,
        };
        done.extend(rules::run(relaxation)?);
    }
    Ok(done)
}
