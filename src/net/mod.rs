//! INPUT: a convolutional network as plain data.
//!
//! [`Network`] is a list of layers in topological order. Every reader ([`onnx`], [`arch`]) produces one, and
//! everything downstream (the edges, the null models, the forward pass) reads it. Nothing here knows about graphs: a layer
//! here is an operation and the tensor it computes, and only some of them become layers of the graph.
//!
//! ```text
//! layers[0] Input      3×4×4  ──┬──────────────╮            a residual block, as data: every layer says which
//! layers[1] Conv       3×4×4  ◀─╯  inputs [0]  │            earlier ones it reads
//! layers[2] Activation 3×4×4       inputs [1]  │
//! layers[3] Add        3×4×4  ◀────────────────╯  inputs [2, 0]
//! ```
//!
//! ```
//! use frustration::net::arch::{Init, WeightSource, build};
//! use frustration::net::{Op, Shape};
//!
//! let net = build("digits", WeightSource::Init { scheme: Init::He, seed: 1 }, None)?;
//! assert_eq!(net.layers[0].shape, Shape::new(1, 16, 16));
//! let convolutions = net.layers.iter().filter(|layer| matches!(layer.op, Op::Conv(_)));
//! assert!(convolutions.count() > 0 && net.layers[1].inputs == [0]);
//! # Ok::<(), frustration::net::Error>(())
//! ```
//!
//! Conventions: a tensor has [`Shape`] channels × height × width for one image (the batch axis is gone); a flat
//! vector of `n` values is `n × 1 × 1`; elements are numbered channel-major (`c`, `y`, `x`), as in ONNX and PyTorch.
//! Identity, Dropout and other operators that change neither values nor shape are removed by the readers.

pub mod arch;
mod error;
mod half;
pub mod onnx;

pub use error::Error;

/// Channels, height and width of one image's tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels.
    pub c: usize,
    /// Rows of pixels.
    pub h: usize,
    /// Columns of pixels.
    pub w: usize,
}

impl Shape {
    /// A tensor of `c` channels with `h` × `w` pixels.
    pub fn new(c: usize, h: usize, w: usize) -> Self {
        Self { c, h, w }
    }
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.c * self.h * self.w
    }
    /// True if the tensor has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}×{}×{}", self.c, self.h, self.w)
    }
}

/// A network: its layers in topological order. Layer 0 is the input; the last layer is the output.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// A name for people: the file's stem or the architecture.
    pub name: String,
    /// The layers; `layers[i].inputs` are all smaller than `i`.
    pub layers: Vec<Layer>,
    /// Things the reader noticed that a person should know, one line each.
    pub warnings: Vec<String>,
}

/// One operation and the tensor it produces.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The name in the model file, or the PyTorch module path; unique within the network.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Indices of the layers whose outputs it reads, in order.
    pub inputs: Vec<usize>,
    /// Shape of its output.
    pub shape: Shape,
}

/// What a layer computes from its inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The image; has no inputs.
    Input,
    /// Convolution, grouped or not.
    Conv(Conv),
    /// Fully connected: `W · flat(input) + b`, the input flattened channel-major.
    Dense(Dense),
    /// Max or average pooling; global pooling has the input's size as its window.
    Pool(Pool),
    /// A monotone elementwise function.
    Activation(Activation),
    /// Batch normalisation with fixed statistics.
    BatchNorm(BatchNorm),
    /// Local response normalisation across channels.
    Lrn(Lrn),
    /// `x · mul[c] + add`, from Mul/Add/Sub/Div by constants.
    Scale(Scale),
    /// Concatenation along channels, any number of inputs.
    Concat,
    /// Sum of two or more inputs of one shape.
    Add,
    /// Channel-major flattening to `c·h·w × 1 × 1` (also Reshape and Squeeze that do the same).
    Flatten,
    /// Channel shuffle: reshape to `groups × m`, transpose, flatten. Output channel `j · groups + i` is input channel `i · m + j`.
    Shuffle {
        /// Number of groups in the input's channel order.
        groups: usize,
    },
    /// Regular sub-sampling, as in option-A shortcuts: per axis (c, h, w) the elements `begin + k·step`, `k < output length`.
    Slice {
        /// First element per axis.
        begin: [usize; 3],
        /// Stride per axis, at least 1.
        step: [usize; 3],
    },
    /// Zero padding: per axis (c, h, w) that many zeros before the input; those after follow from the shapes.
    Pad {
        /// Zeros before the first element per axis.
        before: [usize; 3],
    },
    /// Softmax over channels; only as the last layer.
    Softmax,
}

/// Convolution parameters. `weight` is `[out][in / groups][kernel h][kernel w]`, as in ONNX and PyTorch.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// Kernel values, `out · in/groups · kh · kw` of them, all finite.
    pub weight: Vec<f32>,
    /// One value per output channel, or none.
    pub bias: Option<Vec<f32>>,
    /// The sliding window; `count_include_pad` has no meaning here.
    pub window: Window,
    /// Groups; divides both channel counts.
    pub groups: usize,
}

/// Dense layer. `weight` is `[out][in]`, the input in channel-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Weights, all finite.
    pub weight: Vec<f32>,
    /// One value per output, or none.
    pub bias: Option<Vec<f32>>,
}

/// Pooling over a window, channel by channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Maximum or average.
    pub kind: PoolKind,
    /// The sliding window. Elements outside the input (padding, ceil mode) are not part of the pool, except that
    /// [`PoolKind::AverageWithPad`] counts padding as zeros; padding is never an edge.
    pub window: Window,
}

/// What a pooling layer takes over its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest element.
    Max,
    /// The mean of the valid elements.
    Average,
    /// The mean of the valid elements and of the padding, which counts as zeros (`count_include_pad`). What lies beyond the
    /// padding, in ceil mode, does not count.
    AverageWithPad {
        /// Padding below and to the right.
        after: [usize; 2],
    },
}

/// A sliding window: `[vertical, horizontal]` everywhere. The output size is the layer's shape (so that ceil mode and
/// asymmetric padding need no further fields); only the padding before the first element is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Window size in taps.
    pub kernel: [usize; 2],
    /// Step between output elements.
    pub stride: [usize; 2],
    /// Padding above and to the left; output (y, x), tap (i, j) reads input `y·stride + i·dilation − pad`.
    pub pad: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
}

/// Monotone non-decreasing elementwise functions.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x` if positive, else `slope · x`, slope ≥ 0 (LeakyRelu).
    LeakyRelu(f32),
    /// `x` if positive, else `slope[c] · x`, slopes ≥ 0 (PRelu).
    PRelu(Vec<f32>),
    /// `min(max(x, low), high)`.
    Clip(f32, f32),
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `max(0, min(1, alpha · x + beta))`, alpha ≥ 0.
    HardSigmoid(f32, f32),
    /// `x` if positive, else `alpha · (eˣ − 1)`, alpha ≥ 0.
    Elu(f32),
    /// `gamma · (x if positive, else alpha · (eˣ − 1))`: gamma, then alpha.
    Selu(f32, f32),
    /// `ln(1 + eˣ)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
}

/// Batch normalisation at inference: `(x − mean) / √(var + epsilon) · gamma + beta`, per channel.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    /// Scale; may be negative in trained networks.
    pub gamma: Vec<f32>,
    /// Shift.
    pub beta: Vec<f32>,
    /// Running mean.
    pub mean: Vec<f32>,
    /// Running variance.
    pub var: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

/// Local response normalisation, ONNX form: `x / (bias + alpha / size · Σ x²)^beta` over `size` neighbouring channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lrn {
    /// Window size in channels.
    pub size: usize,
    /// Scaling parameter.
    pub alpha: f32,
    /// Exponent.
    pub beta: f32,
    /// Additive constant.
    pub bias: f32,
}

/// `x · mul[c] + add[c]` per channel, or with an addend per element (a mean image that is subtracted).
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Factor per channel.
    pub mul: Vec<f32>,
    /// Addend per channel, or per element in channel-major order.
    pub add: Vec<f32>,
}
