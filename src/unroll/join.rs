//! Concatenations and sums: several views become one.

use super::Error;
use super::view::{Channel, View};
use crate::net::Shape;

/// Concatenation along channels.
pub(super) fn concat(layer: &str, inputs: &[&View]) -> Result<View, Error> {
    let pixels = inputs[0].shape;
    let mut joined = View { shape: Shape { c: 0, ..pixels }, flat: false, pieces: Vec::new() };
    for view in inputs {
        if view.flat {
            return Err(Error::Flattened { layer: layer.into(), op: "concatenation", origin: view.shape });
        }
        if (view.shape.h, view.shape.w) != (pixels.h, pixels.w) {
            let expected = Shape { c: view.shape.c, ..pixels };
            return Err(Error::Shape { layer: layer.into(), found: view.shape, expected });
        }
        let shift = joined.shape.c as u32;
        joined.pieces.extend(view.pieces.iter().cloned().map(|mut piece| {
            if shift > 0 {
                let moved = |c: &Channel| Channel { tensor: c.tensor + shift, ..*c };
                piece.channels = piece.channels.iter().map(moved).collect();
            }
            piece
        }));
        joined.shape.c += view.shape.c;
    }
    Ok(joined)
}

/// Elementwise sum: the pieces of all addends, so that sums of sums flatten.
pub(super) fn add(layer: &str, inputs: &[&View]) -> Result<View, Error> {
    let mut sum = inputs[0].clone();
    for view in &inputs[1..] {
        check_addend(layer, &sum, view)?;
        sum.pieces.extend(view.pieces.iter().cloned());
    }
    Ok(sum)
}

/// That two views can be added element by element.
pub(super) fn check_addend(layer: &str, first: &View, other: &View) -> Result<(), Error> {
    if first.outer_shape() != other.outer_shape() {
        return Err(Error::Shape { layer: layer.into(), found: other.outer_shape(), expected: first.outer_shape() });
    }
    if first.shape != other.shape {
        let origin = if first.flat { first.shape } else { other.shape };
        return Err(Error::Flattened { layer: layer.into(), op: "addition", origin });
    }
    Ok(())
}
