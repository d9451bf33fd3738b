//! A checkpoint as bytes.
//!
//! | bytes | field    | meaning                                                                                |
//! |------:|----------|----------------------------------------------------------------------------------------|
//! |     8 | magic    | `SPINCKP1`                                                                             |
//! |     8 | n        | length of the header, little-endian                                                    |
//! |     n | header   | JSON: identity of the search, totals by replica                                        |
//! |       | payload  | the finished replicas' states one after the other, or the masks of all spins (`u16`)   |
//! |     4 | checksum | CRC-32 of all bytes before                                                             |

use std::borrow::Cow;

use super::control::{Batch, Checkpoint, Run};
use super::{Plan, Replica};
use crate::kernel::Spins;

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
struct Header {
    search: String,
    body: Body,
}

#[derive(serde::Serialize, serde::Deserialize)]
enum Body {
    Replicas { replicas: Vec<Replica> },
    Batch { steps: u32, runs: Vec<Run>, secs: f64 },
}

/// The search that a checkpoint belongs to: graph (its fingerprint) and everything in the plan that changes the result.
fn identity(graph: &str, plan: &Plan) -> String {
    let Plan { method, replicas, random_flips, seed, max_flips, isa: _ } = plan;
    format!(
        "graph {graph}, {method:?}, {replicas} replicas, {random_flips} random flips, seed {seed}, limit {max_flips}"
    )
}

/// The bytes of a checkpoint of the search for `plan` on the graph with fingerprint `graph`.
pub fn encode(checkpoint: &Checkpoint<'_>, graph: &str, plan: &Plan) -> Vec<u8> {
    let (body, payload) = match checkpoint {
        Checkpoint::Replicas(replicas) => {
            let payload = replicas.iter().flat_map(|r| r.state.iter().copied()).collect();
            (Body::Replicas { replicas: replicas.to_vec() }, payload)
        }
        Checkpoint::Batch(batch) => {
            let Batch { steps, runs, secs, spins } = &**batch;
            let planes = (0..spins.n_groups()).flat_map(|group| spins.plane(group));
            let payload: Vec<u8> = planes.flat_map(|mask| mask.to_le_bytes()).collect();
            (Body::Batch { steps: *steps, runs: runs.clone(), secs: *secs }, payload)
        }
    };
    let header = serde_json::to_vec(&Header { search: identity(graph, plan), body });
    let header = header.expect("a header has no map with keys that are not text");
    let mut bytes = MAGIC.to_vec();
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header);
    bytes.extend(payload);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
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
    let checkpoint = match header.body {
        Body::Replicas { replicas } => with_states(replicas, payload, n_nodes).map(|r| Checkpoint::Replicas(r.into())),
        Body::Batch { steps, runs, secs } => spins(payload, n_nodes, &runs)
            .map(|spins| Checkpoint::Batch(Cow::Owned(Batch { steps, runs, secs, spins }))),
    };
    checkpoint.ok_or(CheckpointError::Damaged)
}

/// Header and payload of intact bytes.
fn split(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let (bytes, checksum) = bytes.split_last_chunk::<4>()?;
    if crc32fast::hash(bytes) != u32::from_le_bytes(*checksum) {
        return None;
    }
    let (length, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    let (header, payload) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some((serde_json::from_slice(header).ok()?, payload))
}

fn with_states(mut replicas: Vec<Replica>, payload: &[u8], n_nodes: u32) -> Option<Vec<Replica>> {
    let n_bytes = (n_nodes as usize).div_ceil(8);
    if payload.len() != replicas.len() * n_bytes {
        return None;
    }
    for (replica, state) in replicas.iter_mut().zip(payload.chunks_exact(n_bytes)) {
        replica.state = state.to_vec();
    }
    Some(replicas)
}

fn spins(payload: &[u8], n_nodes: u32, runs: &[Run]) -> Option<Spins> {
    let mut spins = Spins::for_replicas(n_nodes, runs.len());
    if payload.len() != 2 * n_nodes as usize * spins.n_groups() {
        return None;
    }
    for (group, plane) in payload.chunks_exact(2 * n_nodes as usize).enumerate() {
        for (mask, bytes) in spins.plane_mut(group).iter_mut().zip(plane.as_chunks::<2>().0) {
            *mask = u16::from_le_bytes(*bytes);
        }
    }
    Some(spins)
}
