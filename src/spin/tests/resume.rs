//! Searches that are stopped and go on, and the bytes that they are kept as.

use std::borrow::Cow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;
use crate::kernel::Spins;
use crate::progress::Progress;

fn bytes(checkpoint: &Checkpoint<'_>, plan: &Plan) -> Vec<u8> {
    let mut bytes = Vec::new();
    checkpoint::encode(checkpoint, "graph", plan, &mut bytes).unwrap();
    bytes
}

/// Stops a search after some pulses and keeps its state as bytes, as a file would.
struct Stopper {
    plan: Plan,
    n_nodes: u32,
    pulses_left: AtomicU32,
    kept: Mutex<Option<Vec<u8>>>,
}

impl Progress for Stopper {}

impl Control for Stopper {
    fn saved(&self) -> Option<Checkpoint<'static>> {
        let kept = self.kept.lock().unwrap();
        kept.as_ref().map(|bytes| checkpoint::decode(bytes, "graph", &self.plan, self.n_nodes).unwrap())
    }
    fn pulse(&self) -> Pulse {
        let left = self.pulses_left.load(Ordering::Relaxed);
        self.pulses_left.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 { Pulse::Stop } else { Pulse::Continue }
    }
    fn save(&self, checkpoint: &Checkpoint<'_>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        *self.kept.lock().unwrap() = Some(bytes(checkpoint, &self.plan));
        Ok(())
    }
}

proptest! {
    #[test]
    fn a_search_stopped_again_and_again_finds_the_same(g in layered(5, 9), seed in any::<u64>(), pulses in 0u32..7) {
        let csr = graph(&g);
        for method in METHODS {
            let plan = plan(method, 18, seed);
            let expected = solved(&csr, &plan, &Silent).unwrap();
            let n_nodes = csr.totals().n_nodes;
            let (pulses_left, kept) = (AtomicU32::new(pulses), Mutex::new(None));
            let stopper = Stopper { plan: plan.clone(), n_nodes, pulses_left, kept };
            let found = loop {
                match solved(&csr, &plan, &stopper) {
                    Ok(replicas) => break replicas,
                    // A longer life each time, so that a descent, which begins anew, comes to its end.
                    Err(Error::Interrupted) => stopper.pulses_left.store(pulses + 3, Ordering::Relaxed),
                    Err(error) => panic!("{error}"),
                }
            };
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_checkpoint_is_of_one_search_and_intact() {
    let plan = plan(Method::Sweep, 3, 7);
    let spins = Spins::for_replicas(5, 3);
    let ensemble = Ensemble { steps: 2, walkers: vec![Walker::default(); 3], secs: 0.5, spins };
    let done = solve(&avalanche(5), &Plan { replicas: 2, ..plan.clone() }, &Silent).unwrap();
    let checkpoint = Checkpoint { done: Cow::Owned(done), ensemble: Some(Cow::Owned(ensemble)) };
    let bytes = bytes(&checkpoint, &plan);
    let decode = |bytes: &[u8], graph: &str, plan: &Plan| checkpoint::decode(bytes, graph, plan, 5);
    assert_eq!(decode(&bytes, "graph", &plan).unwrap(), checkpoint);
    assert!(decode(&bytes, "another", &plan).unwrap_err().to_string().contains("another search"));
    assert!(decode(&bytes, "graph", &Plan { seed: 8, ..plan.clone() }).is_err());
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end], "graph", &plan).is_err());
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(decode(&damaged, "graph", &plan).is_err());
    }
}
