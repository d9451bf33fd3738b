//! Which element of a tensor stands for which node.
//!
//! The elements that come from one graph layer are some channels at some pixels. Slices, paddings, shuffles and
//! concatenations treat channels, image rows and image columns apart, so that the map is a product, too: a list of
//! channels, and for each of the two axes a range with a step ([`AxisMap`]).

use std::sync::Arc;

use crate::net::Shape;

/// Some elements of a tensor, each of which stands for one node of one graph layer, no two for the same.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementMap {
    /// By rising tensor channel.
    pub(super) channels: Arc<[Channel]>,
    /// Vertical and horizontal pixels.
    pub(super) axes: [AxisMap; 2],
    /// The tensor's channels and pixels; of a flattened tensor, those before the flattening.
    pub(super) shape: Shape,
}

impl ElementMap {
    /// All elements of a graph layer in its own output.
    pub(super) fn whole(shape: Shape) -> Self {
        let channels = (0..shape.c as u32).map(|c| Channel { tensor: c, source: c, factor: 1.0 }).collect();
        Self { channels, axes: [AxisMap::identity(shape.h), AxisMap::identity(shape.w)], shape }
    }

    /// The tensor's channels and pixels; of a flattened tensor, those before the flattening. Its elements are numbered
    /// channels-last in this shape: `(y · width + x) · channels + channel`.
    pub fn shape(&self) -> Shape {
        self.shape
    }
}

impl ElementMap {
    pub(super) fn map_channels(&mut self, f: impl Fn(Channel) -> Option<Channel>) {
        let mut channels: Vec<Channel> = self.channels.iter().filter_map(|&c| f(c)).collect();
        channels.sort_by_key(|c| c.tensor);
        self.channels = channels.into();
    }
    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() || self.axes.iter().any(|map| map.is_empty())
    }
}

/// One channel of a contribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Channel {
    /// Channel of the tensor.
    pub tensor: u32,
    /// Output channel of the source layer, in kernel order.
    pub source: u32,
    /// What batch normalisation multiplied it by.
    pub factor: f32,
}

/// Pixels of one spatial axis: tensor position `t` in `lo..hi` is the source's position `t · step + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AxisMap {
    /// Connection pixels per tensor pixel, at least 1.
    pub step: i64,
    /// Connection position of tensor position 0 (which may be outside the range).
    pub offset: i64,
    /// First tensor position with a source.
    pub lo: i64,
    /// End of the tensor positions with a source.
    pub hi: i64,
}

impl AxisMap {
    /// Every pixel of a source with `n` of them.
    pub fn identity(n: usize) -> Self {
        Self { step: 1, offset: 0, lo: 0, hi: n as i64 }
    }
    /// The positions `begin + k · step`, `k < len`.
    pub fn slice(self, begin: i64, step: i64, len: i64) -> Self {
        let first_at_least = |t: i64| ((t - begin).max(0) as u64).div_ceil(step as u64) as i64;
        Self {
            step: self.step * step,
            offset: self.offset + begin * self.step,
            lo: first_at_least(self.lo),
            hi: first_at_least(self.hi).min(len),
        }
    }
    /// `before` zeros first, `len` positions in all.
    pub fn pad(self, before: i64, len: i64) -> Self {
        Self { offset: self.offset - before * self.step, lo: self.lo + before, hi: (self.hi + before).min(len), ..self }
    }
    /// Position `t` alone, as position 0.
    pub fn only(self, t: i64) -> Self {
        Self { step: 1, offset: t * self.step + self.offset, lo: 0, hi: 1 }
    }
    pub fn is_empty(self) -> bool {
        self.lo >= self.hi
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(map: AxisMap) -> Vec<i64> {
        (map.lo..map.hi).map(|t| t * map.step + map.offset).collect()
    }

    #[test]
    fn slices_and_pads_of_an_axis_compose() {
        let map = AxisMap::identity(7).slice(1, 2, 3);
        assert_eq!(sources(map), [1, 3, 5]);
        let padded = map.pad(2, 6);
        assert_eq!((padded.lo, padded.hi, sources(padded)), (2, 5, vec![1, 3, 5]));
        let again = padded.slice(1, 2, 3);
        assert_eq!((again.lo, again.hi, sources(again)), (1, 2, vec![3]));
        assert!(AxisMap::identity(3).pad(2, 8).slice(5, 1, 3).is_empty());
    }
}
