//! Networks built by hand and at random, their edges by the definitions, and what every block stream must hold.

mod cases;
mod counts;
mod laws;
mod random;
mod refused;

use super::frames::Limits;
use super::{Options, Unrolled};
use crate::net::Network;
use crate::testing::network::all_options;

/// Frames of at most a few rows.
pub(super) const TINY: Limits = Limits { n_edges: 40, n_rows: 10, long_row: 12 };

pub(super) fn unroll(net: &Network, options: Options, limits: Limits) -> Unrolled {
    Unrolled::with_limits(net, options, limits).unwrap()
}

/// Unrolled by the usual rules.
pub(super) fn unrolled(net: &Network) -> Unrolled {
    unroll(net, Options::default(), Limits::DEFAULT)
}

/// That a network has the edges of the definitions by all rules.
pub(super) fn check(net: &Network) {
    all_options().for_each(|options| laws::check(net, options).unwrap());
}
