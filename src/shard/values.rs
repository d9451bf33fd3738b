//! The value store: raw little-endian `f32`, written in pieces that have a checksum each.

use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::fingerprint::Hash;
use super::layout::{PIECE, PIECE_BYTES};
use super::manifest::{Checksum, ValuesRecord};
use crate::graph::Layer;
use crate::progress::Progress;

/// Makes the values from an offset on.
pub type Fill<'a> = &'a (dyn Fn(u64, &mut [f32]) + Sync);

/// What is known of a store after writing it.
pub(super) struct Written {
    /// Its entry in the manifest.
    pub record: ValuesRecord,
    /// The hash of each piece.
    pub hashes: Vec<Hash>,
    /// `Σ|w|` over each of the ranges asked for.
    pub sums: Vec<f64>,
}

/// A piece in the making: its bytes, and what [`Written`] says of it.
struct WrittenPiece {
    bytes: Vec<u8>,
    checksum: Checksum,
    hash: Hash,
    sums: Vec<(usize, f64)>,
}

impl WrittenPiece {
    fn new(first: u64, values: &[f32], ranges: &[Range<u64>]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let sum = |(index, range): (usize, &Range<u64>)| {
            let at = |offset: u64| (offset.max(first) - first).min(values.len() as u64) as usize;
            let inside = &values[at(range.start)..at(range.end)];
            (!inside.is_empty()).then(|| (index, inside.iter().map(|&w| f64::from(w).abs()).sum()))
        };
        let (checksum, hash) = (Checksum(crc32fast::hash(&bytes)), Sha256::digest(&bytes).into());
        Self { bytes, checksum, hash, sums: ranges.iter().enumerate().filter_map(sum).collect() }
    }
}

/// Writes the store, making some pieces at a time on all threads.
pub(super) fn write(
    n_values: u64,
    fill: Fill<'_>,
    ranges: &[Range<u64>],
    mut out: impl Write,
    progress: &dyn Progress,
) -> io::Result<Written> {
    let (mut checksums, mut hashes, mut sums) = (Vec::new(), Vec::new(), vec![0.0; ranges.len()]);
    let firsts: Vec<_> = (0..n_values).step_by(PIECE).collect();
    let make = |&first: &u64| {
        let mut values = vec![0.0; (n_values - first).min(PIECE as u64) as usize];
        fill(first, &mut values);
        WrittenPiece::new(first, &values, ranges)
    };
    for wave in firsts.chunks(4 * rayon::current_num_threads()) {
        for piece in wave.par_iter().map(make).collect::<Vec<_>>() {
            out.write_all(&piece.bytes)?;
            progress.advance(piece.bytes.len() as u64);
            checksums.push(piece.checksum);
            hashes.push(piece.hash);
            piece.sums.into_iter().for_each(|(index, sum)| sums[index] += sum);
        }
    }
    let record = ValuesRecord { n_values, piece_bytes: PIECE_BYTES, checksums };
    Ok(Written { record, hashes, sums })
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
        let fill = |first: u64, out: &mut [f32]| out.copy_from_slice(&values[first as usize..][..out.len()]);
        let range = PIECE as u64 - 1..PIECE as u64 + 1;
        let Written { record, hashes, sums } =
            write(values.len() as u64, &fill, &[0..2, range], &mut out, &crate::progress::Silent).unwrap();
        assert_eq!((record.n_values, record.checksums.len(), hashes.len()), (values.len() as u64, 2, 2));
        assert_eq!(sums, [1.0, (2 * PIECE - 1) as f64]);
        assert_eq!(out.len(), values.len() * 4);
        assert_eq!(out[4..8], 1f32.to_le_bytes());
        assert_eq!(record.checksums[1], Checksum(crc32fast::hash(&out[PIECE * 4..])));
    }

    #[test]
    fn the_layer_of_a_bad_value_is_named() {
        let mut layers = crate::testing::blocks::layers(&[1, 1]);
        layers[1].params = 1..3;
        assert_eq!(not_finite(&[1.0, 2.0], &layers), None);
        let (offset, layer, value) = not_finite(&[1.0, 2.0, f32::INFINITY], &layers).unwrap();
        assert_eq!((offset, layer.as_str(), value), (2, "layer `class 1`", f32::INFINITY));
        assert_eq!(not_finite(&[f32::NAN], &layers).unwrap().1, "no layer's parameter");
    }
}
