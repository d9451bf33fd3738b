//! That a network's layers fit each other: checked before anything is computed from them.

use super::Error;
use super::weights::check_length;
use crate::net::{Layer, Network, Op, Shape, Window};

/// Checks input counts, elementwise shapes, and per-channel parameters.
///
/// # Panics
/// If a layer reads one that does not come before it, which no [`Network`] does.
pub(super) fn network(net: &Network) -> Result<(), Error> {
    for (index, layer) in net.layers.iter().enumerate() {
        assert!(layer.inputs.iter().all(|&input| input < index), "layers are in topological order");
        let n_inputs = layer.inputs.len();
        let fits = match layer.op {
            Op::Input => n_inputs == 0,
            Op::Concat | Op::Add => n_inputs > 0,
            _ => n_inputs == 1,
        };
        if !fits {
            check_length(layer, "inputs", n_inputs, usize::from(!matches!(layer.op, Op::Input)))?;
        }
        if layer.shape.is_empty() {
            let Shape { c, h, w } = layer.shape;
            return shape(layer, Shape::new(c.max(1), h.max(1), w.max(1)));
        }
        channels(layer)?;
        if let Some(&input) = layer.inputs.first() {
            fits_input(layer, net.layers[input].shape)?;
        }
    }
    Ok(())
}

/// That per-channel parameters have a value per channel.
fn channels(layer: &Layer) -> Result<(), Error> {
    let c = layer.shape.c;
    match &layer.op {
        Op::BatchNorm(norm) => {
            check_length(layer, "batch normalisation scales", norm.gamma.len(), c)?;
            check_length(layer, "batch normalisation variances", norm.var.len(), c)
        }
        Op::Scale(scale) => check_length(layer, "scale factors", scale.mul.len(), c),
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
            let n_steps = |axis: usize, n: usize| match step[axis] {
                0 => Err(Error::Window { layer: layer.name.clone(), what: "step" }),
                step => Ok(n.saturating_sub(begin[axis]).div_ceil(step)),
            };
            let most = Shape { c: n_steps(0, input.c)?, h: n_steps(1, input.h)?, w: n_steps(2, input.w)? };
            shape(layer, Shape { c: found.c.min(most.c), h: found.h.min(most.h), w: found.w.min(most.w) })
        }
        Op::Pad { before } => {
            let least = Shape { c: input.c + before[0], h: input.h + before[1], w: input.w + before[2] };
            shape(layer, Shape { c: found.c.max(least.c), h: found.h.max(least.h), w: found.w.max(least.w) })
        }
        Op::Input | Op::Conv(_) | Op::Concat => Ok(()),
    }
}

/// That a layer has the shape that follows from its inputs.
pub(super) fn shape(layer: &Layer, expected: Shape) -> Result<(), Error> {
    if layer.shape == expected {
        return Ok(());
    }
    Err(Error::Shape { layer: layer.name.clone(), found: layer.shape, expected })
}

/// That groups divide a channel count.
pub(super) fn divides(layer: &Layer, what: &'static str, found: usize, groups: usize) -> Result<(), Error> {
    if groups == 0 {
        return Err(Error::Window { layer: layer.name.clone(), what: "groups" });
    }
    check_length(layer, what, found, found.div_ceil(groups) * groups)
}

/// That a window has taps and moves.
pub(super) fn window(layer: &Layer, window: &Window) -> Result<(), Error> {
    for (what, sizes) in [("kernel size", window.kernel), ("stride", window.stride), ("dilation", window.dilation)] {
        if sizes.contains(&0) {
            return Err(Error::Window { layer: layer.name.clone(), what });
        }
    }
    Ok(())
}
