//! The edges of a network by nested loops over output elements, taps and channels, straight from the definitions.

use crate::graph::{BlockStream as _, NodeId};
use crate::net::{Network, Op, Pool, Shape, Window};
use crate::unroll::{BatchNormRule, Options, ResidualRule, Unrolled, pool};

/// A target, a source and the weight of the edge between them.
pub(crate) type Edge = (NodeId, NodeId, f32);

/// One element of a tensor: channel, row, column.
pub(crate) type Element = [usize; 3];

/// An element that is a node, the factor that it is seen with, and the activations that it passes: network layer, element.
pub(crate) struct Node {
    layer: usize,
    place: Element,
    factor: f32,
    pub passed: Vec<(usize, Element)>,
}

/// An edge, with the elements at its ends: network layer and place.
pub(crate) struct Traced {
    pub edge: Edge,
    /// The target.
    pub output: (usize, Element),
    /// What the target reads; it stands for the source.
    pub input: (usize, Element),
    pub passed: Vec<(usize, Element)>,
}

/// All edges, sorted; node numbers from `graph`.
pub(crate) fn edges(net: &Network, options: Options, graph: &Unrolled) -> Vec<Edge> {
    let mut edges: Vec<_> = traced(net, options, graph).into_iter().map(|traced| traced.edge).collect();
    sort(&mut edges);
    edges
}

/// All edges.
pub(crate) fn traced(net: &Network, options: Options, graph: &Unrolled) -> Vec<Traced> {
    let oracle = Oracle { net, options, graph };
    let mut edges = Vec::new();
    for index in (0..net.layers.len()).filter(|&index| oracle.is_node(index)) {
        oracle.edges_into(index, &mut edges);
    }
    edges
}

/// The nodes that an element stands for, with their numbers.
pub(crate) fn nodes_of(
    net: &Network,
    options: Options,
    graph: &Unrolled,
    (layer, place): (usize, Element),
) -> Vec<(NodeId, Node)> {
    let oracle = Oracle { net, options, graph };
    let nodes = oracle.resolve(layer, place);
    nodes.into_iter().map(|node| (oracle.number(node.layer, node.place), node)).collect()
}

/// By target, source and weight.
pub(crate) fn sort(edges: &mut [Edge]) {
    edges.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
}

struct Oracle<'a> {
    net: &'a Network,
    options: Options,
    graph: &'a Unrolled,
}

impl Oracle<'_> {
    fn edges_into(&self, index: usize, edges: &mut Vec<Traced>) {
        let layer = &self.net.layers[index];
        let Shape { c, h, w } = layer.shape;
        for o in 0..c {
            for y in 0..h {
                for x in 0..w {
                    let row = self.number(index, [o, y, x]);
                    let factor = self.row_factor(index, o);
                    for (input, place, weight) in self.taps(index, [o, y, x]) {
                        for node in self.resolve(input, place) {
                            let edge = (row, self.number(node.layer, node.place), weight * factor * node.factor);
                            let (output, input) = ((index, [o, y, x]), (input, place));
                            edges.push(Traced { edge, output, input, passed: node.passed });
                        }
                    }
                }
            }
        }
    }

    /// Input elements of an output element, each with its weight.
    fn taps(&self, index: usize, [o, y, x]: Element) -> Vec<(usize, Element, f32)> {
        let layer = &self.net.layers[index];
        let mut taps = Vec::new();
        let (window, inputs): (_, Vec<usize>) = match &layer.op {
            Op::Input => return taps,
            Op::Add => return layer.inputs.iter().map(|&input| (input, [o, y, x], 1.0)).collect(),
            Op::Dense(dense) => {
                let from = self.net.layers[layer.inputs[0]].shape;
                for i in 0..from.len() {
                    let place = [i / (from.h * from.w), i / from.w % from.h, i % from.w];
                    taps.push((layer.inputs[0], place, dense.weight[o * from.len() + i]));
                }
                return taps;
            }
            Op::Pool(pool) => (pool.window, vec![o]),
            Op::Conv(conv) => {
                let per_group = self.net.layers[layer.inputs[0]].shape.c / conv.groups;
                let group = o / (layer.shape.c / conv.groups);
                (conv.window, (group * per_group..(group + 1) * per_group).collect())
            }
            op => panic!("no node: {op:?}"),
        };
        let from = self.net.layers[layer.inputs[0]].shape;
        let [kh, kw] = window.kernel;
        for (i, &c) in inputs.iter().enumerate() {
            for ky in 0..kh {
                for kx in 0..kw {
                    let at = |axis: usize, o: usize, k: usize| {
                        (o * window.stride[axis] + k * window.dilation[axis]).checked_sub(window.pad[axis])
                    };
                    let (Some(y), Some(x)) = (at(0, y, ky), at(1, x, kx)) else { continue };
                    if y < from.h && x < from.w {
                        let weight = match &layer.op {
                            Op::Conv(conv) => conv.weight[((o * inputs.len() + i) * kh + ky) * kw + kx],
                            _ => (0.01 / ((kh * kw) as f64).sqrt()) as f32,
                        };
                        taps.push((layer.inputs[0], [c, y, x], weight));
                    }
                }
            }
        }
        taps
    }

    /// The nodes that an element stands for.
    fn resolve(&self, index: usize, place: Element) -> Vec<Node> {
        let layer = &self.net.layers[index];
        if self.is_node(index) {
            return vec![Node { layer: index, place, factor: 1.0, passed: Vec::new() }];
        }
        let [c, y, x] = place;
        let input = layer.inputs[0];
        let from = self.net.layers[input].shape;
        match &layer.op {
            Op::Add => layer.inputs.iter().flat_map(|&input| self.resolve(input, place)).collect(),
            Op::Concat => {
                let mut first = 0;
                for &input in &layer.inputs {
                    let n = self.net.layers[input].shape.c;
                    if c < first + n {
                        return self.resolve(input, [c - first, y, x]);
                    }
                    first += n;
                }
                panic!("channel {c} of {first}")
            }
            Op::BatchNorm(_) | Op::Scale(_) => {
                let factor = if self.root(index).is_some() { 1.0 } else { self.factor(index, c) };
                let mut nodes = self.resolve(input, place);
                nodes.iter_mut().for_each(|node| node.factor *= factor);
                nodes
            }
            Op::Flatten => self.resolve(input, [c / (from.h * from.w), c / from.w % from.h, c % from.w]),
            Op::Shuffle { groups } => {
                let per_group = from.c / groups;
                self.resolve(input, [c % groups * per_group + c / groups, y, x])
            }
            Op::Slice { begin, step } => self.resolve(input, [0, 1, 2].map(|i| begin[i] + place[i] * step[i])),
            Op::Pool(Pool { window: Window { stride, .. }, .. }) => {
                self.resolve(input, [c, y * stride[0], x * stride[1]])
            }
            Op::Pad { before } => {
                let inner = [0, 1, 2].map(|i| place[i].wrapping_sub(before[i]));
                let inside = inner[0] < from.c && inner[1] < from.h && inner[2] < from.w;
                if inside { self.resolve(input, inner) } else { Vec::new() }
            }
            Op::Activation(_) => {
                let mut nodes = self.resolve(input, place);
                nodes.iter_mut().for_each(|node| node.passed.push((index, place)));
                nodes
            }
            _ => self.resolve(input, place),
        }
    }

    fn is_node(&self, index: usize) -> bool {
        let layer = &self.net.layers[index];
        match &layer.op {
            Op::Input | Op::Conv(_) | Op::Dense(_) => true,
            Op::Pool(pool) => !pool::is_slice(pool, self.net.layers[layer.inputs[0]].shape, layer.shape),
            Op::Add => self.options.residual == ResidualRule::Node,
            _ => false,
        }
    }

    fn n_readers(&self, index: usize) -> usize {
        self.net.layers.iter().flat_map(|layer| &layer.inputs).filter(|&&input| input == index).count()
    }

    /// The layer whose rows a normalisation multiplies, if it does: everything between has one reader.
    fn root(&self, index: usize) -> Option<usize> {
        let input = self.net.layers[index].inputs[0];
        if self.n_readers(input) != 1 {
            return None;
        }
        match &self.net.layers[input].op {
            Op::BatchNorm(_) | Op::Scale(_) => self.root(input),
            Op::Input | Op::Add => None,
            _ => self.is_node(input).then_some(input),
        }
    }

    fn row_factor(&self, index: usize, channel: usize) -> f32 {
        let norms = (0..self.net.layers.len())
            .filter(|&at| matches!(self.net.layers[at].op, Op::BatchNorm(_) | Op::Scale(_)))
            .filter(|&at| self.root(at) == Some(index));
        norms.map(|at| self.factor(at, channel)).product()
    }

    fn factor(&self, index: usize, channel: usize) -> f32 {
        let fold = match &self.net.layers[index].op {
            Op::BatchNorm(norm) => norm.gamma[channel] / (norm.var[channel] + norm.epsilon).sqrt(),
            Op::Scale(scale) => scale.mul[channel],
            op => panic!("no factors: {op:?}"),
        };
        match self.options.batch_norm {
            BatchNormRule::Ignore => 1.0,
            BatchNormRule::Sign => fold.signum(),
            BatchNormRule::Fold => fold,
        }
    }

    fn number(&self, index: usize, [c, y, x]: Element) -> NodeId {
        let layer = (0..index).filter(|&before| self.is_node(before)).count();
        let layer = &self.graph.layers()[layer];
        let [n_channels, height, width] = layer.shape.map(|n| n as usize);
        let shape = Shape::new(n_channels, height, width);
        let [c, y, x] = match self.net.layers[index].shape == shape {
            true => [c, y, x],
            false => [c / (height * width), c / width % height, c % width],
        };
        let channel = match layer.shuffle_groups as usize {
            0 => c,
            g => c % (n_channels / g) * g + c / (n_channels / g),
        };
        layer.nodes.start + ((y * width + x) * n_channels + channel) as u32
    }
}
