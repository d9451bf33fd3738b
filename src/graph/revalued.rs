//! A graph with other values.

use rayon::prelude::*;

use super::sums::sum_abs;
use super::{BlockStream, Error, Frame, FrameInfo, Layer, Totals};

/// The topology of another block stream, read from there, with a value store of its own.
///
/// Good for null models that keep who shares a weight with whom; not for weights edge by edge. Memory: the values.
pub struct Revalued<'a> {
    parent: &'a dyn BlockStream,
    values: Vec<f32>,
    layers: Vec<Layer>,
    totals: Totals,
}

impl<'a> Revalued<'a> {
    /// Gives `parent` other values, and sums them up anew: by layer, frame by frame, on the current rayon pool. Cost: one
    /// read of the frames and their panels.
    ///
    /// # Errors
    /// If a frame cannot be read.
    ///
    /// # Panics
    /// If there are not as many values as the parent has.
    pub fn new(parent: &'a dyn BlockStream, values: Vec<f32>) -> Result<Self, Error> {
        assert_eq!(values.len(), parent.values().len(), "a value store of another length");
        let frames = parent.frames();
        let sum = |frame: &mut Frame, index: usize| parent.read(index, frame).map(|()| sum_abs(&frame.inward, &values));
        let sums: Vec<_> = (0..frames.len()).into_par_iter().map_init(Frame::default, sum).collect();
        let mut layers = parent.layers().to_vec();
        layers.iter_mut().for_each(|layer| layer.sum_abs = 0.0);
        for (info, sum) in frames.iter().zip(sums) {
            layers[info.layer as usize].sum_abs += sum?;
        }
        let totals = Totals { sum_abs: layers.iter().map(|layer| layer.sum_abs).sum(), ..parent.totals() };
        Ok(Self { parent, values, layers, totals })
    }

    /// Takes the values out. Until it is [`refilled`](Self::refilled), the stream has no values to read.
    pub(crate) fn take_values(&mut self) -> Vec<f32> {
        std::mem::take(&mut self.values)
    }

    /// The stream with the values that were taken out of it.
    pub(crate) fn refilled(&self, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), self.parent.values().len(), "a value store of another length");
        Self { parent: self.parent, values, layers: self.layers.clone(), totals: self.totals }
    }
}

/// `prefetch` and `release` do nothing: the values are in memory.
impl BlockStream for Revalued<'_> {
    fn totals(&self) -> Totals {
        self.totals
    }
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn frames(&self) -> &[FrameInfo] {
        self.parent.frames()
    }
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), Error> {
        self.parent.read(index, frame)
    }
    fn values(&self) -> &[f32] {
        &self.values
    }
    fn is_one_way(&self) -> bool {
        self.parent.is_one_way()
    }
}
