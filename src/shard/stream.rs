//! A graph directory as a block stream, once its values are checked.

use std::ops::{Deref, Range};

use rayon::prelude::*;

use super::layout::{PIECE, PIECE_BYTES, VALUES};
use super::values;
use super::{Bytes, Error, FilePart, Map, Shards};
use crate::graph::{self, BlockStream, Frame, FrameInfo, Layer, Totals};
use crate::progress::Progress;

/// An opened graph directory whose values are known to be what was written, as a block stream.
///
/// Frames are checked whenever they are read; values are not, because nobody reads them through a function. So the only way to
/// compute with a stored graph is through [`Shards::verified`], which has read them all once.
#[derive(Debug)]
pub struct ShardStream<'a, B = Map>(&'a Shards<B>);

impl<B> Deref for ShardStream<'_, B> {
    type Target = Shards<B>;
    fn deref(&self) -> &Shards<B> {
        self.0
    }
}

impl<B: Bytes> Shards<B> {
    /// Checks the value store: the checksum of every piece, and that every value is finite. Cost: one read of it.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verified(&self, progress: &dyn Progress) -> Result<ShardStream<'_, B>, Error> {
        check_values(self, progress, |_| ())?;
        Ok(self.unverified())
    }

    /// The graph without that check: where no value is used, or where this process has just written them.
    pub fn unverified(&self) -> ShardStream<'_, B> {
        ShardStream(self)
    }
}

impl<B: Bytes> BlockStream for ShardStream<'_, B> {
    fn totals(&self) -> Totals {
        self.0.totals()
    }
    fn layers(&self) -> &[Layer] {
        self.0.layers()
    }
    fn frames(&self) -> &[FrameInfo] {
        self.0.frames()
    }
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), graph::Error> {
        self.with_raw(index, |raw| self.decode(index, raw, frame)).map_err(graph::Error::new)
    }
    fn is_one_way(&self) -> bool {
        self.0.is_one_way()
    }
    fn prefetch(&self, values: Range<u64>) {
        self.0.values.prefetch(values.start as usize * 4..values.end as usize * 4);
    }
    fn release(&self, values: Range<u64>) {
        self.0.values.release(values.start as usize * 4..values.end as usize * 4);
    }
    fn values(&self) -> &[f32] {
        self.0.values()
    }
}

/// Checks the value store and returns `f` of every piece.
pub(super) fn check_values<B: Bytes, T: Send>(
    shards: &Shards<B>,
    progress: &dyn Progress,
    f: fn(&[u8]) -> T,
) -> Result<Vec<T>, Error> {
    let (bytes, stream) = (shards.values.as_ref(), shards.unverified());
    progress.begin("verify values", bytes.len() as u64);
    let path = || shards.path(VALUES);
    let check = |(index, piece): (usize, &[u8])| {
        let (found, expected) = (crc32fast::hash(piece), shards.manifest().values.checksums[index].0);
        if found != expected {
            return Err(Error::Checksum { path: path(), part: FilePart::Piece(index), found, expected });
        }
        let start = index * PIECE;
        let values = &shards.values()[start..start + piece.len() / 4];
        if !values.iter().all(|value| value.is_finite()) {
            let (offset, layer, value) = values::not_finite(shards.values(), shards.layers())
                .expect("a value of this piece has just been found not to be finite");
            return Err(Error::NotFinite { offset, layer, value });
        }
        progress.advance(piece.len() as u64);
        let found = f(piece);
        stream.release(start as u64..(start + values.len()) as u64);
        Ok(found)
    };
    let checked: Vec<_> = bytes.par_chunks(PIECE_BYTES as usize).enumerate().map(check).collect();
    progress.end();
    checked.into_iter().collect()
}
