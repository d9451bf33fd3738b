//! One-way streams: every edge is read once a sweep, though it adds to the fields at both its ends.
//!
//! # The problem
//! Where every edge has a weight of its own (weights permuted over all edges, an imported graph) a sweep is as slow as its
//! weights are read. A frame with both directions has each weight twice, once in the row that the edge goes into and once
//! in the row that it comes from. A one-way stream has it once: its frames hold In blocks only.
//!
//! # The way
//! While a frame's weights are at hand they are used for both ends. First its rows **gather**: they add up `w s_j` over the
//! edges into them. Then the rule decides which of them flip. Then they **scatter**: each row `i`, with its new spin, adds
//! `w s_i` to the Out fields of the rows `j` that its edges come from, in [`out_fields`]. There the sum waits for the next
//! visit to `j`:
//!
//! ```text
//!            frame 1             frame 2             frame 3
//!         rows of layer 0     rows of layer 1     rows of layer 2
//!        ┌───────────────┐   ┌───────────────┐   ┌───────────────┐
//! visit  │ no In blocks  │   │ gather from 0 │   │ gather from 1 │
//!        │               │   │ decide        │   │ decide        │
//!        │               │ ◄─│ scatter to 0  │ ◄─│ scatter to 1  │
//!        └───────┬───────┘   └───────┬───────┘   └───────────────┘
//!                ▼                   ▼
//!          Out fields of 0     Out fields of 1     wait for the next sweep
//! ```
//!
//! So at a visit to row `j` its field is
//!
//! ```text
//! Σ_i w_ji s_i  (gathered now)  +  Σ_i w_ij s_i  (scattered by every i since the last visit to j)
//! ```
//!
//! and that is the field of the present spins: `i` changes at its own visit only, and scatters anew at every visit, whether
//! it has flipped or not. A search therefore begins with one sweep that flips nothing, and a resumed one as well.
//!
//! # Cost
//! One read of the edges for both directions; 64 bytes a node and plane for what waits. Every frame is visited in every
//! sweep, also in a descent, for what waits is used up by a visit. Values are read and given back in [`waves`], so that a
//! graph may be larger than memory.
//!
//! # Order of summation
//! In blocks first, then what was scattered, frame by frame in the order of the frames: so fields depend on where the
//! stream is cut into frames, but not on threads, replicas, or instruction set.

pub(super) mod out_blocks;
pub(super) mod out_fields;
pub(super) mod waves;
