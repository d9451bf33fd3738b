//! NULL MODELS: graphs with the topology of another and weights from elsewhere. Blocks in, blocks out.

pub mod n2;
