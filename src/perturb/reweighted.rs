//! A network with the weights of another value store of its graph.

use crate::net::{Network, Op};
use crate::unroll::StoredParameters;

/// `net` with the parameters that `values` has, a value store of its graph: every convolution and dense layer gets the
/// weights that would be unrolled to these values. Biases and normalisation stay. `parameters` is the graph's
/// [`Unrolled::parameters`](crate::unroll::Unrolled::parameters).
///
/// # Panics
/// If `parameters` are of another network, or `values` is shorter than the value store of the graph.
pub fn reweighted(net: &Network, parameters: &[StoredParameters], values: &[f32]) -> Network {
    let mut changed = net.clone();
    for StoredParameters { layer, values: stored, order } in parameters {
        let weights = match &mut changed.layers[*layer].op {
            Op::Conv(conv) => &mut conv.weight,
            Op::Dense(dense) => &mut dense.weight,
            op => panic!("{op:?} has no weights"),
        };
        for (at, value) in values[stored.start as usize..stored.end as usize].iter().enumerate() {
            weights[order.in_model(at)] = *value;
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::BlockStream as _;
    use crate::net::arch::{self, Init, WeightSource};
    use crate::null;
    use crate::unroll::{BatchNormRule, Options, Unrolled};

    #[test]
    fn new_weights_unroll_to_the_values_that_they_come_from() {
        for (name, size) in [("digits", None), ("shufflenet_v1_g4", Some([64, 64]))] {
            let net = arch::build(name, WeightSource::Init { scheme: Init::He, seed: 1 }, size).unwrap();
            let graph = Unrolled::new(&net, Options::default()).unwrap();
            let (values, parameters) = (null::n3(&graph, Init::He, 3, 0).unwrap(), graph.parameters().unwrap());
            let changed = reweighted(&net, &parameters, &values);
            assert_ne!(changed, net);
            let again = Unrolled::new(&changed, Options::default()).unwrap();
            assert!(again.values() == values, "{name}");
            // The network's own values give the network.
            assert!(reweighted(&net, &parameters, graph.values()) == net, "{name}");
        }
    }

    #[test]
    fn multiplied_weights_are_no_parameters() {
        let net = arch::build("digits", WeightSource::Init { scheme: Init::He, seed: 1 }, None).unwrap();
        let options = Options { batch_norm: BatchNormRule::Fold, ..Options::default() };
        assert!(Unrolled::new(&net, options).unwrap().parameters().is_none());
    }
}
