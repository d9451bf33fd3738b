//! From layers to steps: what is computed in which order, what is fused, and which buffer holds it.
//!
//! Two plans share the weights. In one every layer has its own tensor. In the other what follows a convolution or dense
//! layer element by element happens as its sums are stored, a large convolution that is only pooled is pooled as it is
//! computed, later elementwise layers work in place, tensors that are only concatenated are written where they belong, and
//! buffers are used again when their tensor has been read for the last time. Both compute the same bits.

use std::sync::Arc;

use super::elementwise::Elementwise;
use super::error::Error;
use super::gather::Gather;
use super::tensor::Place;
use super::windowed::Windowed;
use crate::kernel::images::Finish;
use crate::net::{Layer, Lrn, Network, Op, Pool, PoolKind, Shape, Window};

/// Convolutions whose output has as many elements are pooled as they are computed: their tensor fits no cache.
const LARGE: usize = if cfg!(test) { 1 } else { 1 << 18 };

/// What one step computes.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Windowed {
        layer: Arc<Windowed>,
        finish: Finish,
    },
    /// A convolution and the maxima over windows of its output, which is nowhere whole.
    Pooled {
        layer: Arc<Windowed>,
        finish: Finish,
        window: Window,
    },
    Pool {
        pool: Pool,
        input: Shape,
    },
    Lrn(Lrn),
    Elementwise(Arc<Elementwise>),
    /// Sum of all inputs.
    Sum,
    /// Copies of all inputs, each at its first channel.
    Concat(Vec<usize>),
    Gather(Gather),
    Softmax,
}

/// One step: reads tensors, writes one; in place if that is also its input.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub kind: Kind,
    /// For [`Kind::Windowed`] a second input is added.
    pub inputs: Vec<usize>,
    pub output: usize,
}

/// A tensor of the plan.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tensor {
    /// The order of its elements is channels-last of this.
    pub order: Shape,
    pub place: Place,
}

/// Steps in order, over tensors in buffers.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    pub tensors: Vec<Tensor>,
    /// The tensor that holds each network layer's output; of a fused plan not all are kept.
    pub of_layer: Vec<usize>,
    /// Sizes of the buffers, in vectors.
    pub buffers: Vec<usize>,
}

/// What a plan keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// Every layer's output.
    All,
    /// Only the output of this layer.
    One(usize),
}

/// Convolutions and dense layers by network layer, and the orders of their inputs.
pub(super) fn windowed(net: &Network, orders: &[Shape]) -> Result<Vec<Option<Arc<Windowed>>>, Error> {
    let one = |layer: &Layer| match &layer.op {
        Op::Dense(_) => Windowed::new(layer, orders[layer.inputs[0]]).map(|w| Some(Arc::new(w))),
        Op::Conv(_) => Windowed::new(layer, net.layers[layer.inputs[0]].shape).map(|w| Some(Arc::new(w))),
        _ => Ok(None),
    };
    net.layers.iter().map(one).collect()
}

impl Plan {
    /// The plan of a network whose layers' elements have the given orders.
    pub fn new(net: &Network, orders: &[Shape], windowed: &[Option<Arc<Windowed>>], keep: Keep) -> Self {
        let mut build = Build::new(net, orders, keep);
        for (index, layer) in net.layers.iter().enumerate() {
            if build.needed[index] {
                build.visit(index, layer, &windowed[index]);
            }
        }
        build.finish()
    }
}

struct Build<'a> {
    net: &'a Network,
    orders: &'a [Shape],
    keep: Keep,
    /// Layers that the kept ones depend on.
    needed: Vec<bool>,
    /// How often each layer's output is read, flattenings looked through.
    readers: Vec<usize>,
    steps: Vec<Step>,
    tensors: Vec<Shape>,
    /// Tensor that holds each layer's output.
    of_layer: Vec<usize>,
    /// Where in a concatenation a tensor is: that tensor, and the first channel.
    inside: Vec<Option<(usize, usize)>>,
    /// The first and the last step that write each tensor.
    makers: Vec<Option<(usize, usize)>>,
}

impl<'a> Build<'a> {
    fn new(net: &'a Network, orders: &'a [Shape], keep: Keep) -> Self {
        let n = net.layers.len();
        let mut needed = vec![keep == Keep::All; n];
        let mut readers = vec![0; n];
        if let Keep::One(last) = keep {
            (needed[last], readers[last]) = (true, 1);
        }
        for index in (0..n).rev() {
            if needed[index] {
                // A flattening is read as often as it is read through.
                let times = if matches!(net.layers[index].op, Op::Flatten) { readers[index] } else { 1 };
                for &input in &net.layers[index].inputs {
                    needed[input] = true;
                    readers[input] += times;
                }
            }
        }
        let (steps, tensors, inside, makers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { net, orders, keep, needed, readers, steps, tensors, of_layer: vec![usize::MAX; n], inside, makers }
    }

    fn tensor(&mut self, order: Shape) -> usize {
        self.tensors.push(order);
        self.inside.push(None);
        self.makers.push(None);
        self.tensors.len() - 1
    }

    fn push(&mut self, kind: Kind, inputs: Vec<usize>, output: usize) {
        let at = self.steps.len();
        self.makers[output] = Some((self.makers[output].map_or(at, |(first, _)| first), at));
        self.steps.push(Step { kind, inputs, output });
    }

    fn visit(&mut self, index: usize, layer: &Layer, windowed: &Option<Arc<Windowed>>) {
        let order = self.orders[index];
        let inputs: Vec<usize> = layer.inputs.iter().map(|&input| self.of_layer[input]).collect();
        let elementwise = |f: Elementwise| Kind::Elementwise(Arc::new(f));
        let kind = match &layer.op {
            Op::Input => {
                self.of_layer[index] = self.tensor(order);
                return;
            }
            Op::Flatten => {
                self.of_layer[index] = inputs[0];
                return;
            }
            Op::Conv(_) | Op::Dense(_) => {
                let Some(layer) = windowed else { unreachable!("every convolution and dense layer is windowed") };
                Kind::Windowed { layer: Arc::clone(layer), finish: Finish::NONE }
            }
            Op::Pool(pool) => Kind::Pool { pool: pool.clone(), input: self.net.layers[layer.inputs[0]].shape },
            Op::Lrn(lrn) => Kind::Lrn(*lrn),
            Op::Activation(f) => elementwise(Elementwise::activation(f, layer.shape, order)),
            Op::BatchNorm(norm) => elementwise(Elementwise::norm(norm, layer.shape, order)),
            Op::Scale(scale) => elementwise(Elementwise::scale(scale, layer.shape, order)),
            Op::Add => Kind::Sum,
            Op::Concat => return self.concat(index, layer),
            Op::Shuffle { .. } | Op::Slice { .. } | Op::Pad { .. } => {
                let from = self.net.layers[layer.inputs[0]].shape;
                let Some(gather) = Gather::of(&layer.op, from, layer.shape) else {
                    unreachable!("these move elements")
                };
                Kind::Gather(gather)
            }
            Op::Softmax => Kind::Softmax,
        };
        let inputs: Vec<usize> = layer.inputs.iter().map(|&input| self.read(input, layer, order)).collect();
        self.of_layer[index] = match self.fused(layer, &kind, &inputs, order) {
            Some(tensor) => tensor,
            None => {
                let output = self.tensor(order);
                self.push(kind, inputs, output);
                output
            }
        };
    }

    /// The tensor that a layer reads: the output of layer `input`, in the order that the reader needs.
    fn read(&mut self, input: usize, reader: &Layer, reader_order: Shape) -> usize {
        let tensor = self.of_layer[input];
        let needed = match reader.op {
            Op::Dense(_) => self.orders[input],
            Op::Activation(_) | Op::BatchNorm(_) | Op::Scale(_) | Op::Softmax | Op::Add => reader_order,
            _ => self.net.layers[input].shape,
        };
        if self.tensors[tensor] == needed {
            return tensor;
        }
        let gather = Gather::reordering(self.tensors[tensor], needed);
        let output = self.tensor(needed);
        self.push(Kind::Gather(gather), vec![tensor], output);
        output
    }

    /// Lets the step that makes the input of a layer do that layer's work, too; or does it in place.
    fn fused(&mut self, layer: &Layer, kind: &Kind, inputs: &[usize], order: Shape) -> Option<usize> {
        let alone = |position: usize| {
            let input = layer.inputs[position];
            self.is_only_read_here(input) && self.orders[input] == order
        };
        let last_step = |tensor: usize| self.makers[tensor].map(|(_, last)| last);
        match kind {
            Kind::Elementwise(f) => {
                let tensor = inputs[0];
                if !alone(0) {
                    return None;
                }
                let step = last_step(tensor);
                if !step.is_some_and(|at| self.steps[at].absorb(f)) {
                    self.push(kind.clone(), vec![tensor], tensor);
                }
                Some(tensor)
            }
            Kind::Sum if inputs.len() == 2 && inputs[0] != inputs[1] => {
                let places = [last_step(inputs[0]), last_step(inputs[1])];
                let later = usize::from(places[1] > places[0]);
                let (at, other) = (places[later]?, inputs[1 - later]);
                let is_free = alone(later);
                let step = &mut self.steps[at];
                if !is_free || !step.is_unbounded() || step.inputs.len() > 1 {
                    return None;
                }
                step.inputs.push(other);
                Some(inputs[later])
            }
            Kind::Pool { pool, .. } if pool.kind == PoolKind::Max => {
                let (input, at) = (layer.inputs[0], last_step(inputs[0])?);
                let shape = self.net.layers[input].shape;
                let pooled = self.steps[at].pooled(&pool.window)?;
                if shape.len() < LARGE || !self.is_only_read_here(input) || self.orders[input] != shape {
                    return None;
                }
                let output = self.tensor(order);
                (self.steps[at].kind, self.steps[at].output) = (pooled, output);
                self.makers[output] = self.makers[inputs[0]].take();
                Some(output)
            }
            _ => None,
        }
    }

    /// True if the output of a layer is not kept and has one reader, flattenings looked through.
    fn is_only_read_here(&self, mut layer: usize) -> bool {
        while self.keep != Keep::All && self.readers[layer] == 1 {
            match (&self.net.layers[layer].op, self.net.layers[layer].inputs.first()) {
                (Op::Flatten, Some(&input)) => layer = input,
                _ => return true,
            }
        }
        false
    }

    /// Writes tensors that nobody else reads where they belong, and copies the others.
    fn concat(&mut self, index: usize, layer: &Layer) {
        let output = self.tensor(self.orders[index]);
        let (mut copies, mut firsts, mut first) = (Vec::new(), Vec::new(), 0);
        for &input in &layer.inputs {
            let channels = self.net.layers[input].shape.c;
            let tensor = self.read(input, layer, self.net.layers[input].shape);
            let is_strided = self.makers[tensor].is_some_and(|(first, _)| self.steps[first].kind.is_strided());
            if is_strided && self.is_only_read_here(input) && self.orders[input] == self.net.layers[input].shape {
                self.inside[tensor] = Some((output, first));
            } else {
                copies.push(tensor);
                firsts.push(first);
            }
            first += channels;
        }
        if !copies.is_empty() {
            self.push(Kind::Concat(firsts), copies, output);
        }
        self.of_layer[index] = output;
    }

    fn finish(self) -> Plan {
        let sizes: Vec<usize> = self.tensors.iter().map(|order| order.len()).collect();
        let (buffer_of, buffers) = buffers(&sizes, &self.lives());
        let place = |tensor: usize| {
            let (outer, offset) = self.root(tensor);
            Place { buffer: buffer_of[outer], channels: self.tensors[outer].c, offset }
        };
        let tensors = self.tensors.iter().enumerate();
        let tensors = tensors.map(|(tensor, &order)| Tensor { order, place: place(tensor) }).collect();
        Plan { steps: self.steps, tensors, of_layer: self.of_layer, buffers }
    }

    /// The tensor whose buffer a tensor is in, and where.
    fn root(&self, mut tensor: usize) -> (usize, usize) {
        let mut offset = 0;
        while let Some((outer, first)) = self.inside[tensor] {
            (tensor, offset) = (outer, offset + first);
        }
        (tensor, offset)
    }

    /// The first and the last step that need each tensor's buffer; the end counts as a step.
    fn lives(&self) -> Vec<Option<(usize, usize)>> {
        let (n, end) = (self.tensors.len(), self.steps.len());
        let mut lives: Vec<Option<(usize, usize)>> = vec![None; n];
        let mut touch = |tensor: usize, at: usize| {
            let life = &mut lives[self.root(tensor).0];
            *life = Some(life.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        };
        touch(0, 0);
        for (at, step) in self.steps.iter().enumerate() {
            step.inputs.iter().chain([&step.output]).for_each(|&tensor| touch(tensor, at));
        }
        match self.keep {
            Keep::All => (0..n).for_each(|tensor| touch(tensor, end)),
            Keep::One(layer) => touch(self.of_layer[layer], end),
        }
        lives
    }
}

/// The buffer of each tensor, and how large the buffers are: one is used again when its tensor's life is over.
fn buffers(sizes: &[usize], lives: &[Option<(usize, usize)>]) -> (Vec<usize>, Vec<usize>) {
    let n_steps = lives.iter().flatten().map(|(_, last)| last + 1).max().unwrap_or(0);
    let (mut born, mut dying) = (vec![Vec::new(); n_steps], vec![Vec::new(); n_steps]);
    for (tensor, life) in lives.iter().enumerate() {
        if let Some((first, last)) = *life {
            born[first].push(tensor);
            dying[last].push(tensor);
        }
    }
    let (mut buffers, mut free) = (Vec::<usize>::new(), Vec::<usize>::new());
    let mut buffer_of = vec![usize::MAX; sizes.len()];
    for (born, dying) in born.iter().zip(&dying) {
        for &tensor in born {
            let size = sizes[tensor];
            // The free buffer that fits best: the smallest that is large enough, or else the largest.
            let best = free.iter().enumerate().min_by_key(|(_, buffer)| {
                let found = buffers[**buffer];
                (found < size, if found < size { usize::MAX - found } else { found })
            });
            let buffer = match best.map(|(position, _)| position) {
                Some(position) => free.swap_remove(position),
                None => {
                    buffers.push(0);
                    buffers.len() - 1
                }
            };
            buffers[buffer] = buffers[buffer].max(size);
            buffer_of[tensor] = buffer;
        }
        free.extend(dying.iter().map(|&tensor| buffer_of[tensor]));
    }
    (buffer_of, buffers)
}

impl Kind {
    /// True if the output may be strided.
    fn is_strided(&self) -> bool {
        matches!(self, Self::Windowed { .. } | Self::Pooled { .. } | Self::Pool { .. })
    }
}

impl Step {
    /// A convolution, its output pooled: where windows share at most one row with the next.
    fn pooled(&self, window: &Window) -> Option<Kind> {
        let Kind::Windowed { layer, finish } = &self.kind else { return None };
        let shared = ((window.kernel[0] - 1) * window.dilation[0] + 1).saturating_sub(window.stride[0]);
        let (layer, finish, window) = (Arc::clone(layer), finish.clone(), *window);
        (layer.is_convolution() && shared <= 1).then_some(Kind::Pooled { layer, finish, window })
    }

    /// True for sums of products that are not bounded yet.
    fn is_unbounded(&self) -> bool {
        let Kind::Windowed { finish, .. } = &self.kind else { return false };
        finish.low == f32::NEG_INFINITY && finish.high == f32::INFINITY
    }

    /// Takes over an elementwise layer, if it can: factors before an addend before bounds.
    fn absorb(&mut self, f: &Elementwise) -> bool {
        let unbounded = self.is_unbounded();
        let Kind::Windowed { layer, finish } = &mut self.kind else { return false };
        match f {
            Elementwise::Affine(mul, add)
                if unbounded && finish.affine.is_none() && self.inputs.len() == 1 && mul.len() == layer.shape.c =>
            {
                finish.affine = Some((mul.clone(), add.clone()));
                true
            }
            Elementwise::Clamp(low, high) if unbounded => {
                (finish.low, finish.high) = (*low, *high);
                true
            }
            _ => false,
        }
    }
}
