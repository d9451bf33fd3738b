//! The growing list of layers: unique names, bounded sizes, and at the end only what the output needs.
use std::collections::{HashMap, HashSet};

use crate::net::{Error, Layer, Op, Shape};

/// Most elements of one tensor: what a 32-bit node number can tell apart.
pub(super) const MAX_ELEMENTS: usize = u32::MAX as usize;

/// A shape whose element count is at least 1 and at most [`MAX_ELEMENTS`].
pub(super) fn shape(layer: &str, [c, h, w]: [usize; 3]) -> Result<Shape, Error> {
    let len = c.checked_mul(h).and_then(|ch| ch.checked_mul(w));
    match len {
        Some(1..=MAX_ELEMENTS) => Ok(Shape::new(c, h, w)),
        _ => Err(Error::misfit(
            layer,
            format!("a tensor of {c}×{h}×{w}"),
            format!("between 1 and {MAX_ELEMENTS} elements"),
        )),
    }
}

/// Layers in topological order.
#[derive(Debug, Default)]
pub(super) struct Layers {
    list: Vec<Layer>,
    names: HashSet<String>,
    repeats: HashMap<String, usize>,
}

impl Layers {
    /// Appends a layer; returns its position. A name that is taken gets a number.
    pub fn push(&mut self, name: &str, op: Op, inputs: Vec<usize>, shape: Shape) -> usize {
        let name = self.unique(name);
        self.list.push(Layer { name, op, inputs, shape });
        self.list.len() - 1
    }

    fn unique(&mut self, name: &str) -> String {
        let mut free = name.to_string();
        while !self.names.insert(free.clone()) {
            let repeat = self.repeats.entry(name.to_string()).or_insert(1);
            *repeat += 1;
            free = format!("{name}_{repeat}");
        }
        free
    }

    /// The layer at a position that [`push`](Self::push) returned.
    pub fn get(&self, at: usize) -> &Layer {
        &self.list[at]
    }

    /// The layers that `output` needs, which is then the last of them.
    pub fn finish(self, output: usize) -> Vec<Layer> {
        let mut list = self.list;
        list.truncate(output + 1);
        let merged = merge_constants(&mut list);
        prune(list, merged[output], &merged)
    }
}

/// Puts constants where they belong: a bias that follows a layer without one into that layer, a scale after a scale
/// into the first. Only layers with a single reader take part. Returns for every layer the one that stands for it.
fn merge_constants(list: &mut [Layer]) -> Vec<usize> {
    let mut readers = vec![0usize; list.len()];
    for layer in list.iter() {
        layer.inputs.iter().for_each(|input| readers[*input] += 1);
    }
    let mut stands: Vec<usize> = (0..list.len()).collect();
    for at in 0..list.len() {
        let (before, rest) = list.split_at_mut(at);
        let (Some(layer), Some(&input)) = (rest.first(), rest.first().and_then(|layer| layer.inputs.first())) else {
            continue;
        };
        let source = stands[input]; // resolved when it was merged itself
        if readers[input] == 1 && absorb(&mut before[source].op, &layer.op) {
            stands[at] = source;
        }
    }
    stands
}

/// Makes `first` do what `first` then `second` did, if it can without changing its kind.
fn absorb(first: &mut Op, second: &Op) -> bool {
    let Op::Scale(scale) = second else { return false };
    if scale.add.len() != scale.mul.len() {
        return false; // an addend per element
    }
    let is_bias = scale.mul.iter().all(|mul| *mul == 1.0);
    match first {
        Op::Conv(conv) if is_bias && conv.bias.is_none() => conv.bias = Some(scale.add.clone()),
        Op::Dense(dense) if is_bias && dense.bias.is_none() => dense.bias = Some(scale.add.clone()),
        Op::Scale(inner) if inner.add.len() == inner.mul.len() => {
            let mul: Vec<f32> = inner.mul.iter().zip(&scale.mul).map(|(a, b)| a * b).collect();
            let add: Vec<f32> =
                inner.add.iter().zip(&scale.mul).zip(&scale.add).map(|((add, mul), more)| add * mul + more).collect();
            if !mul.iter().chain(&add).all(|value| value.is_finite()) {
                return false;
            }
            (inner.mul, inner.add) = (mul, add);
        }
        _ => return false,
    }
    true
}

/// Keeps the layers that `output` reads, directly or not, and renumbers.
fn prune(list: Vec<Layer>, output: usize, stands: &[usize]) -> Vec<Layer> {
    let mut needed = vec![false; list.len()];
    needed[output] = true;
    for at in (0..list.len()).rev().filter(|at| *at <= output) {
        if needed[at] {
            list[at].inputs.iter().for_each(|input| needed[stands[*input]] = true);
        }
    }
    let mut position = vec![0; list.len()];
    let mut kept: Vec<Layer> = Vec::new();
    for (at, mut layer) in list.into_iter().enumerate().filter(|(at, _)| needed[*at]) {
        layer.inputs.iter_mut().for_each(|input| *input = position[stands[*input]]);
        position[at] = kept.len();
        kept.push(layer);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Activation, Dense, Scale};

    fn scale(mul: f32, add: f32) -> Op {
        Op::Scale(Scale { mul: vec![mul], add: vec![add] })
    }

    #[test]
    fn unused_layers_go_and_names_stay_unique() {
        let one = Shape::new(1, 1, 1);
        let mut layers = Layers::default();
        layers.push("x", Op::Input, vec![], one);
        layers.push("a", Op::Activation(Activation::Tanh), vec![0], one);
        let b = layers.push("a", Op::Activation(Activation::Relu), vec![0], one);
        layers.push("a_2", Op::Activation(Activation::Relu), vec![b], one);
        let last = layers.push("a", Op::Add, vec![0, b], one);
        let list = layers.finish(last);
        assert_eq!(list.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["x", "a_2", "a_3"]);
        assert_eq!(list[2].inputs, [0, 1]);
    }

    #[test]
    fn scales_merge_only_along_a_single_path() {
        let one = Shape::new(1, 1, 1);
        let mut layers = Layers::default();
        layers.push("x", Op::Input, vec![], one);
        let dense = layers.push("fc", Op::Dense(Dense { weight: vec![2.0], bias: None }), vec![0], one);
        let add = layers.push("bias", scale(1.0, 0.5), vec![dense], one);
        let mul = layers.push("mul", scale(3.0, 0.0), vec![add], one);
        let shift = layers.push("shift", scale(2.0, 1.0), vec![mul], one);
        let branch = layers.push("branch", scale(2.0, 1.0), vec![shift], one);
        let sum = layers.push("sum", Op::Add, vec![shift, branch], one);
        let list = layers.finish(sum);
        assert_eq!(list.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(), ["x", "fc", "mul", "branch", "sum"]);
        assert_eq!(list[1].op, Op::Dense(Dense { weight: vec![2.0], bias: Some(vec![0.5]) }));
        assert_eq!(list[2].op, scale(6.0, 1.0));
        assert_eq!(list[4].inputs, [2, 3]);
    }

    #[test]
    fn sizes_are_bounded() {
        assert!(shape("x", [1 << 16, 1 << 16, 1]).is_err());
        assert!(shape("x", [usize::MAX, 2, 2]).is_err());
        assert!(shape("x", [0, 2, 2]).is_err());
        assert!(shape("x", [3, 224, 224]).is_ok());
    }
}
