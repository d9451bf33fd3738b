//! MANY NULL MODELS: which are solved at the same time, by how many threads, within how much memory.
//!
//! A sample is a hundred graphs as large as the network's. They are made when their turn comes and forgotten when they
//! are solved. What keeps all threads busy depends on the method, and on whether edges share their weights:
//!
//! ```text
//!              steepest                    sweep, anneal: n1, n3               sweep, anneal: n2
//! thread 0     n1-0   n1-4   ...           n1-0 to n1-7,  n1-8 to n1-15        n2-0     n2-1   ...
//! thread 1     n1-1      n1-5   ...        side by side   side by side         all      all
//! thread 2     n1-2  n1-6   ...            in the lanes   in the lanes         threads  threads
//! thread 3     n1-3     n1-7   ...         of each vector of each vector
//! ```
//!
//! - `steepest` flips one node at a time and keeps one thread busy for each instance: every thread has a model of its own.
//! - A streaming method keeps all threads busy with one graph. n1 and n3 models have the frames of the network and other values
//!   only: 16 / instances of them share the lanes ([`Siblings`]), where that are four or more.
//! - An n2 model has a graph of its own, made on disk beside the output and removed when it is solved.
//!
//! [`Plan::memory`] is for all that are under way. If a search says that it needs more than its share, fewer are solved
//! at once.
//!
//! The rows of a model do not depend on any of this.

use std::collections::BTreeSet;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Builder;

use super::n2::Unshared;
use super::parameters;
use super::{Kind, Model, n1, n3};
use crate::graph::{self, BlockStream, Revalued, Totals};
use crate::net::arch::Init;
use crate::progress::Silent;
use crate::shard::{self, Description, Existing, Generated, ShardStream, Shards, Target, Topology};
use crate::spin::siblings::{self, Siblings};
use crate::spin::{self, Control, Method, Plan, Pulse, Replica};
use crate::staging::{temporary, together};
use crate::threads;

/// Both distributions of N3.
pub const N3: [Kind; 2] = [Kind::N3(Init::He), Kind::N3(Init::Xavier)];

/// `n` null models, the kinds one after the other, each counted from 0. Of two kinds the first takes the odd one.
pub fn models(kinds: &[Kind], n: u32) -> Vec<Model> {
    let share = |place: usize| (n as usize + kinds.len() - 1 - place) / kinds.len();
    let each = |(place, &kind): (usize, &Kind)| (0..share(place) as u32).map(move |index| Model { kind, index });
    kinds.iter().enumerate().flat_map(each).collect()
}

/// Of which graph null models are solved, and how.
pub struct NullSolver<'a> {
    /// The network's graph.
    pub graph: ShardStream<'a>,
    /// How each null model is solved. The seed is that of everything; each model's solver has one that follows from it.
    pub plan: Plan,
    /// Threads for all.
    pub threads: usize,
    /// The file that the rows are for; graphs that are not kept are made beside it.
    pub output: &'a Path,
    /// Where graphs are kept.
    pub folder: Option<&'a ModelFolder>,
    /// The program, for the manifests of kept graphs.
    pub program: &'a str,
    /// Is asked between two sweeps and two models whether to stop.
    pub control: &'a dyn Control,
}

/// A null model's solutions.
#[derive(Clone, Debug)]
pub struct SolvedModel {
    /// Which null model.
    pub model: Model,
    /// Size and weight of its graph.
    pub totals: Totals,
    /// One for each initial state.
    pub replicas: Vec<Replica>,
}

/// Takes what is solved, on any thread.
pub type Sink<'a> = dyn Fn(SolvedModel) -> Result<(), Box<dyn std::error::Error + Send + Sync>> + Sync + 'a;

/// A folder with one graph directory for each null model: `n1-0`, `n3-he-0`, ...
#[derive(Debug)]
pub struct ModelFolder {
    /// The folder, which must exist.
    pub path: PathBuf,
    /// What to do with graphs that are there.
    pub existing: Existing,
    /// Set as soon as frames could not be linked to those of the network's graph and were copied.
    pub copied: AtomicBool,
}

impl ModelFolder {
    /// Where the graph of a null model is written.
    pub fn target(&self, model: Model) -> Target {
        Target { existing: self.existing, ..Target::new(&self.path.join(model.to_string())) }
    }
}

/// Null models that could not be solved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The graph has no such model.
    #[error(transparent)]
    Null(#[from] parameters::Error),
    /// The graph cannot be read.
    #[error(transparent)]
    Graph(#[from] graph::Error),
    /// A search could not be completed.
    #[error(transparent)]
    Spin(#[from] spin::Error),
    /// The graph of a null model cannot be kept, or written beside the output.
    #[error("cannot {what} {}", dir.display())]
    Write {
        /// What failed: `keep` or `write`.
        what: &'static str,
        /// Where it was to be.
        dir: PathBuf,
        /// Why not.
        #[source]
        source: Box<shard::Error>,
    },
    /// It cannot be read again.
    #[error(transparent)]
    Open(shard::Error),
    /// There is no room beside the output.
    #[error("cannot write to {}", folder.display())]
    Scratch {
        /// The output's folder.
        folder: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A model's threads do not start.
    #[error(transparent)]
    Threads(#[from] threads::Refused),
    /// The threads that wait for models do not start.
    #[error("the system refuses to start threads; ask for fewer with --threads")]
    Workers(#[source] io::Error),
    /// What the sink says.
    #[error(transparent)]
    Sink(Box<dyn std::error::Error + Send + Sync>),
}

impl NullSolver<'_> {
    /// Solves null models in some order, and hands each to `sink`.
    ///
    /// # Errors
    /// The first that any of them ends with; those that were handed over are solved all the same.
    pub fn solve(&self, models: &[Model], sink: &Sink<'_>) -> Result<(), Error> {
        let mut at_once = match self.plan.method {
            Method::Steepest => self.threads.min(models.len()).max(1),
            Method::Sweep | Method::Anneal { .. } => 1,
        };
        let key = |model: Model| (model.kind.tag(), model.index);
        let solved = Mutex::new(BTreeSet::new());
        let locked = || solved.lock().expect("no thread panics while it holds the lock");
        let sink: &Sink<'_> = &|found: SolvedModel| {
            let model = found.model;
            sink(found)?;
            locked().insert(key(model));
            Ok(())
        };
        loop {
            let missing: Vec<_> = models.iter().copied().filter(|model| !locked().contains(&key(*model))).collect();
            let Err(error) = self.solve_at_once(&missing, at_once, sink) else { return Ok(()) };
            let fitting = match (&error, self.plan.memory) {
                (Error::Spin(spin::Error::Memory { least, .. }), Some(limit)) => (limit / least) as usize,
                _ => return Err(error),
            };
            if at_once == 1 {
                return Err(error);
            }
            at_once = fitting.clamp(1, at_once - 1);
        }
    }

    /// Solves models on `at_once` pools with equal shares of threads and memory. Pools of their own: a thread that
    /// waits for a part of one model must not begin another, which would take memory of its own.
    fn solve_at_once(&self, models: &[Model], at_once: usize, sink: &Sink<'_>) -> Result<(), Error> {
        let plan = Plan { memory: self.plan.memory.map(|limit| limit / at_once as u64), ..self.plan.clone() };
        let next = AtomicUsize::new(0);
        let take_turns = || {
            let together = self.side_by_side(models, &plan);
            while let Some(models) = models.chunks(together).nth(next.fetch_add(1, Ordering::Relaxed)) {
                self.solve_some(models, &plan, sink)?;
            }
            Ok(())
        };
        // Whatever ends one thread ends the others.
        let end = || next.store(models.len(), Ordering::Relaxed);
        let worker = || {
            let pool = threads::pool(self.threads / at_once).map_err(Error::from);
            let solved = pool.and_then(|pool| pool.install(take_turns));
            end();
            solved
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..at_once).map(|_| Builder::new().spawn_scoped(scope, worker)).collect();
            let ended = workers.into_iter().map(|worker| match worker {
                Ok(worker) => worker.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(refused) => {
                    end();
                    Err(Error::Workers(refused))
                }
            });
            ended.fold(Ok(()), Result::and)
        })
    }

    /// How many of these models share the lanes of one search.
    fn side_by_side(&self, models: &[Model], plan: &Plan) -> usize {
        match models.iter().any(|model| model.kind == Kind::N2) {
            true => 1,
            false => siblings::at_once(&self.graph, plan, models.len()),
        }
    }

    /// Makes some null models and solves them: side by side, or the few that are left at the end one by one.
    fn solve_some(&self, models: &[Model], plan: &Plan, sink: &Sink<'_>) -> Result<(), Error> {
        match models.len() > 1 && self.side_by_side(models, plan) == models.len() {
            true => self.solve_siblings(models, plan, sink),
            false => models.iter().try_for_each(|&model| self.solve_one(model, plan, sink)),
        }
    }

    fn solve_one(&self, model: Model, plan: &Plan, sink: &Sink<'_>) -> Result<(), Error> {
        self.go_on()?;
        let plan = self.plan_of(model, plan);
        let (replicas, totals) = match self.revalued(model, &plan)? {
            Some(stream) => (spin::solve(&stream, &plan, self.control)?, stream.totals()),
            None => self.solve_unshared(model, &plan)?,
        };
        sink(SolvedModel { model, totals, replicas }).map_err(Error::Sink)
    }

    /// Models that differ from the graph in its values only.
    fn solve_siblings(&self, models: &[Model], plan: &Plan, sink: &Sink<'_>) -> Result<(), Error> {
        let mut siblings = Siblings::new(&self.graph, plan, models.len());
        let mut totals = Vec::with_capacity(models.len());
        for &model in models {
            self.go_on()?;
            let plan = self.plan_of(model, plan);
            let stream = self.revalued(model, &plan)?.expect("siblings are not asked for where edges have own values");
            totals.push(stream.totals());
            siblings.push(stream, plan.seed)?;
        }
        let solved = models.iter().zip(totals).zip(siblings.solve(self.control)?);
        let mut solved = solved.map(|((&model, totals), replicas)| SolvedModel { model, totals, replicas });
        solved.try_for_each(|solved| sink(solved).map_err(Error::Sink))
    }

    /// # Errors
    /// If the run is to end.
    fn go_on(&self) -> Result<(), spin::Error> {
        if self.control.pulse() == Pulse::Stop { Err(spin::Error::Interrupted) } else { Ok(()) }
    }

    fn plan_of(&self, model: Model, plan: &Plan) -> Plan {
        Plan { seed: model.solver_seed(self.plan.seed), ..plan.clone() }
    }

    /// The graph with the null model's values, kept where it is to be kept; nothing if edges have values of their own.
    fn revalued(&self, model: Model, plan: &Plan) -> Result<Option<Revalued<'_>>, Error> {
        let (graph, seed) = (&self.graph, self.plan.seed);
        let values = match model.kind {
            Kind::N1 => n1(graph, seed, model.index)?,
            Kind::N3(init) => n3(graph, init, seed, model.index)?,
            Kind::N2 => return Ok(None),
        };
        let stream = Revalued::new(graph, values)?;
        if let Some(folder) = self.folder {
            let (target, description) = (folder.target(model), self.description(model, plan));
            let written = shard::write_revalued(graph, &stream, &description, &target, &Silent);
            let (_, topology) =
                written.map_err(|source| Error::Write { what: "keep", dir: target.dir, source: source.into() })?;
            folder.copied.fetch_or(topology == Topology::Copied, Ordering::Relaxed);
        }
        Ok(Some(stream))
    }

    /// Solves the graph with a weight of its own for every edge, from disk: 4 bytes an edge, beside the output unless
    /// kept.
    fn solve_unshared(&self, model: Model, plan: &Plan) -> Result<(Vec<Replica>, Totals), Error> {
        let unshared = Unshared::new(&self.graph, self.plan.seed, model.index.into())?;
        let (folder, name) = (together::parent(self.output), self.output.file_name().unwrap_or_default());
        let scratch = temporary::create(folder, name, |builder| builder.tempdir_in(folder));
        let scratch = scratch.map_err(|source| Error::Scratch { folder: folder.to_owned(), source })?;
        let target =
            self.folder.map_or_else(|| Target::new(&scratch.item.path().join("n2")), |kept| kept.target(model));
        let fill = |first: u64, values: &mut [f32]| unshared.fill(first, values);
        let made = Generated {
            topology: &unshared,
            n_values: unshared.n_values(),
            fill: &fill,
            own_values: unshared.own_values(),
        };
        let written = shard::write_generated(&made, &self.description(model, plan), &target, &Silent);
        written.map_err(|source| Error::Write { what: "write", dir: target.dir.clone(), source: source.into() })?;
        let shards = Shards::open(&target.dir).map_err(Error::Open)?;
        let stream = shards.unverified();
        Ok((spin::solve(&stream, plan, self.control)?, stream.totals()))
    }

    /// What a kept graph's manifest says of its origin, besides what the network's says.
    fn description(&self, model: Model, plan: &Plan) -> Description {
        let mut description = self.graph.description().clone();
        description.set("null_model", model);
        description.set("null_model_of", self.graph.fingerprint());
        description.set("null_model_seed", self.plan.seed);
        description.set("solver_seed", plan.seed);
        description.set("program", self.program);
        description
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(models: &[Model]) -> Vec<String> {
        models.iter().map(Model::to_string).collect()
    }

    #[test]
    fn he_comes_first_and_takes_the_odd_one() {
        assert_eq!(names(&models(&N3, 3)), ["n3-he-0", "n3-he-1", "n3-xavier-0"]);
        assert_eq!(names(&models(&N3, 1)), ["n3-he-0"]);
        assert_eq!(names(&models(&[Kind::N1], 2)), ["n1-0", "n1-1"]);
    }
}
