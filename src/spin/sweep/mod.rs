//! Sweeps: layer by layer, recompute the fields from the edges and let a rule choose which spins flip.
//!
//! # A sweep
//! Nodes of one layer are not adjacent, so a sweep takes layer after layer. The frames of a layer are independent: they are
//! read on all threads, each for the planes of replicas, and what a visit finds is written down as masks of spins to flip.
//! Only when the whole layer is done are its flips applied, and their energy booked.
//!
//! ```text
//!              layer 0           layer 1           layer 2
//!           frame 0  frame 1   frame 2  frame 3   frame 4
//!  plane 0  [visit]  [visit]   [visit]  [visit]   [visit]     a visit: read the frame
//!  plane 1  [visit]  [visit]   [visit]  [visit]   [visit]              add up the fields of its rows
//!           └── in parallel ─┘ └── in parallel ─┘                      signs: r_i = s_i × field
//!                   then:             then:                            rule: which rows flip?
//!               apply flips       apply flips     …                    sum of r over those: the energy
//! ```
//!
//! (Planes share a visit, and with it the reading of the frame, as long as their fields fit the cache.)
//!
//! # What a descent need not read
//! While the temperature or a threshold falls, every visit may flip something. In the descent that follows the rule depends
//! on the field alone, and the field on the neighbours' spins: a frame none of whose neighbours has flipped since it was
//! read would only say again what it said. A frame is **stale** if it has such a neighbour, and only stale frames are read
//! ([`stale`]), plane by plane. Here frames 0 and 3 flip something in the first sweep of a descent, and nothing later:
//!
//! ```text
//!   edges:  0 – 2    0 – 3    1 – 3    3 – 4
//!
//!                 0      1      2      3      4
//!   sweep 1    read*   read   read   read*  read      * flips: its neighbours are stale from now on.
//!                                                       2 and 3 were yet to be read in this sweep, and so was 4
//!   sweep 2     read   read    –      –      –          0 and 1 have been stale since 3 flipped
//!   sweep 3      –      –      –      –      –          not made: no replica has flipped in sweep 2
//! ```
//!
//! Replicas that have settled are skipped as well: when those that still flip fit fewer planes, they move together.
//! Those that go on flipping a few spins for hundreds of sweeps are ended one by one ([`last_flips`]).
//!
//! # Cost
//! A sweep is one read of the edges in both directions for all replicas, a one-way stream excepted
//! ([`one_way`](super::one_way)), where it is one read of them in one direction.
//!
//! # Energies
//! While a search runs its energy is known for watching only. It is carried along by what flips change, summed as integers
//! on a grid ([`fixed_point`]), so that it does not depend on the order in which threads finish.

mod fixed_point;
mod last_flips;
mod relaxation;
pub(super) mod rule;
mod stale;
mod visitor;

pub(super) use relaxation::Relaxation;
