//! The unrolled network as a block stream, and the route back from nodes to the elements of its tensors.

use super::blocks::{Region, push_blocks};
use super::frames::Limits;
use super::node_layer::NodeLayer;
use super::unroller::Unroller;
use super::view::View;
use super::{BatchNormRule, ElementMap, Error, Options, Route, StoredParameters, check, frames, norm};
use crate::graph::{self, BlockStream, Direction, Frame, FrameInfo, Layer, NodeId, Totals};
use crate::net::{Network, Shape};

/// A network as a block stream.
#[derive(Clone, Debug)]
pub struct Unrolled {
    pub(super) node_layers: Vec<NodeLayer>,
    output: Vec<(usize, Route)>,
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
        let stored = |node_layer: &NodeLayer| {
            let (layer, values) = (node_layer.network, node_layer.params.clone());
            node_layer.param_order.map(|order| StoredParameters { layer, values, order })
        };
        (self.options.batch_norm == BatchNormRule::Ignore).then(|| self.node_layers.iter().filter_map(stored).collect())
    }

    pub(super) fn with_limits(net: &Network, options: Options, limits: Limits) -> Result<Self, Error> {
        let Unroller { node_layers, values, output, .. } = Unroller::new(net, options)?;
        let output = output.map_or_else(Vec::new, |view| output_routes(net.layers.len() - 1, &view));
        let layers: Vec<Layer> = (0..node_layers.len()).map(|index| layer(&node_layers, index)).collect();
        let totals = Totals {
            n_nodes: layers.last().map_or(0, |layer| layer.nodes.end),
            n_edges: layers.iter().map(|layer| layer.n_edges).sum(),
            sum_abs: layers.iter().map(|layer| layer.sum_abs).sum(),
        };
        check::density(totals)?;
        let (frames, regions) = frames::cut(&node_layers, limits).into_iter().unzip();
        let warnings = match options.batch_norm {
            BatchNormRule::Ignore => norm::warnings(net),
            BatchNormRule::Sign | BatchNormRule::Fold => Vec::new(),
        };
        Ok(Self { node_layers, output, values, layers, frames, regions, totals, warnings, options })
    }
}

/// A graph layer for the world outside.
fn layer(node_layers: &[NodeLayer], index: usize) -> Layer {
    let node_layer = &node_layers[index];
    Layer {
        name: node_layer.name.clone(),
        kind: node_layer.kind,
        nodes: node_layer.first..node_layer.first + node_layer.shape.len() as u32,
        shape: [node_layer.shape.c, node_layer.shape.h, node_layer.shape.w].map(|n| n as u32),
        n_edges: frames::edges_in(node_layers, index),
        sum_abs: node_layer.sum_abs,
        params: node_layer.params.clone(),
        fan_in: node_layer.param_order.map_or(0, |order| order.fan_in() as u32),
        taps: node_layer.taps,
        shuffle_groups: node_layer.order.groups(),
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
        let (region, rows) = (&self.regions[index], &self.node_layers[self.frames[index].layer as usize]);
        for connection in &rows.connections {
            let columns = &self.node_layers[connection.layer];
            push_blocks(&mut frame.inward, Direction::In, region, connection, [rows, columns]);
        }
        for &(reader, connection) in &rows.readers {
            let columns = &self.node_layers[reader];
            push_blocks(&mut frame.outward, Direction::Out, region, &columns.connections[connection], [rows, columns]);
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
        self.node_layers[layer].network
    }

    /// The routes by which graph layer `reader` reads others, each with the graph layer that is read, by rising layer.
    pub fn routes(&self, reader: usize) -> impl Iterator<Item = (usize, &Route)> {
        self.node_layers[reader].connections.iter().map(|connection| (connection.layer, &connection.route))
    }

    /// The routes to the output of the last network layer, each with the graph layer that it comes from.
    pub fn output(&self) -> &[(usize, Route)] {
        &self.output
    }

    /// Calls `f(element, node)` for the elements of a tensor that stand for nodes of graph layer `layer`.
    pub fn for_each_element(&self, layer: usize, elements: &ElementMap, mut f: impl FnMut(usize, NodeId)) {
        let NodeLayer { shape, first, order, .. } = &self.node_layers[layer];
        let pixels = |axis: usize| {
            let map = elements.axes[axis];
            (map.lo..map.hi).map(move |t| (t as usize, (t * map.step + map.offset) as u32))
        };
        let Shape { c, w, .. } = elements.shape;
        for (y, from_y) in pixels(0) {
            for (x, from_x) in pixels(1) {
                let node = first + (from_y * shape.w as u32 + from_x) * shape.c as u32;
                for channel in elements.channels.iter() {
                    f((y * w + x) * c + channel.tensor as usize, node + order.node_channel(channel.source));
                }
            }
        }
    }

    /// Calls `f(element, node)` for all nodes of a graph layer and the elements of its own network layer's output.
    pub fn for_each_own_element(&self, layer: usize, f: impl FnMut(usize, NodeId)) {
        self.for_each_element(layer, &ElementMap::whole(self.node_layers[layer].shape), f);
    }
}

/// The routes to the network's output, each with its graph layer.
fn output_routes(tensor: usize, view: &View) -> Vec<(usize, Route)> {
    view.contributions.iter().map(|contribution| (contribution.layer, contribution.route(tensor))).collect()
}
