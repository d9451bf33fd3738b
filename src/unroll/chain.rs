//! Operators that follow a layer and nothing else reads: they change the layer itself, not the view of it.

use super::options::BatchNormRule;
use super::{norm, pool};
use crate::net::{Network, Op};

/// What each network layer takes over from the operators after it.
#[derive(Clone, Debug, Default)]
pub(super) struct Chains {
    /// Factors of a layer's rows, by output channel; empty for none.
    pub row_factors: Vec<Vec<f32>>,
    /// True for the normalisations whose factors are in the rows of the layer before.
    pub in_rows: Vec<bool>,
    /// Groups of the shuffle that numbers a layer's channels; 1 for none.
    pub shuffle_groups: Vec<usize>,
}

impl Chains {
    /// Follows every layer that has a single reader.
    pub fn new(net: &Network, rule: BatchNormRule) -> Self {
        let readers = single_readers(net);
        let n = net.layers.len();
        let mut chains = Self { shuffle_groups: shuffle_groups(net), ..Self::none(n) };
        for layer in (0..n).filter(|&layer| has_rows(net, layer)) {
            chains.absorb_norms(net, rule, &readers, layer);
        }
        chains
    }

    /// Of `n` layers none of which takes anything over.
    pub fn none(n: usize) -> Self {
        Self { row_factors: vec![Vec::new(); n], in_rows: vec![false; n], shuffle_groups: vec![1; n] }
    }

    fn absorb_norms(&mut self, net: &Network, rule: BatchNormRule, readers: &[Option<usize>], layer: usize) {
        let mut at = layer;
        while let Some(next) = readers[at] {
            let Some(factors) = norm::factors(&net.layers[next].op, rule) else { break };
            let rows = &mut self.row_factors[layer];
            match rows.is_empty() {
                true => *rows = factors,
                false => rows.iter_mut().zip(factors).for_each(|(row, factor)| *row *= factor),
            }
            self.in_rows[next] = true;
            at = next;
        }
    }
}

/// By network layer: groups of the channel shuffle that numbers its nodes, see [`crate::graph::Layer::shuffle_groups`]; 1 for
/// none, and for layers without nodes.
pub fn shuffle_groups(net: &Network) -> Vec<usize> {
    let readers = single_readers(net);
    let groups = |layer| if has_rows(net, layer) { following_shuffle(net, &readers, layer) } else { None };
    (0..net.layers.len()).map(|layer| groups(layer).unwrap_or(1)).collect()
}

/// The reader of each layer, if there is exactly one.
fn single_readers(net: &Network) -> Vec<Option<usize>> {
    let mut counts = vec![(0, 0); net.layers.len()];
    for (reader, layer) in net.layers.iter().enumerate() {
        for &input in &layer.inputs {
            counts[input] = (counts[input].0 + 1, reader);
        }
    }
    counts.into_iter().map(|(n, reader)| (n == 1).then_some(reader)).collect()
}

/// True for convolutions, dense layers and pools that have nodes.
fn has_rows(net: &Network, layer: usize) -> bool {
    let layer = &net.layers[layer];
    match &layer.op {
        Op::Conv(_) | Op::Dense(_) => true,
        Op::Pool(pool) => !pool::is_slice(pool, net.layers[layer.inputs[0]].shape, layer.shape),
        _ => false,
    }
}

/// Groups of the shuffle that a layer feeds through elementwise operators only.
fn following_shuffle(net: &Network, readers: &[Option<usize>], layer: usize) -> Option<usize> {
    let mut at = readers[layer]?;
    loop {
        match &net.layers[at].op {
            Op::Shuffle { groups } => return Some(*groups),
            Op::Activation(_) | Op::BatchNorm(_) | Op::Scale(_) => at = readers[at]?,
            _ => return None,
        }
    }
}
