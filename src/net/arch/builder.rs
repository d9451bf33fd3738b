//! Writes a [`Network`] layer by layer: each method appends one layer and gives back its index.
//!
//! Names: a layer with parameters has its PyTorch module path, which is also the prefix of its keys (`weight`, `bias`,
//! `running_mean`, `running_var`); a layer without parameters is named by its author or after its input (`….relu`).
use super::weights::Params;
use crate::net::{Activation, BatchNorm, Conv, Dense, Error, Layer, Lrn, Network, Op, Pool, PoolKind, Shape, Window};

/// Index of a layer in the network under construction.
pub(super) type At = usize;

/// A square convolution: stride 1, no padding, one group, no bias unless said otherwise.
#[derive(Clone, Copy)]
pub(super) struct ConvSpec {
    out: usize,
    window: Window,
    groups: usize,
    bias: bool,
}

/// A convolution to `out` channels with a `kernel` × `kernel` window.
pub(super) fn conv(out: usize, kernel: usize) -> ConvSpec {
    ConvSpec { out, window: square(kernel, 1, 0), groups: 1, bias: false }
}

impl ConvSpec {
    pub(super) fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride; 2];
        self
    }
    pub(super) fn pad(mut self, pad: usize) -> Self {
        self.window.pad = [pad; 2];
        self
    }
    pub(super) fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }
    pub(super) fn bias(mut self) -> Self {
        self.bias = true;
        self
    }
}

/// How the last, incomplete window of an axis is treated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    /// It is left out.
    Floor,
    /// It is kept if it starts inside the input or its leading padding (PyTorch's `ceil_mode`, Caffe).
    Ceil,
}

/// A square window.
pub(super) fn square(kernel: usize, stride: usize, pad: usize) -> Window {
    Window { kernel: [kernel; 2], stride: [stride; 2], pad: [pad; 2], dilation: [1; 2] }
}

/// A network under construction.
pub(super) struct Net {
    layers: Vec<Layer>,
    params: Params,
}

impl Net {
    /// A network that takes `input`.
    pub(super) fn new(params: Params, input: Shape) -> Self {
        let layer = Layer { name: "input".into(), op: Op::Input, inputs: Vec::new(), shape: input };
        Self { layers: vec![layer], params }
    }

    /// The finished network.
    pub(super) fn finish(self, name: &str) -> Network {
        Network { name: name.into(), layers: self.layers, warnings: self.params.warnings() }
    }

    /// Shape of a layer's output.
    pub(super) fn shape(&self, at: At) -> Shape {
        self.layers[at].shape
    }

    /// Appends a layer.
    pub(super) fn push(&mut self, name: impl Into<String>, op: Op, inputs: &[At], shape: Shape) -> At {
        self.layers.push(Layer { name: name.into(), op, inputs: inputs.into(), shape });
        self.layers.len() - 1
    }

    /// Appends a layer of its input's shape, named after it.
    fn push_like(&mut self, suffix: &str, op: Op, x: At) -> At {
        let name = format!("{}.{suffix}", self.layers[x].name);
        self.push(name, op, &[x], self.shape(x))
    }

    pub(super) fn conv(&mut self, name: &str, x: At, spec: ConvSpec) -> Result<At, Error> {
        let ConvSpec { out, window, groups, bias } = spec;
        let input = self.shape(x);
        let [h, w] = output_size(name, input, window, Rounding::Floor)?;
        let [kh, kw] = window.kernel;
        let weight = self.params.weight(name, &[out, input.c / groups, kh, kw])?;
        let bias = if bias { Some(self.params.per_channel(name, "bias", out, 0.0)?) } else { None };
        let op = Op::Conv(Conv { weight, bias, window, groups });
        Ok(self.push(name, op, &[x], Shape::new(out, h, w)))
    }

    pub(super) fn conv_relu(&mut self, name: &str, x: At, spec: ConvSpec) -> Result<At, Error> {
        let x = self.conv(name, x, spec)?;
        Ok(self.relu(x))
    }

    /// A convolution and its batch normalisation, with PyTorch's ε.
    pub(super) fn conv_bn(&mut self, [name, norm]: [&str; 2], x: At, spec: ConvSpec) -> Result<At, Error> {
        let x = self.conv(name, x, spec)?;
        self.batch_norm(norm, x, 1e-5)
    }

    pub(super) fn conv_bn_relu(&mut self, names: [&str; 2], x: At, spec: ConvSpec) -> Result<At, Error> {
        let x = self.conv_bn(names, x, spec)?;
        Ok(self.relu(x))
    }

    /// A dense layer with bias. The architecture fixes how many inputs it has.
    pub(super) fn dense(&mut self, name: &str, x: At, [n_in, n_out]: [usize; 2]) -> Result<At, Error> {
        let input = self.shape(x);
        if input.len() != n_in {
            return Err(Error::misfit(
                name,
                format!("{input} = {} inputs", input.len()),
                format!("{n_in} (choose another input size)"),
            ));
        }
        let x = self.flatten(x);
        let weight = self.params.weight(name, &[n_out, n_in])?;
        let bias = Some(self.params.per_channel(name, "bias", n_out, 0.0)?);
        Ok(self.push(name, Op::Dense(Dense { weight, bias }), &[x], Shape::new(n_out, 1, 1)))
    }

    /// Nothing if the tensor is flat already.
    pub(super) fn flatten(&mut self, x: At) -> At {
        let shape = self.shape(x);
        if [shape.h, shape.w] == [1, 1] {
            return x;
        }
        let name = format!("{}.flatten", self.layers[x].name);
        self.push(name, Op::Flatten, &[x], Shape::new(shape.len(), 1, 1))
    }

    pub(super) fn relu(&mut self, x: At) -> At {
        self.push_like("relu", Op::Activation(Activation::Relu), x)
    }

    /// Local response normalisation with AlexNet's constants.
    pub(super) fn lrn(&mut self, x: At) -> At {
        self.push_like("lrn", Op::Lrn(Lrn { size: 5, alpha: 1e-4, beta: 0.75, bias: 1.0 }), x)
    }

    pub(super) fn batch_norm(&mut self, name: &str, x: At, epsilon: f32) -> Result<At, Error> {
        let shape = self.shape(x);
        let mut read = |tensor, start| self.params.per_channel(name, tensor, shape.c, start);
        let (gamma, beta) = (read("weight", 1.0)?, read("bias", 0.0)?);
        let (mean, var) = (read("running_mean", 0.0)?, read("running_var", 1.0)?);
        if let Some(i) = var.iter().position(|v| *v < 0.0) {
            return Err(Error::misfit(
                name,
                format!("`running_var`, element {i}, is {}", var[i]),
                "a variance, at least 0",
            ));
        }
        Ok(self.push(name, Op::BatchNorm(BatchNorm { gamma, beta, mean, var, epsilon }), &[x], shape))
    }

    pub(super) fn max_pool(&mut self, name: &str, x: At, window: Window, rounding: Rounding) -> Result<At, Error> {
        self.pool(name, x, Pool { kind: PoolKind::Max, window }, rounding)
    }

    /// Nothing if the window is a single element at stride 1.
    pub(super) fn pool(&mut self, name: &str, x: At, pool: Pool, rounding: Rounding) -> Result<At, Error> {
        let input = self.shape(x);
        let [h, w] = output_size(name, input, pool.window, rounding)?;
        if pool.window.kernel == [1, 1] && [h, w] == [input.h, input.w] {
            return Ok(x);
        }
        Ok(self.push(name, Op::Pool(pool), &[x], Shape::new(input.c, h, w)))
    }

    /// Average pooling to `size`, as PyTorch's `AdaptiveAvgPool2d`; an error where its windows are not all alike.
    pub(super) fn adaptive_average(&mut self, name: &str, x: At, size: [usize; 2]) -> Result<At, Error> {
        let input = self.shape(x);
        let axes = (adaptive_axis(input.h, size[0]), adaptive_axis(input.w, size[1]));
        let (Some((kh, sh)), Some((kw, sw))) = axes else {
            return Err(Error::misfit(
                name,
                format!("{input} to be averaged to {}×{} in unequal windows", size[0], size[1]),
                "an input size for which the windows are equal (a multiple, or the default)",
            ));
        };
        let window = Window { kernel: [kh, kw], stride: [sh, sw], pad: [0; 2], dilation: [1; 2] };
        self.pool(name, x, Pool { kind: PoolKind::Average, window }, Rounding::Floor)
    }

    pub(super) fn concat(&mut self, name: &str, parts: &[At]) -> At {
        let channels = parts.iter().map(|&part| self.shape(part).c).sum();
        let Shape { h, w, .. } = self.shape(parts[0]);
        debug_assert!(parts.iter().all(|&part| (self.shape(part).h, self.shape(part).w) == (h, w)));
        self.push(name, Op::Concat, parts, Shape::new(channels, h, w))
    }

    /// A sum of two tensors, then ReLU.
    pub(super) fn add_relu(&mut self, name: &str, x: At, y: At) -> At {
        debug_assert_eq!(self.shape(x), self.shape(y));
        let sum = self.push(name, Op::Add, &[x, y], self.shape(x));
        self.relu(sum)
    }

    pub(super) fn shuffle(&mut self, x: At, groups: usize) -> At {
        self.push_like("shuffle", Op::Shuffle { groups }, x)
    }
}

/// Output height and width of a sliding window.
fn output_size(layer: &str, input: Shape, window: Window, rounding: Rounding) -> Result<[usize; 2], Error> {
    let axis = |n, i: usize| windows(n, [window.kernel[i], window.stride[i], window.pad[i]], rounding);
    match (axis(input.h, 0), axis(input.w, 1)) {
        (Some(h), Some(w)) => Ok([h, w]),
        _ => Err(Error::misfit(
            layer,
            format!("an input of {input}, smaller than the {}×{} window", window.kernel[0], window.kernel[1]),
            "a larger input size",
        )),
    }
}

/// Number of windows along an axis of `n` elements; `None` if not even one fits.
fn windows(n: usize, [kernel, stride, pad]: [usize; 3], rounding: Rounding) -> Option<usize> {
    let room = (n + 2 * pad).checked_sub(kernel)?;
    if rounding == Rounding::Floor {
        return Some(room / stride + 1);
    }
    let last = room.div_ceil(stride);
    let starts_inside = last * stride < n + pad;
    Some(if starts_inside { last + 1 } else { last })
}

/// `(kernel, stride)` of adaptive pooling from `n` to `size` elements (window i covers `⌊i·n/size⌋ .. ⌈(i+1)·n/size⌉`),
/// or `None` where the windows differ.
fn adaptive_axis(n: usize, size: usize) -> Option<(usize, usize)> {
    let begin = |i: usize| i * n / size;
    let kernel = n.div_ceil(size);
    let stride = if size == 1 { 1 } else { begin(1) };
    let regular = (0..size).all(|i| begin(i) == i * stride && ((i + 1) * n).div_ceil(size) == begin(i) + kernel);
    (stride > 0 && regular).then_some((kernel, stride))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ceil_mode_keeps_a_window_only_if_it_starts_inside() {
        assert_eq!(windows(113, [3, 2, 0], Rounding::Ceil), Some(56));
        assert_eq!(windows(112, [3, 2, 0], Rounding::Floor), Some(55));
        assert_eq!(windows(112, [3, 2, 0], Rounding::Ceil), Some(56));
        assert_eq!(windows(14, [3, 1, 1], Rounding::Ceil), Some(14));
        assert_eq!(windows(2, [1, 2, 0], Rounding::Ceil), Some(1));
        assert_eq!(windows(2, [3, 1, 0], Rounding::Ceil), None);
    }

    #[test]
    fn adaptive_pooling_is_a_window_or_nothing() {
        assert_eq!(adaptive_axis(6, 6), Some((1, 1)));
        assert_eq!(adaptive_axis(12, 6), Some((2, 2)));
        assert_eq!(adaptive_axis(7, 1), Some((7, 1)));
        assert_eq!(adaptive_axis(7, 6), Some((2, 1)));
        assert_eq!(adaptive_axis(8, 6), None);
        assert_eq!(adaptive_axis(3, 6), None);
    }
}
