//! The harness of the fuzz targets: arbitrary bytes are an error or a sound frame, never a panic.

use super::check::{self, Bounds};
use super::error::Fault;
use super::{codec, file, reader};
use crate::graph::edges::for_each_edge;
use crate::graph::{Block, Direction, Frame, FrameInfo, Layer};

/// Frames with more edges than this are not walked.
const MAX_EDGES: u128 = 1 << 20;

/// Reads `bytes` as an expanded frame, as a stored frame and as a shard file, of a graph with three layers and 1000
/// values. A frame that passes all checks is walked edge by edge, and none of its blocks has a row twice.
///
/// # Panics
/// Only if there is a bug.
pub fn fuzz_frame(bytes: &[u8]) {
    let _ = sound(bytes);
    let _ = reader::expand(bytes, 4096, |raw| sound(raw).map(drop));
    if let Ok(directory) = file::directory(bytes) {
        for (entry, range) in directory.frames {
            let _ = reader::expand(&bytes[range], entry.raw_bytes, |raw| sound(raw).map(drop));
        }
    }
}

/// Edges of the frame in both directions, 0 if there are too many to walk.
pub(super) fn sound(raw: &[u8]) -> Result<u64, Fault> {
    let layers = [0..100, 100..300, 300..1000].map(|nodes| Layer::class(0, nodes));
    let values = [1.0; 1000];
    let info = FrameInfo { rows: 100..300, layer: 1, n_edges_in: 0, n_edges_out: 0 };
    let mut frame = Frame::default();
    codec::decode(raw, &mut frame)?;
    let bounds = Bounds { layers: &layers, n_values: values.len() as u64 };
    let mut walked = 0;
    for direction in [Direction::In, Direction::Out] {
        let blocks = frame.direction(direction);
        if check::blocks(blocks, &info, direction, bounds)? > MAX_EDGES {
            continue;
        }
        assert!(blocks.blocks.iter().all(has_rows_once));
        for_each_edge(blocks, &values, |row, col, _| {
            assert!(info.rows.contains(&row) && col < 1000 && !info.rows.contains(&col));
            walked += 1;
        });
    }
    Ok(walked)
}

/// Whether no row is in two groups of the block.
pub(super) fn has_rows_once(block: &Block) -> bool {
    let mut seen = std::collections::HashSet::new();
    block.groups().flat_map(|group| block.rows(group)).all(|(_, row)| seen.insert(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Interval;
    use proptest::prelude::*;

    fn valid() -> Vec<u8> {
        let mut frame = Frame::default();
        let mut block = Block::single(120);
        (block.n_rows, block.row_stride) = (3, 10);
        (block.repeats[1].count, block.repeats[1].row_step, block.repeats[1].col_step) = (5, 20, 2);
        frame.inward.push(block, &[Interval { first_col: 0, len: 9, values: 5 }]);
        frame.outward.push(block, &[Interval { first_col: 300, len: 9, values: 5 }]);
        let mut raw = Vec::new();
        codec::encode(&frame, &mut raw);
        raw
    }

    #[test]
    fn a_valid_frame_is_walked() {
        assert_eq!(sound(&valid()).unwrap(), 2 * 3 * 5 * 9);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_bytes_are_harmless(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz_frame(&bytes);
        }

        #[test]
        fn mutated_frames_are_harmless(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut raw = valid();
            for (at, byte) in &changes {
                let at = at.index(raw.len());
                raw[at] = *byte;
            }
            fuzz_frame(&raw);
            fuzz_frame(&zstd::bulk::compress(&raw, 3).unwrap());
        }

        #[test]
        fn mutated_compressed_frames_are_harmless(at: prop::sample::Index, byte: u8) {
            let mut stored = zstd::bulk::compress(&valid(), 3).unwrap();
            let at = at.index(stored.len());
            stored[at] = byte;
            fuzz_frame(&stored);
        }
    }
}
