//! Random small networks.

use proptest::prelude::*;

use super::super::{BatchNormRule, Error, ResidualRule};
use super::laws;
use crate::testing::network::all_options;
use crate::testing::random_network::network;

proptest! {
    #[test]
    fn edges_of_random_networks_are_those_of_the_definitions(
        size in (1usize..5, 1usize..8, 1usize..8),
        script in prop::collection::vec(any::<[u8; 8]>(), 1..9),
        dense in any::<bool>(),
        rules in 0usize..6,
    ) {
        let net = network(size, &script, dense);
        let options = all_options().nth(rules).unwrap();
        match laws::check(&net, options) {
            Ok(()) => {}
            Err(Error::MixedFactors { .. }) => {
                prop_assert!(options.batch_norm != BatchNormRule::Ignore && options.residual == ResidualRule::Expand);
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
