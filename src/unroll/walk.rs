//! From network layers to graph layers: one pass in topological order that gives every tensor its view.

use super::axis::{Axis, AxisWindow};
use super::chain::Chains;
use super::linear::{ChannelOrder, Linear, Source};
use super::panel::{self, Kernel};
use super::trace::{self, Way};
use super::view::{Channel, View};
use super::weights::Weights;
use super::{Error, Options, ResidualRule, check, conv, dense, join, norm, pool};
use crate::graph::LayerKind;
use crate::net::{Layer, Network, Op, Pool, Shape};

/// Graph layers and the value store of a network.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// Graph layers in node order.
    pub linears: Vec<Linear>,
    /// The value store.
    pub values: Vec<f32>,
    /// The last network layer's output.
    pub output: Option<View>,
    options: Options,
    chains: Chains,
}

impl Walk {
    /// Visits all layers.
    pub fn new(net: &Network, options: Options) -> Result<Self, Error> {
        check::network(net)?;
        let chains = Chains::new(net, options.batch_norm);
        let mut walk = Self { linears: Vec::new(), values: Vec::new(), output: None, options, chains };
        let mut views: Vec<View> = Vec::with_capacity(net.layers.len());
        for (index, layer) in net.layers.iter().enumerate() {
            let inputs: Vec<&View> = layer.inputs.iter().map(|&input| &views[input]).collect();
            let view = walk.visit(index, layer, &inputs)?;
            check::shape(layer, view.outer_shape())?;
            views.push(view);
        }
        walk.output = views.pop();
        Ok(walk)
    }

    fn visit(&mut self, index: usize, layer: &Layer, inputs: &[&View]) -> Result<View, Error> {
        let rows = std::mem::take(&mut self.chains.row_factors[index]);
        match &layer.op {
            Op::Input => self.begin(index, layer, LayerKind::Input, layer.shape),
            Op::Conv(op) => {
                let input = unflattened(layer, inputs[0], "convolution")?;
                let weights = conv::weights(layer, op, input, &rows, &mut self.values)?;
                self.windowed(index, layer, input, weights)
            }
            Op::Dense(op) => {
                let weights = dense::weights(layer, op, inputs[0], &rows, &mut self.values)?;
                self.windowed(index, layer, inputs[0], weights)
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
            Op::Activation(op) if trace::switches_off(op) => Ok(inputs[0].clone().gated(index)),
            Op::Activation(_) | Op::Lrn(_) | Op::Softmax => Ok(inputs[0].clone()),
            Op::Flatten => Ok(inputs[0].clone().flatten()),
            Op::Shuffle { groups } => Ok(unflattened(layer, inputs[0], "channel shuffle")?.clone().shuffle(*groups)),
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
    fn windowed(&mut self, index: usize, layer: &Layer, input: &View, weights: Weights) -> Result<View, Error> {
        let view = self.begin(index, layer, weights.kind, layer.shape)?;
        self.attach(layer.inputs[0], input, &weights);
        let linear = self.linears.last_mut().expect("begin pushed it");
        (linear.params, linear.fan_in, linear.taps) = (weights.params, weights.fan_in, weights.taps);
        self.finish();
        Ok(view)
    }

    /// An addition with nodes of its own.
    fn addition(&mut self, index: usize, layer: &Layer, inputs: &[&View]) -> Result<View, Error> {
        let view = self.begin(index, layer, LayerKind::Add, inputs[0].shape)?;
        for (&tensor, input) in layer.inputs.iter().zip(inputs) {
            join::check_addend(&layer.name, inputs[0], input)?;
            let weights = pool::addend(layer, input, &mut self.values)?;
            self.attach(tensor, input, &weights);
        }
        self.finish();
        Ok(if inputs[0].flat { view.flatten() } else { view })
    }

    /// Numbers the nodes of a new graph layer.
    fn begin(&mut self, index: usize, layer: &Layer, kind: LayerKind, shape: Shape) -> Result<View, Error> {
        let end = |linear: &Linear| u64::from(linear.first) + linear.shape.len() as u64;
        let first = self.linears.last().map_or(0, end);
        let found = first + shape.len() as u64;
        if found >= u64::from(u32::MAX) {
            return Err(Error::TooManyNodes { layer: layer.name.clone(), found });
        }
        self.linears.push(Linear {
            name: layer.name.clone(),
            network: index,
            kind,
            shape,
            first: first as u32,
            order: ChannelOrder::shuffled(shape.c, self.chains.shuffle_groups[index]),
            sum_abs: 0.0,
            params: 0..0,
            fan_in: 0,
            taps: 0,
            sources: Vec::new(),
            readers: Vec::new(),
        });
        Ok(View::whole(self.linears.len() - 1, shape))
    }

    /// Puts the sources of the last graph layer in the order of summation, by layer, and tells them their reader.
    fn finish(&mut self) {
        let (reader, linears) = self.linears.split_last_mut().expect("begin pushed a layer");
        reader.sources.sort_by_key(|source| source.layer);
        for (index, source) in reader.sources.iter().enumerate() {
            let place = (linears.len(), index);
            linears[source.layer].readers.push(place);
        }
    }

    /// Lets the last graph layer read a view, that of network layer `tensor`.
    fn attach(&mut self, tensor: usize, input: &View, weights: &Weights) {
        let reader = self.linears.len() - 1;
        let Weights { kernel, window, .. } = weights;
        let column_sums = kernel.column_sums(&self.values);
        for piece in &input.pieces {
            let (rows, columns) = (&self.linears[reader], &self.linears[piece.layer]);
            let axes = [(0, rows.shape.h, columns.shape.h), (1, rows.shape.w, columns.shape.w)];
            let axes = axes.map(|(axis, n_out, n_source)| {
                let [kernel, stride, pad, dilation] =
                    [window.kernel, window.stride, window.pad, window.dilation].map(|sizes| sizes[axis]);
                Axis::new(AxisWindow { n_out, kernel, stride, pad, dilation }, piece.axes[axis], n_source)
            });
            let [inward, outward] = panel::panels(kernel, &piece.channels, rows.order, columns.order);
            let tap_strides = [kernel.tap_stride * kernel.taps[1] as u64, kernel.tap_stride];
            let sum_abs = sum_abs(kernel, &column_sums, &piece.channels, &axes);
            let way = Way { tensor, place: input.place(piece), gates: piece.gates.clone() };
            let source = Source { layer: piece.layer, axes, tap_strides, inward, outward, way };
            let linear = &mut self.linears[reader];
            linear.sum_abs += sum_abs;
            linear.sources.push(source);
        }
    }
}

/// `Σ|w|` over the edges of one piece: column sums times the number of positions where each tap is valid.
fn sum_abs(kernel: &Kernel, column_sums: &[f64], channels: &[Channel], [down, across]: &[Axis; 2]) -> f64 {
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
