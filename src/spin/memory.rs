//! How much memory a search needs, and how many replicas fit at once.
//!
//! With `n` nodes, `v` values, `R` replicas, `T` threads; in bytes:
//!
//! | what                                                                | streaming methods   | `steepest` |
//! |---------------------------------------------------------------------|---------------------|------------|
//! | the program, the buffers of its threads and of the tables           | 24 MiB + `T` · 6 MiB | the same   |
//! | the directory of frames                                             | 128 a frame         | the same   |
//! | states of finished replicas, and as much again to write them        | `R n / 4`           | the same   |
//! | mapped values; convolution kernels once more, by columns            | `4 v` + kernels     | the same   |
//! | row sums                                                            | `24 n`              | `16 n`     |
//! | replicas that end one by one: fields, spins, their order            | `10 n T`            | `10 n T`   |
//! | replicas under way, for every 16                                    | `4 n`               |            |
//!
//! The streaming methods on a one-way stream hold, instead of the values, those of one wave and of the four that are asked
//! for (160 MiB and a frame for every thread), and for every 16 replicas 64 bytes more a node.
//!
//! Graphs that differ in their values only ([`super::siblings`]) are solved side by side if that fits: for each `4 v` and `4 n`,
//! besides what one search holds, and the parent's values.
//!
//! Replicas do not depend on each other: those that do not fit wait, and the result is the same.

use super::waves::Waves;
use super::{Error, Method, Plan};
use crate::graph::{BlockStream, LayerKind};
use crate::kernel::LANES;

/// The program itself, and what a thread holds.
const PROGRAM: u64 = 24 << 20;
const THREAD: u64 = 6 << 20;
/// What is kept of a frame that is not being read.
const FRAME: u64 = 128;

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
}

/// Replicas of a streaming method that may travel together: a multiple of sixteen.
pub(super) fn replicas_at_once(graph: &dyn BlockStream, plan: &Plan) -> Result<u32, Error> {
    let Some(limit) = plan.memory else { return Ok(u32::MAX - u32::MAX % LANES as u32) };
    let (n, threads) = (u64::from(graph.totals().n_nodes), rayon::current_num_threads() as u64);
    let need = match graph.is_one_way() {
        false => Need { fixed: base(graph, plan) + values(graph) + 24 * n + 10 * n * threads, unit: 4 * n },
        true => Need {
            fixed: base(graph, plan)
                + Waves::new(graph)?.bytes(graph, plan.replicas.div_ceil(LANES as u32) as usize)
                + 24 * n,
            unit: 68 * n,
        },
    };
    let groups = need.units(limit)?.min(u64::from(u32::MAX) / LANES as u64);
    Ok(groups as u32 * LANES as u32)
}

/// Graphs, at most `wanted`, that differ in their values only and fit side by side; 0 if not even one fits that way.
pub(super) fn siblings_at_once(graph: &dyn BlockStream, plan: &Plan, wanted: usize) -> usize {
    let Some(limit) = plan.memory else { return wanted };
    let (n, threads) = (u64::from(graph.totals().n_nodes), rayon::current_num_threads() as u64);
    let none = Plan { replicas: 0, ..plan.clone() };
    // The values of the parent, and of the graph that is being made or ends one by one.
    let fixed = base(graph, &none) + 2 * values(graph) + 28 * n + 10 * n * threads;
    let unit = 4 * graph.values().len() as u64 + 4 * n + n * u64::from(plan.replicas) / 4;
    Need { fixed, unit }.units(limit).map_or(0, |units| wanted.min(units.try_into().unwrap_or(usize::MAX)))
}

/// Replicas of `steepest` that may be under way at the same time.
pub(super) fn descents_at_once(graph: &dyn BlockStream, plan: &Plan) -> Result<usize, Error> {
    debug_assert_eq!(plan.method, Method::Steepest);
    let threads = rayon::current_num_threads();
    let Some(limit) = plan.memory else { return Ok(threads) };
    let n = u64::from(graph.totals().n_nodes);
    let need = Need { fixed: base(graph, plan) + values(graph) + 16 * n, unit: 10 * n };
    Ok(threads.min(need.units(limit)?.try_into().unwrap_or(usize::MAX)))
}

/// What every method holds.
fn base(graph: &dyn BlockStream, plan: &Plan) -> u64 {
    let states = u64::from(graph.totals().n_nodes) * u64::from(plan.replicas) / 4;
    PROGRAM + THREAD * rayon::current_num_threads() as u64 + FRAME * graph.frames().len() as u64 + states
}

/// The mapped values, and the convolution kernels by columns.
fn values(graph: &dyn BlockStream) -> u64 {
    let convs = graph.layers().iter().filter(|layer| layer.kind == LayerKind::Conv);
    4 * (graph.values().len() as u64 + convs.map(|layer| layer.params.end - layer.params.start).sum::<u64>())
}
