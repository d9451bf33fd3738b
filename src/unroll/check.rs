//! That a network's layers fit each other: checked before anything is computed from them.

use super::error::Error;
use crate::graph::Totals;
use crate::net::{Layer, Network, Op, Shape, Window};

/// Largest kernel side, stride, dilation or padding: no image is larger, and products of them cannot overflow.
const MAX_WINDOW: usize = 1 << 16;

/// Elements of tensors without nodes that any network may have, and that it may have for each node. Real networks have up to
/// some fifty for each (concatenations of concatenations, normalised), a chain of paddings of a pixel has any number.
const WITHOUT_NODES: [u64; 2] = [1 << 21, 256];

/// Graphs of fewer nodes may be without edges.
const MANY_NODES: u64 = 1 << 24;

/// Checks input counts, elementwise shapes, per-channel parameters, and that tensors are in proportion to the nodes.
///
/// # Panics
/// If a layer reads one that does not come before it, which no [`Network`] does.
pub(crate) fn network(net: &Network) -> Result<(), Error> {
    for (index, layer) in net.layers.iter().enumerate() {
        assert!(layer.inputs.iter().all(|&input| input < index), "layers are in topological order");
        let n_inputs = layer.inputs.len();
        let fits = match layer.op {
            Op::Input => n_inputs == 0,
            Op::Concat | Op::Add => n_inputs > 0,
            _ => n_inputs == 1,
        };
        if !fits {
            count(layer, "inputs", n_inputs, usize::from(!matches!(layer.op, Op::Input)))?;
        }
        size(layer)?;
        channels(layer)?;
        if let Some(&input) = layer.inputs.first() {
            fits_input(layer, net.layers[input].shape)?;
        }
    }
    proportion(net)
}

/// That the tensors between nodes are not many more than the nodes: a forward pass computes them all.
fn proportion(net: &Network) -> Result<(), Error> {
    let has_nodes = |layer: &&Layer| matches!(layer.op, Op::Input | Op::Conv(_) | Op::Dense(_) | Op::Pool(_));
    let n_nodes: u64 = net.layers.iter().filter(has_nodes).map(|layer| layer.shape.len() as u64).sum();
    let most = WITHOUT_NODES[0] + WITHOUT_NODES[1].saturating_mul(n_nodes);
    let mut used = 0u64;
    for layer in net.layers.iter().filter(|layer| !has_nodes(layer)) {
        used += layer.shape.len() as u64; // each below 2^32
        if used > most {
            let what = "elements of tensors that are no nodes";
            return Err(Error::TooLong { layer: layer.name.clone(), what, most });
        }
    }
    Ok(())
}

/// That there are elements, and that they can be numbered.
fn size(layer: &Layer) -> Result<(), Error> {
    let Shape { c, h, w } = layer.shape;
    shape(layer, Shape::new(c.max(1), h.max(1), w.max(1)))?;
    match c.checked_mul(h).and_then(|n| n.checked_mul(w)) {
        Some(n) if n < u32::MAX as usize => Ok(()),
        _ => Err(Error::TooLarge { layer: layer.name.clone(), found: layer.shape }),
    }
}

/// That per-channel parameters have a value per channel.
fn channels(layer: &Layer) -> Result<(), Error> {
    let c = layer.shape.c;
    match &layer.op {
        Op::BatchNorm(norm) => {
            count(layer, "batch normalisation scales", norm.gamma.len(), c)?;
            count(layer, "batch normalisation variances", norm.var.len(), c)
        }
        Op::Scale(scale) => count(layer, "scale factors", scale.mul.len(), c),
        Op::Shuffle { groups } => divides(layer, "channels", c, *groups),
        _ => Ok(()),
    }
}

/// That the layer's shape follows from its first input's, where that says all.
fn fits_input(layer: &Layer, input: Shape) -> Result<(), Error> {
    let found = layer.shape;
    match &layer.op {
        Op::Activation(_) | Op::BatchNorm(_) | Op::Lrn(_) | Op::Scale(_) | Op::Shuffle { .. } | Op::Softmax => {
            shape(layer, input)
        }
        Op::Add => shape(layer, input),
        Op::Flatten => shape(layer, Shape::new(input.len(), 1, 1)),
        Op::Pool(_) => shape(layer, Shape { c: input.c, ..found }),
        Op::Dense(_) => shape(layer, Shape { h: 1, w: 1, ..found }),
        Op::Slice { begin, step } => {
            step.iter().try_for_each(|&step| within(layer, "step", step, 1, usize::MAX))?;
            let n_steps = |axis: usize, n: usize| n.saturating_sub(begin[axis]).div_ceil(step[axis]);
            let most = Shape::new(n_steps(0, input.c), n_steps(1, input.h), n_steps(2, input.w));
            shape(layer, Shape { c: found.c.min(most.c), h: found.h.min(most.h), w: found.w.min(most.w) })
        }
        Op::Pad { before } => {
            before.iter().try_for_each(|&before| within(layer, "padding", before, 0, MAX_WINDOW))?;
            let least = Shape { c: input.c + before[0], h: input.h + before[1], w: input.w + before[2] };
            shape(layer, Shape { c: found.c.max(least.c), h: found.h.max(least.h), w: found.w.max(least.w) })
        }
        Op::Input | Op::Conv(_) | Op::Concat => Ok(()),
    }
}

/// That a graph of many nodes has edges: without them, an image of any size costs a file nothing.
pub(super) fn density(totals: Totals) -> Result<(), Error> {
    let (nodes, edges) = (u64::from(totals.n_nodes), totals.n_edges);
    match nodes < MANY_NODES || edges >= nodes / 64 {
        true => Ok(()),
        false => Err(Error::TooSparse { nodes, edges }),
    }
}

/// That a layer has the shape that follows from its inputs.
pub(crate) fn shape(layer: &Layer, expected: Shape) -> Result<(), Error> {
    if layer.shape == expected {
        return Ok(());
    }
    Err(Error::Shape { layer: layer.name.clone(), found: layer.shape, expected })
}

/// That groups divide a channel count.
pub(super) fn divides(layer: &Layer, what: &'static str, found: usize, groups: usize) -> Result<(), Error> {
    within(layer, "groups", groups, 1, found.max(1))?;
    count(layer, what, found, found.div_ceil(groups) * groups)
}

/// That a window has taps, moves, and is no larger than [`MAX_WINDOW`].
pub(crate) fn window(layer: &Layer, window: &Window) -> Result<(), Error> {
    let Window { kernel, stride, pad, dilation } = *window;
    let parts = [("kernel size", kernel, 1), ("stride", stride, 1), ("dilation", dilation, 1), ("padding", pad, 0)];
    for (what, sizes, least) in parts {
        sizes.iter().try_for_each(|&size| within(layer, what, size, least, MAX_WINDOW))?;
    }
    Ok(())
}

fn within(layer: &Layer, what: &'static str, found: usize, least: usize, most: usize) -> Result<(), Error> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(Error::Window { layer: layer.name.clone(), what, found, least, most })
}

/// That a parameter tensor has as many values as its layer's shapes ask for.
pub(crate) fn count(layer: &Layer, what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Parameters { layer: layer.name.clone(), what, found, expected })
}
