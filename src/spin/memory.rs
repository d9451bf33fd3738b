//! How much memory a search needs, and how many replicas fit at once.
//!
//! With `n` nodes, `v` values, `R` replicas, `T` threads; in bytes:
//!
//! | what                                                                | streaming methods   | `steepest` |
//! |---------------------------------------------------------------------|---------------------|------------|
//! | the program, the buffers of its threads and of the tables           | 32 MiB + `T` · 6 MiB | the same   |
//! | the directory of frames                                             | 128 a frame         | the same   |
//! | mapped values; convolution kernels once more, by columns            | `4 v` + kernels     | the same   |
//!
//! and of the following, one after the other, the most:
//!
//! | when                                                                | streaming methods   | `steepest` |
//! |---------------------------------------------------------------------|---------------------|------------|
//! | row sums are measured, and a resumed run has its states             | `20 n + R n / 8`    | `16 n + R n / 8` |
//! | states of finished replicas                                         | `R n / 8`           | the same   |
//! | · and row sums                                                      | `4 n`               | `12 n`     |
//! | · and replicas under way, for every 16                              | `4 n`               |            |
//! | · and replicas that descend one by one: row sums, fields, spins, order | `12 n` + `10 n T` | `10 n T`   |
//! | states are weighed, sixty-four at a time                            | `R n / 8` + `8 n`   | the same   |
//! | states are written                                                  | `R n / 4`           | the same   |
//!
//! The streaming methods on a one-way stream hold, instead of the values, those of one wave and of the four that are asked
//! for (160 MiB and a frame for every thread), and for every 16 replicas 64 bytes more a node.
//!
//! Graphs that differ in their values only ([`super::siblings`]) are solved side by side if that fits: for each `4 v` and `4 n`,
//! besides what one search holds, and the parent's values.
//!
//! Replicas do not depend on each other: those that do not fit wait, and the result is the same.

use super::one_way::waves::Waves;
use super::{Error, Method, Plan};
use crate::graph::{BlockStream, LayerKind};
use crate::kernel::LANES;

/// The program itself, and what a thread holds.
const PROGRAM: u64 = 32 << 20;
const THREAD: u64 = 6 << 20;
/// What is kept of a frame that is not being read.
const FRAME: u64 = 128;

/// Row sums of a descent that goes by single flips, and what each of those has, in bytes a node.
const SUMS: u64 = 12;
const DESCENT: u64 = 10;

/// Bytes that a search holds: `fixed`, and `unit` for each of the parts that may be done one after the other.
#[derive(Clone, Copy, Debug)]
struct Need {
    fixed: u64,
    unit: u64,
}

impl Need {
    /// How many units fit.
    fn units(self, limit: u64) -> Result<u64, Error> {
        let units = limit.saturating_sub(self.fixed) / self.unit.max(1);
        if units == 0 { Err(Error::Memory { limit, least: self.fixed + self.unit }) } else { Ok(units) }
    }

    /// What is held besides, before the search and after it, is no less than `most`.
    fn at_least(self, most: u64) -> Self {
        Self { fixed: self.fixed.max(most.saturating_sub(self.unit)), ..self }
    }
}

/// Replicas of a streaming method that may travel together: a multiple of sixteen.
pub(super) fn replicas_at_once(graph: &dyn BlockStream, plan: &Plan) -> Result<u32, Error> {
    let Some(limit) = plan.memory else { return Ok(u32::MAX - u32::MAX % LANES as u32) };
    let (n, threads) = (u64::from(graph.totals().n_nodes), rayon::current_num_threads() as u64);
    let (base, states) = (base(graph), states(graph, plan));
    let need = match graph.is_one_way() {
        false => Need { fixed: base + values(graph) + states + (4 + SUMS + DESCENT * threads) * n, unit: 4 * n }
            .at_least(base + values(graph) + outside(states, 20 * n, n)),
        true => Need {
            fixed: base
                + 2 * states
                + Waves::new(graph)?.bytes(graph, plan.replicas.div_ceil(LANES as u32) as usize)
                + 24 * n,
            unit: 68 * n,
        },
    };
    let planes = need.units(limit)?.min(u64::from(u32::MAX) / LANES as u64);
    Ok(planes as u32 * LANES as u32)
}

/// Graphs, at most `wanted`, that differ in their values only and fit side by side; 0 if not even one fits that way.
pub(super) fn siblings_at_once(graph: &dyn BlockStream, plan: &Plan, wanted: usize) -> usize {
    let Some(limit) = plan.memory else { return wanted };
    let (n, threads) = (u64::from(graph.totals().n_nodes), rayon::current_num_threads() as u64);
    // The values of the parent, and of the graph that is being made or ends one by one.
    let fixed = base(graph) + 2 * values(graph) + 8 * n + (20 * n).max((SUMS + DESCENT * threads) * n);
    let unit = 4 * graph.values().len() as u64 + 4 * n + 2 * states(graph, plan);
    Need { fixed, unit }.units(limit).map_or(0, |units| wanted.min(units.try_into().unwrap_or(usize::MAX)))
}

/// Replicas of `steepest` that may be under way at the same time.
pub(super) fn descents_at_once(graph: &dyn BlockStream, plan: &Plan) -> Result<usize, Error> {
    debug_assert_eq!(plan.method, Method::Steepest);
    let threads = rayon::current_num_threads();
    let Some(limit) = plan.memory else { return Ok(threads) };
    let n = u64::from(graph.totals().n_nodes);
    let (base, states) = (base(graph) + values(graph), states(graph, plan));
    let need = Need { fixed: base + states + SUMS * n, unit: DESCENT * n };
    let need = need.at_least(base + outside(states, 16 * n, n));
    Ok(threads.min(need.units(limit)?.try_into().unwrap_or(usize::MAX)))
}

/// What every method holds.
fn base(graph: &dyn BlockStream) -> u64 {
    PROGRAM + THREAD * rayon::current_num_threads() as u64 + FRAME * graph.frames().len() as u64
}

/// The states of all replicas.
fn states(graph: &dyn BlockStream, plan: &Plan) -> u64 {
    u64::from(graph.totals().n_nodes) * u64::from(plan.replicas) / 8
}

/// Most of what is held before and after the search.
fn outside(states: u64, measuring: u64, n: u64) -> u64 {
    (states + measuring).max(states + 8 * n).max(2 * states)
}

/// The mapped values, and the convolution kernels by columns.
fn values(graph: &dyn BlockStream) -> u64 {
    let convs = graph.layers().iter().filter(|layer| layer.kind == LayerKind::Conv);
    4 * (graph.values().len() as u64 + convs.map(|layer| layer.params.end - layer.params.start).sum::<u64>())
}
