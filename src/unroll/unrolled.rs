//! The unrolled network as a block stream, and the way back from nodes to the elements of its tensors.

use super::blocks::{Region, push_blocks};
use super::element_map::Place;
use super::error::Error;
use super::frames::Limits;
use super::node_layer::Linear;
use super::options::{BatchNormRule, Options};
use super::parameters::StoredParameters;
use super::route::Way;
use super::unroller::Walk;
use super::view::View;
use super::{check, frames, norm};
use crate::graph::{self, BlockStream, Direction, Frame, FrameInfo, Layer, NodeId, Totals};
use crate::net::{Network, Shape};

/// A network as a block stream.
#[derive(Clone, Debug)]
pub struct Unrolled {
    pub(super) linears: Vec<Linear>,
    output: Vec<(usize, Way)>,
    values: Vec<f32>,
    layers: Vec<Layer>,
    frames: Vec<FrameInfo>,
    regions: Vec<Region>,
    totals: Totals,
    warnings: Vec<String>,
    options: Options,
}

impl Unrolled {
    /// Numbers the nodes, stores the weights, counts the edges and cuts the frames.
    ///
    /// # Errors
    /// [`Error`] if the network has no graph by these rules, or too large a one.
    pub fn new(net: &Network, options: Options) -> Result<Self, Error> {
        Self::with_limits(net, options, Limits::DEFAULT)
    }

    /// What a person should know about the graph, one line each; the network's own warnings are not repeated.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where the value store has the network's parameters, by network layer; nothing if it has multiples of them, by
    /// normalisation.
    pub fn parameters(&self) -> Option<Vec<StoredParameters>> {
        let stored = |linear: &Linear| {
            let (layer, values) = (linear.network, linear.params.clone());
            linear.order_of_params.map(|order| StoredParameters { layer, values, order })
        };
        (self.options.batch_norm == BatchNormRule::Ignore).then(|| self.linears.iter().filter_map(stored).collect())
    }

    pub(super) fn with_limits(net: &Network, options: Options, limits: Limits) -> Result<Self, Error> {
        let Walk { linears, values, output, .. } = Walk::new(net, options)?;
        let output = output.map_or_else(Vec::new, |view| output_ways(net.layers.len() - 1, &view));
        let layers: Vec<Layer> = (0..linears.len()).map(|index| layer(&linears, index)).collect();
        let totals = Totals {
            n_nodes: layers.last().map_or(0, |layer| layer.nodes.end),
            n_edges: layers.iter().map(|layer| layer.n_edges).sum(),
            sum_abs: layers.iter().map(|layer| layer.sum_abs).sum(),
        };
        check::density(totals)?;
        let (frames, regions) = frames::cut(&linears, limits).into_iter().unzip();
        let warnings = match options.batch_norm {
            BatchNormRule::Ignore => norm::warnings(net),
            BatchNormRule::Sign | BatchNormRule::Fold => Vec::new(),
        };
        Ok(Self { linears, output, values, layers, frames, regions, totals, warnings, options })
    }
}

/// A graph layer for the world outside.
fn layer(linears: &[Linear], index: usize) -> Layer {
    let linear = &linears[index];
    Layer {
        name: linear.name.clone(),
        kind: linear.kind,
        nodes: linear.first..linear.first + linear.shape.len() as u32,
        shape: [linear.shape.c, linear.shape.h, linear.shape.w].map(|n| n as u32),
        n_edges: frames::edges_in(linears, index),
        sum_abs: linear.sum_abs,
        params: linear.params.clone(),
        fan_in: linear.order_of_params.map_or(0, |order| order.fan_in() as u32),
        taps: linear.taps,
        shuffle_groups: linear.order.groups(),
    }
}

impl BlockStream for Unrolled {
    fn totals(&self) -> Totals {
        self.totals
    }
    fn layers(&self) -> &[Layer] {
        &self.layers
    }
    fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }
    /// Never fails.
    fn read(&self, index: usize, frame: &mut Frame) -> Result<(), graph::Error> {
        frame.clear();
        let (region, rows) = (&self.regions[index], &self.linears[self.frames[index].layer as usize]);
        for source in &rows.sources {
            let columns = &self.linears[source.layer];
            push_blocks(&mut frame.inward, Direction::In, region, source, [rows, columns]);
        }
        for &(reader, source) in &rows.readers {
            let columns = &self.linears[reader];
            push_blocks(&mut frame.outward, Direction::Out, region, &columns.sources[source], [rows, columns]);
        }
        Ok(())
    }
    fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Unrolled {
    /// Index of the network layer whose output the nodes of graph layer `layer` are.
    pub fn network_layer(&self, layer: usize) -> usize {
        self.linears[layer].network
    }

    /// The ways by which graph layer `reader` reads others, each with the graph layer that is read, by rising layer.
    pub fn ways(&self, reader: usize) -> impl Iterator<Item = (usize, &Way)> {
        self.linears[reader].sources.iter().map(|source| (source.layer, &source.way))
    }

    /// The ways to the output of the last network layer, each with the graph layer that it comes from.
    pub fn output(&self) -> &[(usize, Way)] {
        &self.output
    }

    /// Calls `f(element, node)` for the elements of a tensor that stand for nodes of graph layer `layer`.
    pub fn for_each_element(&self, layer: usize, place: &Place, mut f: impl FnMut(usize, NodeId)) {
        let Linear { shape, first, order, .. } = &self.linears[layer];
        let pixels = |axis: usize| {
            let map = place.axes[axis];
            (map.lo..map.hi).map(move |t| (t as usize, (t * map.step + map.offset) as u32))
        };
        let Shape { c, w, .. } = place.shape;
        for (y, from_y) in pixels(0) {
            for (x, from_x) in pixels(1) {
                let node = first + (from_y * shape.w as u32 + from_x) * shape.c as u32;
                for channel in place.channels.iter() {
                    f((y * w + x) * c + channel.tensor as usize, node + order.node_channel(channel.source));
                }
            }
        }
    }

    /// Calls `f(element, node)` for all nodes of a graph layer and the elements of its own network layer's output.
    pub fn for_each_own_element(&self, layer: usize, f: impl FnMut(usize, NodeId)) {
        self.for_each_element(layer, &Place::whole(self.linears[layer].shape), f);
    }
}

/// The ways to the network's output, each with its graph layer.
fn output_ways(tensor: usize, view: &View) -> Vec<(usize, Way)> {
    view.pieces.iter().map(|piece| (piece.layer, piece.way(tensor))).collect()
}
