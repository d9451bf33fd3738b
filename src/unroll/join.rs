//! Concatenations and sums: several views become one.

use std::collections::HashMap;

use super::error::Error;
use super::limits::MAX_CHANNELS;
use super::view::View;
use crate::net::Shape;

/// Most contributions of one tensor. Real networks have a few hundred.
const MAX_CONTRIBUTIONS: usize = 1 << 16;

/// Concatenation along channels.
pub(super) fn concat(layer: &str, inputs: &[&View]) -> Result<View, Error> {
    let pixels = inputs[0].shape;
    for view in inputs {
        if view.flat {
            return Err(Error::Flattened { layer: layer.into(), op: "concatenation", origin: view.shape });
        }
        if (view.shape.h, view.shape.w) != (pixels.h, pixels.w) {
            let expected = Shape { c: view.shape.c, ..pixels };
            return Err(Error::Shape { layer: layer.into(), found: view.shape, expected });
        }
    }
    let shape = Shape { c: inputs.iter().map(|view| view.shape.c).sum(), ..pixels };
    let mut joined = View { shape, flat: false, contributions: Vec::new() };
    let mut first = 0;
    let mut n_listed = 0;
    for view in inputs {
        n_listed += view.n_listed();
        check(layer, "channels", n_listed, MAX_CHANNELS)?;
        check_contributions(layer, joined.contributions.len() + view.contributions.len())?;
        joined.contributions.extend(View::clone(view).within(first, shape).contributions);
        first += view.shape.c;
    }
    Ok(joined)
}

/// Elementwise sum: the contributions of all addends, so that sums of sums flatten. An addend that occurs again is counted.
pub(super) fn add(layer: &str, inputs: &[&View]) -> Result<View, Error> {
    let mut sum = View { contributions: Vec::new(), ..*inputs[0] };
    let mut known: HashMap<_, usize> = HashMap::new();
    for view in inputs {
        check_addend(layer, inputs[0], view)?;
        for contribution in &view.contributions {
            let at = *known.entry(contribution.key()).or_insert(sum.contributions.len());
            match sum.contributions.get_mut(at) {
                Some(same) => same.count = same.count.saturating_add(contribution.count),
                None => sum.contributions.push(contribution.clone()),
            }
        }
        check_contributions(layer, sum.contributions.len())?;
    }
    Ok(sum)
}

/// That a tensor has no more contributions than there may be.
pub(super) fn check_contributions(layer: &str, found: usize) -> Result<(), Error> {
    check(layer, "parts of sums and concatenations", found as u64, MAX_CONTRIBUTIONS as u64)
}

fn check(layer: &str, what: &'static str, found: u64, most: u64) -> Result<(), Error> {
    match found <= most {
        true => Ok(()),
        false => Err(Error::TooLong { layer: layer.into(), what, most }),
    }
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
