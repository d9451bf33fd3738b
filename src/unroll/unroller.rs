//! From network layers to graph layers: one pass in topological order that gives every tensor its view.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::axis::{AxisTaps, AxisWindow};
use super::chain::Chains;
use super::channel_order::ChannelOrder;
use super::channel_pairs::ChannelPairs;
use super::element_map::{AxisMap, Channel, ElementMap};
use super::filter::{Filter, StoredKernel};
use super::limits::Used;
use super::node_layer::{Connection, NodeLayer};
use super::view::{Contribution, View};
use super::{Error, Options, ResidualRule, channel_pairs, check, conv, dense, filter, frames, join, norm, pool, route};
use crate::graph::{LayerKind, Totals};
use crate::net::{Layer, Network, Op, Pool, Shape, Window};

/// Graph layers and the value store of a network.
#[derive(Clone, Debug, Default)]
pub(super) struct Unroller {
    /// Graph layers in node order.
    pub node_layers: Vec<NodeLayer>,
    /// The value store.
    pub values: Vec<f32>,
    /// The last network layer's output.
    pub output: Option<View>,
    options: Options,
    chains: Chains,
    used: Used,
    /// Places of whole layers, by shape.
    wholes: HashMap<Shape, Arc<ElementMap>>,
    /// Windows over views along an axis, which layers of one shape have in common.
    axes: HashMap<(AxisWindow, AxisMap, usize), Arc<AxisTaps>>,
}

impl Unroller {
    /// Visits all layers.
    pub fn new(net: &Network, options: Options) -> Result<Self, Error> {
        check::network(net)?;
        let mut unroller = Self { options, chains: Chains::new(net, options.batch_norm), ..Self::default() };
        let last_reader = last_readers(net);
        let mut views: Vec<Option<View>> = Vec::with_capacity(net.layers.len());
        for (index, layer) in net.layers.iter().enumerate() {
            let inputs: Vec<&View> = layer
                .inputs
                .iter()
                .map(|&input| views[input].as_ref().expect("this layer has yet to read it"))
                .collect();
            let view = unroller.visit(index, layer, &inputs)?;
            check::shape(layer, view.outer_shape())?;
            unroller.used.view(&layer.name, &view, moves_elements(&layer.op))?;
            layer.inputs.iter().filter(|&&input| last_reader[input] == index).for_each(|&input| views[input] = None);
            views.push(Some(view));
        }
        unroller.output = views.pop().flatten();
        Ok(unroller)
    }

    /// A tensor of shape `input` and one layer that reads it whole, without values and their sums.
    pub fn alone(layer: &Layer, input: Shape) -> Result<[NodeLayer; 2], Error> {
        let mut unroller = Self { chains: Chains::none(2), ..Self::default() };
        let view = unroller.begin(0, layer, LayerKind::Input, input)?;
        let weights = match &layer.op {
            Op::Conv(op) => conv::filter(layer, op, input, 0)?,
            Op::Dense(op) => dense::filter(layer, op, input, 0)?,
            op => unreachable!("{op:?} has no parameters"),
        };
        unroller.begin(1, layer, weights.kind, layer.shape)?;
        let connection = unroller.connect(0, &view.contributions[0], &weights, &mut HashMap::new())?;
        unroller.node_layers[1].connections.push(connection);
        let n_nodes = (input.len() + layer.shape.len()) as u32;
        check::density(Totals { n_nodes, n_edges: frames::edges_in(&unroller.node_layers, 1), sum_abs: 0.0 })?;
        let [columns, rows] = <[NodeLayer; 2]>::try_from(unroller.node_layers).expect("two layers have begun");
        Ok([columns, rows])
    }

    fn visit(&mut self, index: usize, layer: &Layer, inputs: &[&View]) -> Result<View, Error> {
        let rows = std::mem::take(&mut self.chains.row_factors[index]);
        match &layer.op {
            Op::Input => self.begin(index, layer, LayerKind::Input, layer.shape),
            Op::Conv(op) => {
                let input = unflattened(layer, inputs[0], "convolution")?;
                let weights = conv::filter(layer, op, input.shape, self.values.len() as u64)?;
                filter::store(&mut self.values, &op.weight, &weights, [&rows, &filter::column_factors(layer, input)?]);
                self.windowed(index, layer, input, weights)
            }
            Op::Dense(op) => {
                let input = inputs[0];
                let weights = dense::filter(layer, op, input.shape, self.values.len() as u64)?;
                filter::store(&mut self.values, &op.weight, &weights, [&rows, &filter::column_factors(layer, input)?]);
                self.windowed(index, layer, input, weights)
            }
            Op::Pool(op) if pool::is_slice(op, inputs[0].outer_shape(), layer.shape) => sliced(layer, op, inputs[0]),
            Op::Pool(op) => {
                let input = unflattened(layer, inputs[0], "pooling")?;
                let weights = pool::weights(layer, op, input, &rows, &mut self.values)?;
                self.windowed(index, layer, input, weights)
            }
            Op::Add if self.options.residual == ResidualRule::Node => self.addition(index, layer, inputs),
            Op::Add => join::add(&layer.name, inputs),
            Op::Concat => join::concat(&layer.name, inputs),
            Op::BatchNorm(_) | Op::Scale(_) => self.normalised(index, layer, inputs[0]),
            Op::Activation(op) if route::switches_off(op) => Ok(inputs[0].clone().gated(index)),
            Op::Activation(_) | Op::Lrn(_) | Op::Softmax => Ok(inputs[0].clone()),
            Op::Flatten => Ok(inputs[0].clone().flatten()),
            Op::Shuffle { groups } => {
                join::check_contributions(&layer.name, inputs[0].n_contributions_without_pixels())?;
                Ok(inputs[0].clone().without_pixels().shuffle(*groups))
            }
            Op::Slice { begin, step } => {
                Ok(unflattened(layer, inputs[0], "slicing")?.clone().slice(*begin, *step, layer.shape))
            }
            Op::Pad { before } => Ok(unflattened(layer, inputs[0], "padding")?.clone().pad(*before, layer.shape)),
        }
    }

    fn normalised(&self, index: usize, layer: &Layer, input: &View) -> Result<View, Error> {
        match norm::factors(&layer.op, self.options.batch_norm) {
            Some(factors) if !self.chains.in_rows[index] => {
                Ok(unflattened(layer, input, "batch normalisation or scaling")?.clone().scale(&factors))
            }
            _ => Ok(input.clone()),
        }
    }

    /// A convolution, dense layer or pool.
    fn windowed(&mut self, index: usize, layer: &Layer, input: &View, weights: Filter) -> Result<View, Error> {
        let view = self.begin(index, layer, weights.kind, layer.shape)?;
        self.attach(layer.inputs[0], input, &weights)?;
        let node_layer = self.node_layers.last_mut().expect("begin pushed it");
        (node_layer.params, node_layer.param_order, node_layer.taps) = (weights.params, weights.order, weights.taps);
        self.finish();
        Ok(view)
    }

    /// An addition with nodes of its own.
    fn addition(&mut self, index: usize, layer: &Layer, inputs: &[&View]) -> Result<View, Error> {
        let view = self.begin(index, layer, LayerKind::Add, inputs[0].shape)?;
        for (&tensor, input) in layer.inputs.iter().zip(inputs) {
            join::check_addend(&layer.name, inputs[0], input)?;
            let weights = pool::addend(layer, input, &mut self.values)?;
            self.attach(tensor, input, &weights)?;
        }
        self.finish();
        Ok(if inputs[0].flat { view.flatten() } else { view })
    }

    /// Numbers the nodes of a new graph layer.
    fn begin(&mut self, index: usize, layer: &Layer, kind: LayerKind, shape: Shape) -> Result<View, Error> {
        let end = |node_layer: &NodeLayer| u64::from(node_layer.first) + node_layer.shape.len() as u64;
        let first = self.node_layers.last().map_or(0, end);
        let found = first + shape.len() as u64;
        if found >= u64::from(u32::MAX) {
            return Err(Error::TooManyNodes { layer: layer.name.clone(), found });
        }
        self.node_layers.push(NodeLayer {
            name: layer.name.clone(),
            network: index,
            kind,
            shape,
            first: first as u32,
            order: ChannelOrder::shuffled(shape.c, self.chains.shuffle_groups[index]),
            sum_abs: 0.0,
            params: 0..0,
            param_order: None,
            taps: 0,
            connections: Vec::new(),
            readers: Vec::new(),
        });
        self.used.channels(&layer.name, shape.c as u64)?;
        let elements = self.wholes.entry(shape).or_insert_with(|| Arc::new(ElementMap::whole(shape)));
        Ok(View::whole(self.node_layers.len() - 1, Arc::clone(elements)))
    }

    /// Puts the connections of the last graph layer in the order of summation, by layer, and tells them their reader.
    fn finish(&mut self) {
        let (reader, node_layers) = self.node_layers.split_last_mut().expect("begin pushed a layer");
        reader.connections.sort_by_key(|connection| connection.layer);
        for (index, connection) in reader.connections.iter().enumerate() {
            let here = (node_layers.len(), index);
            node_layers[connection.layer].readers.push(here);
        }
    }

    /// Lets the last graph layer read a view, that of network layer `tensor`.
    fn attach(&mut self, tensor: usize, input: &View, weights: &Filter) -> Result<(), Error> {
        let column_sums = weights.kernel.column_sums(&self.values);
        let mut known = HashMap::new();
        // An addend that occurs twice is read twice: its edges are there twice, with the same weights.
        for contribution in &input.contributions {
            let connection = self.connect(tensor, contribution, weights, &mut known)?;
            let sum_abs = sum_abs(&weights.kernel, &column_sums, &contribution.elements.channels, &connection.axes);
            let node_layer = self.node_layers.last_mut().expect("a layer has begun");
            for _ in 0..contribution.count {
                node_layer.sum_abs += sum_abs;
                node_layer.connections.push(connection.clone());
            }
        }
        Ok(())
    }

    /// What the last graph layer reads of one contribution; `known` are the pairs of channels of the contributions before.
    fn connect(
        &mut self,
        tensor: usize,
        contribution: &Contribution,
        weights: &Filter,
        known: &mut KnownPairs,
    ) -> Result<Connection, Error> {
        let Filter { kernel, window, .. } = weights;
        let axes = [self.axis(0, window, contribution)?, self.axis(1, window, contribution)?];
        let reader = &self.node_layers[self.node_layers.len() - 1];
        let (rows, columns) = (reader.order, self.node_layers[contribution.layer].order);
        let channels = &contribution.elements.channels;
        // Contributions to a sum lie alike. A thousand addends of a residual network share one list of pairs, told by the
        // address of their channels.
        let pairs = match known.entry((channels.as_ptr().addr(), columns)) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(new) => {
                let pairs = channel_pairs::pairs(kernel, channels, rows, columns);
                self.used.pairs(&reader.name, &pairs)?;
                Arc::clone(new.insert(Arc::new(pairs)))
            }
        };
        let tap_strides = [kernel.tap_stride * kernel.taps[1] as u64, kernel.tap_stride];
        let connection =
            Connection { layer: contribution.layer, axes, tap_strides, pairs, route: contribution.route(tensor) };
        self.used.connection(&reader.name, &connection, contribution.count)?;
        self.used.edges(&reader.name, &connection, contribution.count)?;
        Ok(connection)
    }

    /// The window of the last graph layer over a contribution, along one axis.
    fn axis(&mut self, axis: usize, window: &Window, contribution: &Contribution) -> Result<Arc<AxisTaps>, Error> {
        let reader = &self.node_layers[self.node_layers.len() - 1];
        let side = |shape: Shape| [shape.h, shape.w][axis];
        let (n_out, n_source) = (side(reader.shape), side(self.node_layers[contribution.layer].shape));
        let [kernel, stride, pad, dilation] =
            [window.kernel, window.stride, window.pad, window.dilation].map(|sizes| sizes[axis]);
        let key = (AxisWindow { n_out, kernel, stride, pad, dilation }, contribution.elements.axes[axis], n_source);
        if let Some(known) = self.axes.get(&key) {
            return Ok(Arc::clone(known));
        }
        self.used.axis(&reader.name, n_out as u64, kernel as u64)?;
        self.used.axis(&reader.name, n_source as u64, 1)?;
        let new = Arc::new(AxisTaps::new(key.0, key.1, n_source));
        self.axes.insert(key, Arc::clone(&new));
        Ok(new)
    }
}

/// Panels of one reader, by the list of channels and the order of the nodes that they are of: contributions share them.
type KnownPairs = HashMap<(usize, ChannelOrder), Arc<[Vec<ChannelPairs>; 2]>>;

/// The last layer that reads each; views are forgotten after it.
fn last_readers(net: &Network) -> Vec<usize> {
    let mut last = vec![usize::MAX; net.layers.len()];
    for (reader, layer) in net.layers.iter().enumerate() {
        layer.inputs.iter().for_each(|&input| last[input] = reader);
    }
    last
}

/// True for operators without nodes that put elements elsewhere, or have factors.
fn moves_elements(op: &Op) -> bool {
    matches!(
        op,
        Op::Concat
            | Op::Shuffle { .. }
            | Op::Slice { .. }
            | Op::Pad { .. }
            | Op::BatchNorm(_)
            | Op::Scale(_)
            | Op::Pool(_)
    )
}

/// `Σ|w|` over the edges of one contribution: column sums times the number of positions where each tap is valid.
fn sum_abs(
    kernel: &StoredKernel,
    column_sums: &[f64],
    channels: &[Channel],
    [down, across]: &[Arc<AxisTaps>; 2],
) -> f64 {
    let mut counts: Vec<u64> = vec![down.tap_counts.iter().sum::<u64>() * across.tap_counts.iter().sum::<u64>()];
    if kernel.tap_stride != 0 {
        counts = down.tap_counts.iter().flat_map(|y| across.tap_counts.iter().map(move |x| y * x)).collect();
    }
    let sums = column_sums.chunks_exact(column_sums.len() / counts.len());
    sums.zip(counts)
        .map(|(sums, count)| channels.iter().map(|c| sums[c.tensor as usize]).sum::<f64>() * count as f64)
        .sum()
}

/// What a pool over single elements leaves of its input.
fn sliced(layer: &Layer, op: &Pool, input: &View) -> Result<View, Error> {
    if layer.shape == input.outer_shape() {
        return Ok(input.clone());
    }
    let [down, across] = op.window.stride;
    Ok(unflattened(layer, input, "pooling")?.clone().slice([0; 3], [1, down, across], layer.shape))
}

fn unflattened<'a>(layer: &Layer, view: &'a View, op: &'static str) -> Result<&'a View, Error> {
    match view.flat {
        false => Ok(view),
        true => Err(Error::Flattened { layer: layer.name.clone(), op, origin: view.shape }),
    }
}
