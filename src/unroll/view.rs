//! Tensors that have no nodes of their own: which node every element stands for.
//!
//! Activations, normalisations, concatenations, sums, shuffles, slices and paddings add no nodes. Their output is a
//! [`View`]: a list of [`Contribution`]s, each of which maps some channels, and per spatial axis a range of pixels, to one graph
//! layer.
//!
//! ```text
//!  conv1 (8 channels) ─▶ relu ─┐
//!                              concat (12 channels)      contributions   channels 0 … 7    conv1, past the relu
//!  conv2 (4 channels) ─────────┘                                         channels 8 … 11   conv2
//! ```
//!
//! An element covered by several contributions is their sum, an element covered by none is zero (no edge).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::element_map::{Channel, ElementMap};
use super::route::{GateLayer, Gates, Route};
use crate::net::Shape;

/// The part of a tensor that comes from one graph layer.
#[derive(Clone, Debug)]
pub(super) struct Contribution {
    /// Index of the graph layer.
    pub layer: usize,
    /// Its elements in the tensor; contributions that lie alike share it.
    pub elements: Arc<ElementMap>,
    /// The activations that its nodes' values have passed.
    pub gates: Gates,
    /// How often it is an addend.
    pub count: u64,
}

impl Contribution {
    /// What equal addends have in common; contributions that only happen to be equal may differ.
    pub fn key(&self) -> (usize, usize, usize) {
        (self.layer, Arc::as_ptr(&self.elements).addr(), self.gates.address())
    }
    /// How its nodes reach network layer `tensor`, whose output the contribution is part of.
    pub fn route(&self, tensor: usize) -> Route {
        Route { tensor, elements: Arc::clone(&self.elements), gates: self.gates.clone() }
    }
}

/// A tensor as contributions of graph layers.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// Channels and pixels; of a flattened tensor, those before the flattening.
    pub shape: Shape,
    /// True if the tensor is the channel-major flattening of `shape`, and that has more than one pixel.
    pub flat: bool,
    /// Where its elements come from.
    pub contributions: Vec<Contribution>,
}

impl View {
    /// All of one graph layer.
    pub fn whole(layer: usize, elements: Arc<ElementMap>) -> Self {
        let shape = elements.shape;
        Self {
            shape,
            flat: false,
            contributions: vec![Contribution { layer, elements, gates: Gates::default(), count: 1 }],
        }
    }
    /// Shape as later layers see it.
    pub fn outer_shape(&self) -> Shape {
        if self.flat { Shape::new(self.shape.len(), 1, 1) } else { self.shape }
    }
    /// The output of an activation, network layer `layer`, that can set values to zero.
    pub fn gated(mut self, layer: usize) -> Self {
        let mut known: HashMap<(usize, usize), Gates> = HashMap::new();
        for contribution in &mut self.contributions {
            let (_, elements, gates) = contribution.key();
            let gate = || GateLayer { layer, elements: Arc::clone(&contribution.elements) };
            let passed = known.entry((elements, gates)).or_insert_with(|| contribution.gates.then(gate())).clone();
            contribution.gates = passed;
        }
        self
    }
    /// Channel-major flattening.
    pub fn flatten(mut self) -> Self {
        self.flat = self.shape.h * self.shape.w > 1;
        self
    }
    /// How many contributions [`without_pixels`](Self::without_pixels) makes.
    pub fn n_contributions_without_pixels(&self) -> usize {
        let n_pixels = if self.flat { self.shape.h * self.shape.w } else { 1 };
        self.contributions.len().saturating_mul(n_pixels)
    }
    /// Channels that its element maps list, one by one.
    pub fn n_listed(&self) -> u64 {
        let mut known = HashSet::new();
        let maps =
            self.contributions.iter().filter(|contribution| known.insert(Arc::as_ptr(&contribution.elements).addr()));
        maps.map(|contribution| contribution.elements.channels.len() as u64).sum()
    }
    /// The same elements as channels of a single pixel, if the tensor is flattened: one contribution for each pixel of a contribution.
    pub fn without_pixels(self) -> Self {
        if !self.flat {
            return self;
        }
        let (shape, width, n_pixels) = (self.outer_shape(), self.shape.w as i64, (self.shape.h * self.shape.w) as u32);
        let mut contributions = Vec::new();
        for contribution in &self.contributions {
            let [rows, columns] = contribution.elements.axes;
            for (y, x) in (rows.lo..rows.hi).flat_map(|y| (columns.lo..columns.hi).map(move |x| (y, x))) {
                let pixel = (y * width + x) as u32;
                let moved = |c: &Channel| Channel { tensor: c.tensor * n_pixels + pixel, ..*c };
                let channels = contribution.elements.channels.iter().map(moved).collect();
                let elements = Arc::new(ElementMap { channels, axes: [rows.only(y), columns.only(x)], shape });
                contributions.push(Contribution { elements, ..contribution.clone() });
            }
        }
        Self { shape, flat: false, contributions }
    }
    /// Output channel `j · groups + i` is channel `i · m + j`.
    pub fn shuffle(self, groups: usize) -> Self {
        let (g, m, shape) = (groups as u32, (self.shape.c / groups) as u32, self.shape);
        self.map(shape, |elements| {
            elements.map_channels(|c| Some(Channel { tensor: c.tensor % m * g + c.tensor / m, ..c }));
        })
    }
    /// Every channel times its factor.
    pub fn scale(self, factors: &[f32]) -> Self {
        let shape = self.shape;
        self.map(shape, |elements| {
            elements.map_channels(|c| Some(Channel { factor: c.factor * factors[c.tensor as usize], ..c }));
        })
    }
    /// Per axis (c, h, w) the elements `begin + k · step`, as many as `shape` says.
    pub fn slice(self, begin: [usize; 3], step: [usize; 3], shape: Shape) -> Self {
        // Of a step past the end only the first element remains, so it can be shortened.
        let steps = [step[1].min(self.shape.h), step[2].min(self.shape.w)];
        self.map(shape, |elements| {
            elements.map_channels(|c| {
                let past = (c.tensor as usize).checked_sub(begin[0])?;
                let tensor = past / step[0];
                let taken = past.is_multiple_of(step[0]) && tensor < shape.c;
                taken.then_some(Channel { tensor: tensor as u32, ..c })
            });
            for (axis, len) in [shape.h, shape.w].into_iter().enumerate() {
                elements.axes[axis] = elements.axes[axis].slice(begin[axis + 1] as i64, steps[axis] as i64, len as i64);
            }
        })
    }
    /// Per axis (c, h, w) that many zeros first, `shape` in all.
    pub fn pad(self, before: [usize; 3], shape: Shape) -> Self {
        self.map(shape, |elements| {
            elements.map_channels(|c| Some(Channel { tensor: c.tensor + before[0] as u32, ..c }));
            for (axis, len) in [shape.h, shape.w].into_iter().enumerate() {
                elements.axes[axis] = elements.axes[axis].pad(before[axis + 1] as i64, len as i64);
            }
        })
    }
    /// As channels `first..` of a tensor of `shape`.
    pub fn within(self, first: usize, shape: Shape) -> Self {
        self.map(shape, |elements| {
            if first > 0 {
                elements.map_channels(|c| Some(Channel { tensor: c.tensor + first as u32, ..c }));
            }
        })
    }

    /// Changes the elements of every contribution, once for all that share it, and drops contributions that have no element left.
    fn map(mut self, shape: Shape, f: impl Fn(&mut ElementMap)) -> Self {
        let mut known: HashMap<usize, Arc<ElementMap>> = HashMap::new();
        for contribution in &mut self.contributions {
            // No address is used again while a contribution that comes later holds it.
            let mapped = known.entry(Arc::as_ptr(&contribution.elements).addr()).or_insert_with(|| {
                let mut elements = ElementMap { shape, ..ElementMap::clone(&contribution.elements) };
                f(&mut elements);
                Arc::new(elements)
            });
            contribution.elements = Arc::clone(mapped);
        }
        self.contributions.retain(|contribution| !contribution.elements.is_empty());
        self.shape = shape;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_reorders_channels() {
        let view = View::whole(0, Arc::new(ElementMap::whole(Shape::new(6, 1, 1)))).shuffle(2);
        let order: Vec<u32> = view.contributions[0].elements.channels.iter().map(|c| c.source).collect();
        assert_eq!(order, [0, 3, 1, 4, 2, 5]);
    }
}
