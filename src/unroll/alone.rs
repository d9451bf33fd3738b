//! One convolution or dense layer over a whole tensor: its blocks, for whoever has the weights in an order of his own.

use std::ops::Range;

use super::blocks::{Region, push_blocks};
use super::error::Error;
use super::node_layer::NodeLayer;
use super::unroller::Unroller;
use crate::graph::{Blocks, Direction};
use crate::net::{Layer, Shape};

/// A graph of two layers, a tensor and what is computed from it. The value store that its blocks point into is nowhere: it
/// would have the layer's weights alone, as [`ParameterOrder`](super::ParameterOrder) says.
#[derive(Clone, Debug)]
pub(crate) struct LayerAlone {
    columns: NodeLayer,
    rows: NodeLayer,
}

impl LayerAlone {
    /// A convolution or a dense layer over an input of shape `input`, or the flattening of one.
    ///
    /// # Errors
    /// If they do not fit, or the graph would be too large.
    pub fn new(layer: &Layer, input: Shape) -> Result<Self, Error> {
        let [columns, rows] = Unroller::alone(layer, input)?;
        Ok(Self { columns, rows })
    }

    /// The blocks of the rows in some image rows, image columns and channels; the first row is node `input.len()`.
    pub fn blocks(&self, [y, x, c]: [Range<u32>; 3]) -> Blocks {
        let region = Region { y, x, c };
        let mut blocks = Blocks::default();
        push_blocks(&mut blocks, Direction::In, &region, &self.rows.connections[0], [&self.rows, &self.columns]);
        blocks
    }
}
