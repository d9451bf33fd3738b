//! Where tensors are: buffers of vectors, and strips of them that threads fill.

use rayon::prelude::*;

use crate::kernel::images::Vector;

/// Where a tensor is in its buffer: pixel after pixel, each with room for `channels`; its own begin at `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Number of the buffer.
    pub buffer: usize,
    /// Vectors between pixels.
    pub channels: usize,
    /// First channel.
    pub offset: usize,
}

impl Slot {
    /// Index of an element's vector.
    pub fn at(&self, pixel: usize, channel: usize) -> usize {
        pixel * self.channels + self.offset + channel
    }
}

/// Vectors that begin at a cache line, of as many lanes as the caller says.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    values: Vec<f32>,
    start: usize,
    /// Numbers in use.
    len: usize,
}

/// Numbers in a cache line.
const LINE: usize = 16;

impl Buffer {
    /// Makes room for `len` vectors, whatever they hold.
    pub fn reserve<const L: usize>(&mut self, len: usize) {
        self.len = len * L;
        if self.values.len() < self.len + LINE {
            self.values = Vec::new();
            self.values.resize(self.len + LINE, 0.0);
        }
        self.start = self.values.as_ptr().align_offset(64).min(LINE);
    }
    /// The vectors.
    pub fn vectors<const L: usize>(&self) -> &[Vector<L>] {
        self.values[self.start..][..self.len].as_chunks().0
    }
    /// The vectors, to change.
    pub fn vectors_mut<const L: usize>(&mut self) -> &mut [Vector<L>] {
        self.values[self.start..][..self.len].as_chunks_mut().0
    }
}

/// Disjoint parts of a buffer.
pub(super) struct Strips<'a, const L: usize> {
    parts: Vec<(usize, &'a mut [Vector<L>])>,
}

impl<'a, const L: usize> Strips<'a, L> {
    /// Cuts at rising positions; what is before the first belongs to the first part.
    pub fn cut(out: &'a mut [Vector<L>], starts: impl Iterator<Item = usize>) -> Self {
        let mut starts: Vec<usize> = starts.collect();
        if let Some(first) = starts.first_mut() {
            *first = 0;
        }
        let (mut rest, mut parts) = (out, Vec::with_capacity(starts.len()));
        for (index, &start) in starts.iter().enumerate() {
            let end = starts.get(index + 1).map_or(rest.len() + start, |&next| next);
            let (part, after) = rest.split_at_mut(end - start);
            parts.push((start, part));
            rest = after;
        }
        Self { parts }
    }
    /// Cuts a tensor between pixels, so that a part has about `size` vectors; parts begin with a pixel's room.
    pub fn of_pixels(out: &'a mut [Vector<L>], channels: usize, size: usize) -> Self {
        let step = size.div_ceil(channels).max(1) * channels;
        Self { parts: out.chunks_mut(step).enumerate().map(|(index, part)| (index * step, part)).collect() }
    }
    /// Calls `f(index, first vector, part)` for all parts, on the threads of the current pool: who has none left takes one of
    /// another's.
    pub fn each(self, f: impl Fn(usize, usize, &mut [Vector<L>]) + Sync) {
        match self.parts.len() {
            1 => self.parts.into_iter().for_each(|(first, part)| f(0, first, part)),
            _ => {
                let parts = self.parts.into_par_iter().with_max_len(1).enumerate();
                parts.for_each(|(index, (first, part))| f(index, first, part));
            }
        }
    }
}
