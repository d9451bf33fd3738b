//! What the tests of several rooms share: graphs of any blocks, networks, the edges of a network by nested loops, and a disk
//! that is full.

pub(crate) mod blocks;
pub(crate) mod limited;
pub(crate) mod network;
pub(crate) mod oracle;
pub(crate) mod random_network;
