//! FORWARD PASS: logits and hidden states of images, sixteen at a time (few: eight or four).
//!
//! # Problem
//! The outputs of all layers of a [`Network`] for a batch of at most sixteen images, image `d` in lane `d` of every
//! vector. The lanes are the ones of [`crate::kernel`]: a convolution or a dense layer is the same blocks as in
//! the graph, with one fused multiply-add per edge and sixteen images where the solver adds signed weights. Logits of few
//! images are computed in eight lanes or four, at about half the cost or a third: the lanes do not see each other.
//!
//! # Order of elements
//! A tensor is a list of vectors, one for each element, and a vector has the element's value in sixteen images:
//!
//! ```text
//!                    image 0   image 1   …   image 15
//!  pixel 0  channel 0   ·         ·               ·      ◀ vector 0: 16 × 4 bytes, a cache line
//!           channel 1   ·         ·               ·      ◀ vector 1
//!  pixel 1  channel 0   ·         ·               ·      ◀ vector 2      pixels row by row, channels-last:
//!           channel 1   ·         ·               ·      ◀ vector 3      (y · width + x) · channels + channel
//! ```
//!
//! That is the order of the graph's nodes, so that a block of the graph says which vectors a row reads: one weight times one
//! vector is sixteen edges' work, and no image sees another. Model files have flattened tensors channel-major. Here a
//! flattening moves nothing: its output keeps the order of the tensor that it flattens, and so does everything elementwise
//! after it (see [`Forward::order`]); a dense layer's weights are put into that order instead
//! ([`ParameterOrder`](crate::unroll::ParameterOrder)).
//!
//! # Arithmetic (part of the definition)
//! A convolution or dense layer begins with the bias and adds its products in column order, each rounded once
//! (`kernel::images`). Batch normalisation is one rounded `x · mul + add`. So results do not depend on the
//! instruction set, the number of threads, or on what else is computed: logits are those of [`Forward::states`].
//! An average that counts padding divides by the part of its window that lies in the padded image, as ONNX Runtime does:
//! what ceil mode adds beyond it does not count.
//!
//! # Method
//! The layers become a list of stages (`scheduler`), which are run one after the other, each by all threads: its output is cut
//! into strips, consecutive pixels row by row, of which every thread takes the next (`src/forward/windowed.rs`).
//! [`Forward::logits`] fuses what it can:
//!
//! ```text
//!  layers    conv ─▶ norm ─▶ add ─▶ relu        conv ─▶ relu ─▶ max pool        conv1 ─▶ relu ─┐
//!                             ▲                                                 conv2 ─▶ relu ─┴─▶ concat
//!  stages    one: each sum is finished          one: a strip is pooled as       two: each writes its channels
//!            before it is stored                soon as it is computed          of the concatenation
//! ```
//!
//! Buffers are used again when the tensor in them has been read for the last time. [`Forward::states`] keeps every layer's
//! output instead; both compute the same bits.
//!
//! # Cost
//! One fused multiply-add per edge and sixteen images, or of half the width per edge and eight, or per two edges and four.
//! Memory: the weights twice while they are prepared, once after it; per call that is under way 64 bytes (32, 16) per
//! element of the tensors alive at once (logits) or of all tensors (states), kept for the next call.

mod buffers;
mod elementwise;
mod error;
mod gather;
mod pool;
mod run;
mod schedule;
mod scheduler;
mod tensor;
#[cfg(test)]
mod tests;
mod width;
mod windowed;

pub use error::{Error, NotFinite};
pub use width::images_at_once;

use std::sync::{Arc, Mutex};

use crate::kernel::{Isa, LANES};
use crate::net::{Activation, Layer, Network, Op, Shape};
use crate::unroll::check;
use schedule::{Keep, Schedule};
use tensor::Buffer;

/// A network made ready for batches of up to sixteen images, image `d` in lane `d`.
#[derive(Debug)]
pub struct Forward {
    isa: Isa,
    names: Vec<String>,
    shapes: Vec<Shape>,
    orders: Vec<Shape>,
    logits_layer: usize,
    fused: Schedule,
    whole: Arc<Schedule>,
    /// Buffers of the fused schedule, of calls that are over.
    spare: Mutex<Vec<Vec<Buffer>>>,
}

/// The outputs of all layers for one batch.
#[derive(Debug, Default)]
pub struct States {
    schedule: Option<Arc<Schedule>>,
    buffers: Vec<Buffer>,
    logits_layer: usize,
}

impl Forward {
    /// Checks the network and prepares its weights.
    ///
    /// # Errors
    /// [`Error`] if layers do not fit each other.
    pub fn new(net: &Network) -> Result<Self, Error> {
        Self::with_isa(net, Isa::detect())
    }

    fn with_isa(net: &Network, isa: Isa) -> Result<Self, Error> {
        check(net)?;
        let orders = orders(net);
        let windowed = scheduler::windowed(net, &orders)?;
        let logits_layer = logits_layer(net);
        Ok(Self {
            isa,
            names: net.layers.iter().map(|layer| layer.name.clone()).collect(),
            shapes: net.layers.iter().map(|layer| layer.shape).collect(),
            fused: Schedule::new(net, &orders, &windowed, Keep::One(logits_layer)),
            whole: Arc::new(Schedule::new(net, &orders, &windowed, Keep::All)),
            orders,
            logits_layer,
            spare: Mutex::new(Vec::new()),
        })
    }

    /// Shape of one image.
    pub fn input_shape(&self) -> Shape {
        self.shapes[0]
    }

    /// Number of logits.
    pub fn n_outputs(&self) -> usize {
        self.shapes[self.logits_layer].len()
    }

    /// The layer whose output the logits are: what feeds the final Softmax, or the last.
    pub fn logits_layer(&self) -> usize {
        self.logits_layer
    }

    /// The shape whose channels-last order the elements of layer `layer` have: its own, or after a flattening that of the
    /// flattened tensor.
    pub fn order(&self, layer: usize) -> Shape {
        self.orders[layer]
    }

    /// The logits `[output][lane]` of the images `[element, channels-last][lane]`, in sixteen lanes or eight or four.
    ///
    /// Works on the threads of the current pool; several calls may run at once. With fewer images than lanes the other
    /// lanes may hold anything.
    ///
    /// # Panics
    /// If `images` is not one vector per element of the input.
    pub fn logits<const L: usize>(&self, images: &[[f32; L]]) -> Vec<[f32; L]> {
        assert_eq!(images.len(), self.input_shape().len(), "one vector per element of the input");
        let spare = || self.spare.lock().expect("no thread panics while it holds the lock");
        let mut buffers = spare().pop().unwrap_or_default();
        run::run(self.isa, &self.fused, &mut buffers, images);
        let tensor = &self.fused.tensors[self.fused.of_layer[self.logits_layer]];
        let logits = buffers[tensor.slot.buffer].vectors()[..tensor.order.len()].to_vec();
        spare().push(buffers);
        logits
    }

    /// That all outputs of all layers are numbers, in lanes `0..n`.
    ///
    /// # Errors
    /// The first layer that has something else.
    pub fn check_finite(&self, states: &States, n: usize) -> Result<(), NotFinite> {
        for (index, layer) in self.names.iter().enumerate() {
            let wrong = |vector: &&[f32; LANES]| vector[..n].iter().any(|value| !value.is_finite());
            if let Some(vector) = states.tensor(index).iter().find(wrong) {
                let lane = vector[..n].iter().position(|value| !value.is_finite()).unwrap_or(0);
                return Err(NotFinite { layer: layer.clone(), lane, value: vector[lane] });
            }
        }
        Ok(())
    }

    /// The outputs of all layers for the images `[element, channels-last][lane]`.
    ///
    /// # Panics
    /// If `images` is not one vector per element of the input.
    pub fn states(&self, images: &[[f32; LANES]]) -> States {
        let mut states = States::default();
        self.states_into(images, &mut states);
        states
    }

    /// As [`states`](Self::states), in the memory of earlier states, which are forgotten.
    ///
    /// # Panics
    /// If `images` is not one vector per element of the input.
    pub fn states_into(&self, images: &[[f32; LANES]], states: &mut States) {
        assert_eq!(images.len(), self.input_shape().len(), "one vector per element of the input");
        run::run(self.isa, &self.whole, &mut states.buffers, images);
        states.schedule = Some(Arc::clone(&self.whole));
        states.logits_layer = self.logits_layer;
    }
}

impl States {
    /// Output `[element][lane]` of network layer `layer` (an index into `net.layers`), channels-last. A flattened tensor, and
    /// what is computed from it element by element, keeps the element order of the tensor that was flattened.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn tensor(&self, layer: usize) -> &[[f32; LANES]] {
        let schedule = self.schedule.as_ref().expect("states have been computed");
        let tensor = &schedule.tensors[schedule.of_layer[layer]];
        &self.buffers[tensor.slot.buffer].vectors()[..tensor.order.len()]
    }

    /// The logits `[output][lane]`: what feeds the final Softmax, or the last layer's output.
    pub fn logits(&self) -> &[[f32; LANES]] {
        self.tensor(self.logits_layer)
    }
}

/// That the network begins with its only input, and that its layers fit each other.
fn check(net: &Network) -> Result<(), Error> {
    match net.layers.first() {
        Some(layer) if matches!(layer.op, Op::Input) => {}
        _ => return Err(Error::NoInput),
    }
    if let Some(second) = net.layers.iter().skip(1).find(|layer| matches!(layer.op, Op::Input)) {
        return Err(Error::SecondInput { layer: second.name.clone() });
    }
    check::network(net)?;
    net.layers.iter().try_for_each(|layer| {
        let inputs: Vec<Shape> = layer.inputs.iter().map(|&input| net.layers[input].shape).collect();
        check_layer(layer, &inputs)
    })
}

/// What does not matter for edges.
fn check_layer(layer: &Layer, inputs: &[Shape]) -> Result<(), Error> {
    let Shape { c, h, w } = layer.shape;
    let count = |what, found: usize, expected| check::count(layer, what, found, expected);
    match &layer.op {
        Op::BatchNorm(norm) => {
            count("batch normalisation shifts", norm.beta.len(), c)?;
            count("batch normalisation means", norm.mean.len(), c)?;
        }
        Op::Scale(scale) if scale.add.len() != layer.shape.len() => count("scale addends", scale.add.len(), c)?,
        Op::Activation(Activation::PRelu(slopes)) => count("slopes", slopes.len(), c)?,
        Op::Lrn(lrn) => count("channels in a window", lrn.size.max(1), lrn.size)?,
        Op::Pool(pool) => check::window(layer, &pool.window)?,
        Op::Add => inputs.iter().try_for_each(|&input| check::shape(layer, input))?,
        Op::Concat => {
            let channels = inputs.iter().map(|input| input.c).sum();
            check::shape(layer, Shape { c: channels, ..inputs[0] })?;
            count("inputs of one size", inputs.iter().filter(|i| (i.h, i.w) == (h, w)).count(), inputs.len())?;
        }
        _ => {}
    }
    Ok(())
}

fn logits_layer(net: &Network) -> usize {
    let last = net.layers.len() - 1;
    match net.layers[last].op {
        Op::Softmax => net.layers[last].inputs[0],
        _ => last,
    }
}

/// [`Forward::order`] of every layer.
fn orders(net: &Network) -> Vec<Shape> {
    let mut orders: Vec<Shape> = Vec::with_capacity(net.layers.len());
    for layer in &net.layers {
        let first = layer.inputs.first().map_or(layer.shape, |&input| orders[input]);
        let order = match &layer.op {
            Op::Flatten | Op::Activation(_) | Op::BatchNorm(_) | Op::Scale(_) | Op::Softmax => first,
            Op::Add if layer.inputs.iter().all(|&input| orders[input] == first) => first,
            _ => layer.shape,
        };
        orders.push(order);
    }
    orders
}
