//! Networks built by hand, layer by layer.

use crate::net::{Activation, BatchNorm, Conv, Dense, Layer, Network, Op, Pool, PoolKind, Scale, Shape, Window};
use crate::unroll::{BatchNormRule, Options, ResidualRule};

/// A network under construction; every method appends a layer and returns its index.
#[derive(Default)]
pub(crate) struct NetworkBuilder {
    pub layers: Vec<Layer>,
}

impl NetworkBuilder {
    pub fn input(c: usize, h: usize, w: usize) -> Self {
        let mut build = Self::default();
        build.push(Op::Input, &[], Shape::new(c, h, w));
        build
    }
    pub fn push(&mut self, op: Op, inputs: &[usize], shape: Shape) -> usize {
        let name = format!("layer{}", self.layers.len());
        self.layers.push(Layer { name, op, inputs: inputs.to_vec(), shape });
        self.layers.len() - 1
    }
    pub fn shape(&self, layer: usize) -> Shape {
        self.layers[layer].shape
    }
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }
    /// Convolution with `out` channels; weights are distinct integers of both signs.
    pub fn conv(&mut self, input: usize, out: usize, window: Window, groups: usize) -> usize {
        let from = self.shape(input);
        let [h, w] = output_size(from, &window, Round::Down);
        self.conv_to(input, Shape::new(out, h, w), window, groups)
    }
    pub fn conv_to(&mut self, input: usize, shape: Shape, window: Window, groups: usize) -> usize {
        let n = shape.c * self.shape(input).c / groups * window.kernel[0] * window.kernel[1];
        let op = Conv { weight: self.weights(n), bias: None, window, groups };
        self.push(Op::Conv(op), &[input], shape)
    }
    pub fn dense(&mut self, input: usize, out: usize) -> usize {
        let weight = self.weights(out * self.shape(input).len());
        self.push(Op::Dense(Dense { weight, bias: None }), &[input], Shape::new(out, 1, 1))
    }
    pub fn pool(&mut self, input: usize, kind: PoolKind, window: Window, round: Round) -> usize {
        let from = self.shape(input);
        let [h, w] = output_size(from, &window, round);
        self.push(Op::Pool(Pool { kind, window }), &[input], Shape { h, w, ..from })
    }
    pub fn global_pool(&mut self, input: usize) -> usize {
        let Shape { h, w, .. } = self.shape(input);
        self.pool(input, PoolKind::Average, Window { kernel: [h, w], ..window(1, 1, 0) }, Round::Down)
    }
    pub fn same(&mut self, op: Op, input: usize) -> usize {
        self.push(op, &[input], self.shape(input))
    }
    pub fn relu(&mut self, input: usize) -> usize {
        self.same(Op::Activation(Activation::Relu), input)
    }
    /// Batch normalisation with γ of both signs, all factors powers of two.
    pub fn norm(&mut self, input: usize) -> usize {
        let c = self.shape(input).c;
        let seed = self.layers.len();
        let gamma = (0..c).map(|i| [1.0, -2.0, 0.5, -1.0, 4.0][(i + seed) % 5]).collect();
        let var = (0..c).map(|i| [1.0, 4.0, 0.25][(i * seed) % 3]).collect();
        let norm = BatchNorm { gamma, beta: vec![0.5; c], mean: vec![0.0; c], var, epsilon: 0.0 };
        self.same(Op::BatchNorm(norm), input)
    }
    pub fn scale(&mut self, input: usize) -> usize {
        let c = self.shape(input).c;
        let mul = (0..c).map(|i| [2.0, -1.0][i % 2]).collect();
        self.same(Op::Scale(Scale { mul, add: vec![0.0; c] }), input)
    }
    pub fn shuffle(&mut self, input: usize, groups: usize) -> usize {
        self.same(Op::Shuffle { groups }, input)
    }
    pub fn add(&mut self, inputs: &[usize]) -> usize {
        self.push(Op::Add, inputs, self.shape(inputs[0]))
    }
    pub fn concat(&mut self, inputs: &[usize]) -> usize {
        let c = inputs.iter().map(|&input| self.shape(input).c).sum();
        self.push(Op::Concat, inputs, Shape { c, ..self.shape(inputs[0]) })
    }
    pub fn flatten(&mut self, input: usize) -> usize {
        self.push(Op::Flatten, &[input], Shape::new(self.shape(input).len(), 1, 1))
    }
    pub fn slice(&mut self, input: usize, begin: [usize; 3], step: [usize; 3], shape: Shape) -> usize {
        self.push(Op::Slice { begin, step }, &[input], shape)
    }
    pub fn pad(&mut self, input: usize, before: [usize; 3], shape: Shape) -> usize {
        self.push(Op::Pad { before }, &[input], shape)
    }
    pub fn net(self) -> Network {
        Network { name: "test".into(), layers: self.layers, warnings: Vec::new() }
    }

    fn weights(&self, n: usize) -> Vec<f32> {
        let seed = self.layers.len();
        (0..n).map(|i| (i + 1) as f32 * if (i * 7 + seed).is_multiple_of(3) { -1.0 } else { 1.0 }).collect()
    }
}

/// What happens to a last window that does not fit.
#[derive(Clone, Copy)]
pub(crate) enum Round {
    Down,
    Up,
}

fn output_size(from: Shape, window: &Window, round: Round) -> [usize; 2] {
    [0, 1].map(|axis| {
        let n = [from.h, from.w][axis] + 2 * window.pad[axis];
        let span = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
        let steps = n.saturating_sub(span);
        match round {
            Round::Down => steps / window.stride[axis] + 1,
            Round::Up => steps.div_ceil(window.stride[axis]) + 1,
        }
    })
}

/// A square window.
pub(crate) fn window(kernel: usize, stride: usize, pad: usize) -> Window {
    Window { kernel: [kernel; 2], stride: [stride; 2], pad: [pad; 2], dilation: [1, 1] }
}

/// All combinations of rules.
pub(crate) fn all_options() -> impl Iterator<Item = Options> {
    [BatchNormRule::Ignore, BatchNormRule::Sign, BatchNormRule::Fold].into_iter().flat_map(|batch_norm| {
        [ResidualRule::Expand, ResidualRule::Node].map(|residual| Options { batch_norm, residual })
    })
}
