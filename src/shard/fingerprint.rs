//! The fingerprint of a graph: equal for equal graphs, whatever their names, paths, dates and shard sizes.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::varint;
use crate::graph::{FrameInfo, Layer};

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// Hash of one frame: where it is and what it contains.
pub(super) fn frame(info: &FrameInfo, raw: &[u8]) -> Hash {
    let mut head = Vec::with_capacity(24);
    for number in [info.rows.start, info.rows.end, info.layer] {
        varint::push(&mut head, number.into());
    }
    Sha256::new().chain_update(head).chain_update(raw).finalize().into()
}

/// The fingerprint, from the layers and the hashes of all frames and of all pieces of the value store.
pub(super) fn graph(layers: &[Layer], frames: &[Hash], n_values: u64, pieces: &[Hash]) -> String {
    let mut head = b"frustration graph 1\n".to_vec();
    varint::push(&mut head, layers.len() as u64);
    for layer in layers {
        head.push(layer.kind as u8);
        varint::push(&mut head, layer.nodes.end.into());
        for extent in layer.shape {
            varint::push(&mut head, extent.into());
        }
        for number in [layer.params.start, layer.params.end, layer.fan_in.into()] {
            varint::push(&mut head, number);
        }
    }
    varint::push(&mut head, frames.len() as u64);
    varint::push(&mut head, n_values);
    let mut hasher = Sha256::new_with_prefix(head);
    frames.iter().chain(pieces).for_each(|hash| hasher.update(hash));
    hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::blocks::layers;

    #[test]
    fn names_do_not_matter_and_structure_does() {
        let mut named = layers(&[2, 3]);
        let plain = graph(&named, &[], 0, &[]);
        assert_eq!(plain.len(), 64);
        named[0].name = "other".into();
        assert_eq!(graph(&named, &[], 0, &[]), plain);
        assert_ne!(graph(&layers(&[3, 2]), &[], 0, &[]), plain);
        assert_ne!(graph(&named, &[[0; 32]], 0, &[]), plain);
        assert_ne!(graph(&named, &[], 1, &[]), plain);
    }
}
