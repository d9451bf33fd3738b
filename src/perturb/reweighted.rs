//! A network with the weights of another value store of its graph.

use std::collections::HashMap;

use super::error::Error;
use crate::graph::BlockStream as _;
use crate::net::{Network, Op};
use crate::unroll::{BatchNormRule, Options, Unrolled};

/// Whole numbers that an f32 holds exactly.
const EXACT: usize = 1 << 24;

/// `net` with the parameters that `values` has, a value store of its graph by `options`: every convolution and dense layer
/// gets the weights that would be unrolled to these values. Biases and normalisation stay.
///
/// Where the store has which weight is not assumed but asked: networks whose weights are their own positions are unrolled.
/// Cost: two unrollings, `16` bytes a parameter.
///
/// # Errors
/// [`Error::Scaled`] if the graph's weights are multiples of the network's, or the network has no graph.
///
/// # Panics
/// If `values` is not as long as the value store of the graph.
pub fn reweighted(net: &Network, options: Options, values: &[f32]) -> Result<Network, Error> {
    if options.batch_norm != BatchNormRule::Ignore {
        return Err(Error::Scaled);
    }
    let low = Unrolled::new(&numbered(net, |position| position % EXACT), options)?;
    let high = Unrolled::new(&numbered(net, |position| position / EXACT), options)?;
    assert_eq!(values.len(), low.values().len(), "a value store of another length");
    let mut changed = net.clone();
    let mut weights: HashMap<String, &mut Vec<f32>> = HashMap::new();
    for layer in &mut changed.layers {
        if let Some(own) = weight(&mut layer.op) {
            weights.insert(layer.name.clone(), own);
        }
    }
    for layer in low.layers() {
        let Some(own) = weights.get_mut(&layer.name) else { continue };
        for at in layer.params.start as usize..layer.params.end as usize {
            own[low.values()[at] as usize + high.values()[at] as usize * EXACT] = values[at];
        }
    }
    Ok(changed)
}

/// The network with a function of each weight's position in its layer as that weight.
fn numbered(net: &Network, number: impl Fn(usize) -> usize) -> Network {
    let mut net = net.clone();
    for weights in net.layers.iter_mut().filter_map(|layer| weight(&mut layer.op)) {
        weights.iter_mut().enumerate().for_each(|(position, weight)| *weight = number(position) as f32);
    }
    net
}

/// The weights of a convolution or a dense layer.
fn weight(op: &mut Op) -> Option<&mut Vec<f32>> {
    match op {
        Op::Conv(conv) => Some(&mut conv.weight),
        Op::Dense(dense) => Some(&mut dense.weight),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::arch::{self, Init, WeightSource};
    use crate::null;

    #[test]
    fn new_weights_unroll_to_the_values_that_they_come_from() {
        for (name, size) in [("digits", None), ("shufflenet_v1_g4", Some([64, 64]))] {
            let net = arch::build(name, WeightSource::Init { scheme: Init::He, seed: 1 }, size).unwrap();
            let graph = Unrolled::new(&net, Options::default()).unwrap();
            let values = null::n3(&graph, Init::He, 3, 0).unwrap();
            let changed = reweighted(&net, Options::default(), &values).unwrap();
            assert_ne!(changed, net);
            let again = Unrolled::new(&changed, Options::default()).unwrap();
            assert!(again.values() == values, "{name}");
            // The network's own values give the network.
            assert!(reweighted(&net, Options::default(), graph.values()).unwrap() == net, "{name}");
        }
    }

    #[test]
    fn multiplied_weights_are_refused() {
        let net = arch::build("digits", WeightSource::Init { scheme: Init::He, seed: 1 }, None).unwrap();
        let options = Options { batch_norm: BatchNormRule::Fold, ..Options::default() };
        assert!(matches!(reweighted(&net, options, &[]), Err(Error::Scaled)));
    }
}
