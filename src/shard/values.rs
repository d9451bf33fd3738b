//! The value store: raw little-endian `f32`, written in pieces that have a checksum each.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use super::fingerprint::Hash;
use super::manifest::{Checksum, ValuesRecord};
use crate::graph::Layer;
use crate::progress::Progress;

/// Name of the value store in a graph directory.
pub(super) const FILE: &str = "values.bin";

/// Length of a piece; the last one may be shorter.
pub(super) const PIECE_BYTES: u64 = 1 << 20;

/// Values of a piece.
pub(super) const PIECE: usize = PIECE_BYTES as usize / 4;

/// Writes the store. Returns its entry in the manifest and the hash of each piece. Buffers one piece.
pub(super) fn write(
    values: &[f32],
    mut out: impl Write,
    progress: &dyn Progress,
) -> io::Result<(ValuesRecord, Vec<Hash>)> {
    let (mut bytes, mut checksums, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for piece in values.chunks(PIECE) {
        bytes.clear();
        bytes.extend(piece.iter().flat_map(|value| value.to_le_bytes()));
        checksums.push(Checksum(crc32fast::hash(&bytes)));
        hashes.push(Sha256::digest(&bytes).into());
        out.write_all(&bytes)?;
        progress.advance(bytes.len() as u64);
    }
    Ok((ValuesRecord { n_values: values.len() as u64, piece_bytes: PIECE_BYTES, checksums }, hashes))
}

/// The first value that is NaN or infinite: its offset, whose parameter it is, and itself.
pub(super) fn not_finite(values: &[f32], layers: &[Layer]) -> Option<(u64, String, f32)> {
    let at = values.iter().position(|value| !value.is_finite())?;
    let offset = at as u64;
    let owner = layers.iter().find(|layer| layer.params.contains(&offset));
    let owner = owner.map_or_else(|| "no layer's parameter".to_owned(), |layer| format!("layer `{}`", layer.name));
    Some((offset, owner, values[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_written_in_order() {
        let values: Vec<f32> = (0..PIECE + 1).map(|i| i as f32).collect();
        let mut out = Vec::new();
        let (record, hashes) = write(&values, &mut out, &crate::progress::Silent).unwrap();
        assert_eq!((record.n_values, record.checksums.len(), hashes.len()), (values.len() as u64, 2, 2));
        assert_eq!(out.len(), values.len() * 4);
        assert_eq!(out[4..8], 1f32.to_le_bytes());
        assert_eq!(record.checksums[1], Checksum(crc32fast::hash(&out[PIECE * 4..])));
    }

    #[test]
    fn the_layer_of_a_bad_value_is_named() {
        let mut layers = crate::shard::testing::layers(&[1, 1]);
        layers[1].params = 1..3;
        assert_eq!(not_finite(&[1.0, 2.0], &layers), None);
        let (offset, layer, value) = not_finite(&[1.0, 2.0, f32::INFINITY], &layers).unwrap();
        assert_eq!((offset, layer.as_str(), value), (2, "layer `class 1`", f32::INFINITY));
        assert_eq!(not_finite(&[f32::NAN], &layers).unwrap().1, "no layer's parameter");
    }
}
