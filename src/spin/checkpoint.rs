//! A checkpoint as bytes.
//!
//! | bytes | field    | meaning                                                                                |
//! |------:|----------|----------------------------------------------------------------------------------------|
//! |     8 | magic    | `SPINCKP1`                                                                             |
//! |     8 | n        | length of the header, little-endian                                                    |
//! |     n | header   | JSON: identity of the search, totals by replica                                        |
//! |       | payload  | the finished replicas' states one after the other, then the ensemble's masks (`u16`)       |
//! |     4 | checksum | CRC-32 of all bytes before                                                             |

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};

use super::{Checkpoint, Ensemble, Plan, Replica, Walker};
use crate::kernel::{Spins, state};

const MAGIC: &[u8; 8] = b"SPINCKP1";

/// Bytes that are no checkpoint of this search.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Cut short or damaged.
    #[error("not an intact checkpoint; remove it to start again")]
    Damaged,
    /// Of another graph or plan.
    #[error("made by another search ({found}), this one is {expected}; give the same arguments, or remove it")]
    Other {
        /// The search that made it.
        found: String,
        /// The search that would resume it.
        expected: String,
    },
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Header<'a> {
    search: String,
    done: Cow<'a, [Replica]>,
    #[serde(rename = "batch")]
    ensemble: Option<EnsembleHeader>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct EnsembleHeader {
    steps: u32,
    #[serde(rename = "runs")]
    walkers: Vec<Walker>,
    secs: f64,
}

/// The search that a checkpoint belongs to: graph (its fingerprint) and everything in the plan that changes the result.
fn identity(graph: &str, plan: &Plan) -> String {
    let Plan { method: _, replicas, random_flips: _, seed, max_flips: _, isa: _, memory: _ } = plan;
    format!("graph {graph}, {}, {replicas} replicas, seed {seed}", plan.effort())
}

/// Writes a checkpoint of the search for `plan` on the graph with fingerprint `graph`.
///
/// # Errors
/// Those of `out`.
pub fn encode(checkpoint: &Checkpoint<'_>, graph: &str, plan: &Plan, out: impl Write) -> io::Result<()> {
    let ensemble = checkpoint.ensemble.as_deref();
    let header_of = |e: &Ensemble| EnsembleHeader { steps: e.steps, walkers: e.walkers.clone(), secs: e.secs };
    let (search, done) = (identity(graph, plan), Cow::Borrowed(&*checkpoint.done));
    let header = serde_json::to_vec(&Header { search, done, ensemble: ensemble.map(header_of) })?;
    let mut out = Checksummed { out: BufWriter::new(out), checksum: crc32fast::Hasher::new() };
    out.write_all(MAGIC)?;
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    for replica in &*checkpoint.done {
        out.write_all(&replica.state)?;
    }
    for mask in ensemble.iter().flat_map(|e| (0..e.spins.n_planes()).flat_map(|plane| e.spins.plane(plane))) {
        out.write_all(&mask.to_le_bytes())?;
    }
    let Checksummed { mut out, checksum } = out;
    out.write_all(&checksum.finalize().to_le_bytes())?;
    out.flush()
}

/// A writer that keeps the checksum of what it has written.
struct Checksummed<W> {
    out: W,
    checksum: crc32fast::Hasher,
}

impl<W: Write> Write for Checksummed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.checksum.update(&bytes[..n]);
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Reads back what [`encode`] wrote, for a graph of `n_nodes` nodes.
///
/// # Errors
/// If the bytes are damaged or belong to another search.
pub fn decode(bytes: &[u8], graph: &str, plan: &Plan, n_nodes: u32) -> Result<Checkpoint<'static>, CheckpointError> {
    let (header, payload) = split(bytes).ok_or(CheckpointError::Damaged)?;
    let expected = identity(graph, plan);
    if header.search != expected {
        return Err(CheckpointError::Other { found: header.search, expected });
    }
    body(header, payload, n_nodes).ok_or(CheckpointError::Damaged)
}

fn body(header: Header<'_>, payload: &[u8], n_nodes: u32) -> Option<Checkpoint<'static>> {
    let states = header.done.len().checked_mul(state::n_bytes(n_nodes))?;
    let (states, masks) = payload.split_at_checked(states)?;
    let done = with_states(header.done.into_owned(), states, n_nodes).into();
    let ensemble = match header.ensemble {
        Some(EnsembleHeader { steps, walkers, secs }) => {
            let spins = spins(masks, n_nodes, &walkers)?;
            Some(Cow::Owned(Ensemble { steps, walkers, secs, spins }))
        }
        None if masks.is_empty() => None,
        None => return None,
    };
    Some(Checkpoint { done, ensemble })
}

/// Header and payload of intact bytes.
fn split(bytes: &[u8]) -> Option<(Header<'static>, &[u8])> {
    let (bytes, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let (length, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    let (header, payload) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((serde_json::from_slice(header).ok()?, payload))
}

fn with_states(mut replicas: Vec<Replica>, states: &[u8], n_nodes: u32) -> Vec<Replica> {
    for (replica, state) in replicas.iter_mut().zip(states.chunks_exact(state::n_bytes(n_nodes).max(1))) {
        replica.state = state.to_vec();
    }
    replicas
}

fn spins(payload: &[u8], n_nodes: u32, walkers: &[Walker]) -> Option<Spins> {
    let mut spins = Spins::for_replicas(n_nodes, walkers.len());
    if payload.len() != 2 * n_nodes as usize * spins.n_planes() {
        return None;
    }
    for (plane, masks) in payload.chunks_exact(2 * n_nodes as usize).enumerate() {
        for (mask, bytes) in spins.plane_mut(plane).iter_mut().zip(masks.as_chunks::<2>().0) {
            *mask = u16::from_le_bytes(*bytes);
        }
    }
    Some(spins)
}
