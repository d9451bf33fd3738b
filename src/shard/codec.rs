//! A frame as bytes and back: the encoding that [`super`] specifies, before compression.

use super::error::Fault;
use super::varint::{self, Reader};
use crate::graph::{Block, Blocks, Frame, Interval, PanelKind, Repeat};

const DIAGONAL: u8 = 1;
const SAME_SHAPE: u8 = 2;
/// Flags, first row and number of intervals of a block; column, length and values of an interval.
const LEAST_BYTES: usize = 3;
/// Room that is made on the word of a count alone; more only as things are read, so that few bytes never claim much.
const TRUSTED: usize = 1 << 14;

/// Replaces `out` with the encoded frame.
pub(super) fn encode(frame: &Frame, out: &mut Vec<u8>) {
    out.clear();
    encode_blocks(&frame.inward, out);
    encode_blocks(&frame.outward, out);
}

/// Replaces `frame` with the decoded bytes. The result is well-formed but not yet checked against its graph.
pub(super) fn decode(bytes: &[u8], frame: &mut Frame) -> Result<(), Fault> {
    frame.clear();
    let mut reader = Reader(bytes);
    decode_blocks(&mut reader, &mut frame.inward)?;
    decode_blocks(&mut reader, &mut frame.outward)?;
    match reader.left() {
        0 => Ok(()),
        left => Err(Fault::Trailing(left)),
    }
}

fn encode_blocks(blocks: &Blocks, out: &mut Vec<u8>) {
    varint::push(out, blocks.blocks.len() as u64);
    let mut last: Option<Block> = None;
    let mut next = Next::default();
    for block in &blocks.blocks {
        let same = last.is_some_and(|last| shape(&last) == shape(block));
        match (same, block.kind) {
            (true, _) => out.push(SAME_SHAPE),
            (false, PanelKind::Dense) => out.push(0),
            (false, PanelKind::Diagonal) => out.push(DIAGONAL),
        }
        varint::push_delta(out, block.first_row.into(), last.map_or(0, |last| last.first_row).into());
        if !same {
            encode_shape(block, out);
        }
        last = Some(*block);
        let intervals = blocks.intervals(block);
        varint::push(out, intervals.len() as u64);
        for interval in intervals {
            varint::push_delta(out, interval.first_col.into(), next.col);
            varint::push(out, interval.len.into());
            varint::push_delta(out, interval.values, next.value);
            next = Next::after(interval, block.col_stride);
        }
    }
}

fn encode_shape(block: &Block, out: &mut Vec<u8>) {
    varint::push(out, block.n_rows.into());
    varint::push(out, block.row_step.into());
    for repeat in &block.repeats {
        varint::push(out, repeat.count.into());
        varint::push(out, repeat.row_step.into());
        varint::push(out, repeat.col_step.into());
        varint::push(out, repeat.value_step);
    }
    varint::push(out, block.row_stride.into());
    varint::push(out, block.col_stride.into());
}

fn decode_blocks(reader: &mut Reader<'_>, blocks: &mut Blocks) -> Result<(), Fault> {
    let n_blocks = count(reader)?;
    blocks.blocks.reserve(n_blocks.min(TRUSTED));
    let mut last: Option<Block> = None;
    let mut next = Next::default();
    for _ in 0..n_blocks {
        let flags = reader.byte()?;
        let first_row = reader.delta_u32(last.map_or(0, |last| last.first_row).into())?;
        let mut block = match (flags, last) {
            (0, _) => decode_shape(reader, PanelKind::Dense)?,
            (DIAGONAL, _) => decode_shape(reader, PanelKind::Diagonal)?,
            (SAME_SHAPE, Some(last)) => last,
            _ => return Err(Fault::Flags(flags)),
        };
        block.first_row = first_row;
        let n_intervals = count(reader)?;
        if n_intervals == 0 {
            return Err(Fault::NoIntervals);
        }
        block.intervals_start = u32::try_from(blocks.intervals.len()).map_err(|_| Fault::TooLarge)?;
        block.n_intervals = u32::try_from(n_intervals).map_err(|_| Fault::TooLarge)?;
        blocks.intervals.reserve(n_intervals.min(TRUSTED));
        for _ in 0..n_intervals {
            let first_col = reader.delta_u32(next.col)?;
            let interval = Interval { first_col, len: reader.u32()?, values: reader.delta(next.value)? };
            next = Next::after(&interval, block.col_stride);
            blocks.intervals.push(interval);
        }
        blocks.blocks.push(block);
        last = Some(block);
    }
    Ok(())
}

fn decode_shape(reader: &mut Reader<'_>, kind: PanelKind) -> Result<Block, Fault> {
    let (n_rows, row_step) = (reader.u32()?, reader.u32()?);
    let mut repeats = [Repeat::default(); 2];
    for repeat in &mut repeats {
        *repeat = Repeat {
            count: reader.u32()?,
            row_step: reader.u32()?,
            col_step: reader.u32()?,
            value_step: reader.u64()?,
        };
    }
    let (row_stride, col_stride) = (reader.u32()?, reader.u32()?);
    let (first_row, intervals_start, n_intervals) = (0, 0, 0);
    Ok(Block { first_row, n_rows, row_step, repeats, kind, row_stride, col_stride, intervals_start, n_intervals })
}

/// A number of things of at least [`LEAST_BYTES`] each, which the bytes that are left can hold.
fn count(reader: &mut Reader<'_>) -> Result<usize, Fault> {
    let n = usize::try_from(reader.u64()?).map_err(|_| Fault::TooLarge)?;
    match n <= reader.left() / LEAST_BYTES {
        true => Ok(n),
        false => Err(Fault::Truncated),
    }
}

/// All of a block but its place.
fn shape(block: &Block) -> Block {
    Block { first_row: 0, intervals_start: 0, n_intervals: 0, ..*block }
}

/// The interval that is expected next: right after the last one, its values too.
#[derive(Default)]
struct Next {
    col: u64,
    value: u64,
}

impl Next {
    fn after(interval: &Interval, col_stride: u32) -> Self {
        let len = u64::from(interval.len);
        Self {
            col: u64::from(interval.first_col) + len,
            value: interval.values.wrapping_add(len * u64::from(col_stride)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::blocks;
    use proptest::prelude::*;

    #[test]
    fn an_empty_frame_is_two_zeros() {
        let mut bytes = vec![9];
        encode(&Frame::default(), &mut bytes);
        assert_eq!(bytes, [0, 0]);
    }

    #[test]
    fn equal_shapes_are_stored_once() {
        let mut frame = Frame::default();
        for row in 0..100 {
            let at = Interval { first_col: 200 + row, len: 1, values: u64::from(row) };
            frame.inward.push(Block::single(5 + row), &[at]);
        }
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes);
        assert!(bytes.len() < 640, "{} bytes", bytes.len());
        let mut read = Frame::default();
        decode(&bytes, &mut read).unwrap();
        assert_eq!(read, frame);
    }

    #[test]
    fn counts_beyond_the_bytes_are_refused() {
        let mut frame = Frame::default();
        assert!(matches!(decode(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0], &mut frame), Err(Fault::Truncated)));
        assert!(matches!(decode(&[0, 0, 0], &mut frame), Err(Fault::Trailing(1))));
        assert!(matches!(decode(&[1, 2, 0, 0], &mut frame), Err(Fault::Flags(2))));
        assert!(matches!(
            decode(&[1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0], &mut frame),
            Err(Fault::NoIntervals)
        ));
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(graph in blocks::graphs()) {
            let (mut bytes, mut read) = (Vec::new(), Frame::default());
            for frame in &graph.contents {
                encode(frame, &mut bytes);
                decode(&bytes, &mut read).unwrap();
                prop_assert_eq!(&read, frame);
                for end in 0..bytes.len() {
                    prop_assert!(decode(&bytes[..end], &mut read).is_err());
                }
            }
        }
    }
}
