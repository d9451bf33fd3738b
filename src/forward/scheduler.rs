//! From layers to stages.

use std::sync::Arc;

use super::buffers::buffers;
use super::elementwise::Elementwise;
use super::error::Error;
use super::gather::Gather;
use super::schedule::{Computation, Keep, PlacedTensor, Schedule, Stage};
use super::tensor::Slot;
use super::windowed::Windowed;
use crate::kernel::images::Finish;
use crate::net::{Layer, Network, Op, PoolKind, Shape};

/// Convolutions whose output has as many elements are pooled as they are computed: their tensor fits no cache.
const LARGE: usize = if cfg!(test) { 1 } else { 1 << 18 };

/// Convolutions and dense layers by network layer, and the orders of their inputs.
pub(super) fn windowed(net: &Network, orders: &[Shape]) -> Result<Vec<Option<Arc<Windowed>>>, Error> {
    let one = |layer: &Layer| match &layer.op {
        Op::Dense(_) => Windowed::new(layer, orders[layer.inputs[0]]).map(|w| Some(Arc::new(w))),
        Op::Conv(_) => Windowed::new(layer, net.layers[layer.inputs[0]].shape).map(|w| Some(Arc::new(w))),
        _ => Ok(None),
    };
    net.layers.iter().map(one).collect()
}

impl Schedule {
    /// The schedule of a network whose layers' elements have the given orders.
    pub fn new(net: &Network, orders: &[Shape], windowed: &[Option<Arc<Windowed>>], keep: Keep) -> Self {
        let mut scheduler = Scheduler::new(net, orders, keep);
        for (index, layer) in net.layers.iter().enumerate() {
            if scheduler.needed[index] {
                scheduler.visit(index, layer, &windowed[index]);
            }
        }
        scheduler.finish()
    }
}

struct Scheduler<'a> {
    net: &'a Network,
    orders: &'a [Shape],
    keep: Keep,
    /// Layers that the kept ones depend on.
    needed: Vec<bool>,
    /// How often each layer's output is read, flattenings looked through.
    readers: Vec<usize>,
    stages: Vec<Stage>,
    tensors: Vec<Shape>,
    /// PlacedTensor that holds each layer's output.
    of_layer: Vec<usize>,
    /// Where in a concatenation a tensor is: that tensor, and the first channel.
    inside: Vec<Option<(usize, usize)>>,
    /// The first and the last stage that write each tensor.
    makers: Vec<Option<(usize, usize)>>,
}

impl<'a> Scheduler<'a> {
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
        let (stages, tensors, inside, makers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { net, orders, keep, needed, readers, stages, tensors, of_layer: vec![usize::MAX; n], inside, makers }
    }

    fn tensor(&mut self, order: Shape) -> usize {
        self.tensors.push(order);
        self.inside.push(None);
        self.makers.push(None);
        self.tensors.len() - 1
    }

    fn push(&mut self, computation: Computation, inputs: Vec<usize>, output: usize) {
        let at = self.stages.len();
        self.makers[output] = Some((self.makers[output].map_or(at, |(first, _)| first), at));
        self.stages.push(Stage { computation, inputs, output });
    }

    fn visit(&mut self, index: usize, layer: &Layer, windowed: &Option<Arc<Windowed>>) {
        let order = self.orders[index];
        let inputs: Vec<usize> = layer.inputs.iter().map(|&input| self.of_layer[input]).collect();
        let elementwise = |f: Elementwise| Computation::Elementwise(Arc::new(f));
        let computation = match &layer.op {
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
                Computation::Windowed { layer: Arc::clone(layer), finish: Finish::NONE }
            }
            Op::Pool(pool) => Computation::Pool { pool: pool.clone(), input: self.net.layers[layer.inputs[0]].shape },
            Op::Lrn(lrn) => Computation::Lrn(*lrn),
            Op::Activation(f) => elementwise(Elementwise::activation(f, layer.shape, order)),
            Op::BatchNorm(norm) => elementwise(Elementwise::norm(norm, layer.shape, order)),
            Op::Scale(scale) => elementwise(Elementwise::scale(scale, layer.shape, order)),
            Op::Add => Computation::Sum,
            Op::Concat => return self.concat(index, layer),
            Op::Shuffle { .. } | Op::Slice { .. } | Op::Pad { .. } => {
                let from = self.net.layers[layer.inputs[0]].shape;
                let Some(gather) = Gather::of(&layer.op, from, layer.shape) else {
                    unreachable!("these move elements")
                };
                Computation::Gather(gather)
            }
            Op::Softmax => Computation::Softmax,
        };
        let inputs: Vec<usize> = layer.inputs.iter().map(|&input| self.read(input, layer, order)).collect();
        self.of_layer[index] = match self.fused(layer, &computation, &inputs, order) {
            Some(tensor) => tensor,
            None => {
                let output = self.tensor(order);
                self.push(computation, inputs, output);
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
        self.push(Computation::Gather(gather), vec![tensor], output);
        output
    }

    /// Lets the stage that makes the input of a layer do that layer's work, too; or does it in place.
    fn fused(&mut self, layer: &Layer, computation: &Computation, inputs: &[usize], order: Shape) -> Option<usize> {
        let alone = |position: usize| {
            let input = layer.inputs[position];
            self.is_only_read_here(input) && self.orders[input] == order
        };
        let last_stage = |tensor: usize| self.makers[tensor].map(|(_, last)| last);
        match computation {
            Computation::Elementwise(f) => {
                let tensor = inputs[0];
                if !alone(0) {
                    return None;
                }
                let stage = last_stage(tensor);
                if !stage.is_some_and(|at| self.stages[at].absorb(f)) {
                    self.push(computation.clone(), vec![tensor], tensor);
                }
                Some(tensor)
            }
            // The sum is finished by the later of the two convolutions: the other's output is there when it runs.
            Computation::Sum if inputs.len() == 2 && inputs[0] != inputs[1] => {
                let slots = [last_stage(inputs[0]), last_stage(inputs[1])];
                let later = usize::from(slots[1] > slots[0]);
                let (at, other) = (slots[later]?, inputs[1 - later]);
                let is_free = alone(later);
                let stage = &mut self.stages[at];
                if !is_free || !stage.is_unbounded() || stage.inputs.len() > 1 {
                    return None;
                }
                stage.inputs.push(other);
                Some(inputs[later])
            }
            Computation::Pool { pool, .. } if pool.kind == PoolKind::Max => {
                let (input, at) = (layer.inputs[0], last_stage(inputs[0])?);
                let shape = self.net.layers[input].shape;
                let pooled = self.stages[at].pooled(&pool.window)?;
                if shape.len() < LARGE || !self.is_only_read_here(input) || self.orders[input] != shape {
                    return None;
                }
                // The convolution's own tensor is computed by no stage any more, and never gets a buffer.
                let output = self.tensor(order);
                (self.stages[at].computation, self.stages[at].output) = (pooled, output);
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
            let is_strided = self.makers[tensor].is_some_and(|(first, _)| self.stages[first].computation.is_strided());
            if is_strided && self.is_only_read_here(input) && self.orders[input] == self.net.layers[input].shape {
                self.inside[tensor] = Some((output, first));
            } else {
                copies.push(tensor);
                firsts.push(first);
            }
            first += channels;
        }
        if !copies.is_empty() {
            self.push(Computation::Concat(firsts), copies, output);
        }
        self.of_layer[index] = output;
    }

    fn finish(self) -> Schedule {
        let sizes: Vec<usize> = self.tensors.iter().map(|order| order.len()).collect();
        let (buffer_of, buffers) = buffers(&sizes, &self.lives());
        let slot = |tensor: usize| {
            let (outer, offset) = self.root(tensor);
            Slot { buffer: buffer_of[outer], channels: self.tensors[outer].c, offset }
        };
        let tensors = self.tensors.iter().enumerate();
        let tensors = tensors.map(|(tensor, &order)| PlacedTensor { order, slot: slot(tensor) }).collect();
        Schedule { stages: self.stages, tensors, of_layer: self.of_layer, buffers }
    }

    /// The tensor whose buffer a tensor is in, and where.
    fn root(&self, mut tensor: usize) -> (usize, usize) {
        let mut offset = 0;
        while let Some((outer, first)) = self.inside[tensor] {
            (tensor, offset) = (outer, offset + first);
        }
        (tensor, offset)
    }

    /// The first and the last stage that need each tensor's buffer; the end counts as a stage.
    fn lives(&self) -> Vec<Option<(usize, usize)>> {
        let (n, end) = (self.tensors.len(), self.stages.len());
        let mut lives: Vec<Option<(usize, usize)>> = vec![None; n];
        let mut touch = |tensor: usize, at: usize| {
            let life = &mut lives[self.root(tensor).0];
            *life = Some(life.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        };
        touch(0, 0);
        for (at, stage) in self.stages.iter().enumerate() {
            stage.inputs.iter().chain([&stage.output]).for_each(|&tensor| touch(tensor, at));
        }
        match self.keep {
            Keep::All => (0..n).for_each(|tensor| touch(tensor, end)),
            Keep::One(layer) => touch(self.of_layer[layer], end),
        }
        lives
    }
}
