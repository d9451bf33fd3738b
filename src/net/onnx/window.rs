//! Sliding windows: attributes in, [`Window`] and output size out. All rules of ONNX for `auto_pad`, `ceil_mode`,
//! asymmetric padding and dilation are here.
use super::node::Node;
use crate::net::{Error, Window};

/// A window and the size `[height, width]` of what it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// The window, with the padding before.
    pub window: Window,
    /// Padding below and to the right.
    pub pad_after: [usize; 2],
    /// Output size.
    pub size: [usize; 2],
}

/// Places a window with the given kernel on an input of `size`, by the node's attributes.
///
/// Errors: zero or negative sizes, strides and dilations, negative padding, a kernel larger than the padded input.
pub(super) fn place(node: &Node<'_>, kernel: [usize; 2], size: [usize; 2]) -> Result<Placed, Error> {
    let stride = pair(node, "strides")?.unwrap_or([1, 1]);
    let dilation = pair(node, "dilations")?.unwrap_or([1, 1]);
    let mut placed =
        Placed { window: Window { kernel, stride, pad: [0, 0], dilation }, pad_after: [0, 0], size: [0, 0] };
    let pads = pads(node)?;
    for axis in 0..2 {
        let extent = extent(node, kernel[axis], dilation[axis])?;
        let (before, after) = match node.text("auto_pad") {
            "" | "NOTSET" => (pads[axis], pads[axis + 2]),
            "VALID" => (0, 0),
            mode @ ("SAME_UPPER" | "SAME_LOWER") => {
                let out = size[axis].div_ceil(stride[axis]);
                // At least 0: (out − 1)·stride < size.
                let total = ((out.max(1) - 1) * stride[axis]).saturating_add(extent).saturating_sub(size[axis]);
                let (less, more) = (total / 2, total - total / 2);
                if mode == "SAME_UPPER" { (less, more) } else { (more, less) }
            }
            other => {
                let expected = "NOTSET, SAME_UPPER, SAME_LOWER or VALID";
                return Err(node.misfit(format!("auto_pad `{other}`"), expected));
            }
        };
        placed.window.pad[axis] = before;
        placed.pad_after[axis] = after;
        placed.size[axis] = steps(node, size[axis], [before, after], extent, stride[axis])?;
    }
    Ok(placed)
}

/// Number of window positions along one axis.
fn steps(node: &Node<'_>, size: usize, pads: [usize; 2], extent: usize, stride: usize) -> Result<usize, Error> {
    let [before, after] = pads;
    let padded = size.checked_add(before).and_then(|sum| sum.checked_add(after));
    let Some(room) = padded.and_then(|padded| padded.checked_sub(extent)) else {
        let found = format!("a window of {extent} on {size} + {before} + {after} padded elements");
        return Err(node.misfit(found, "a window that fits (a larger --input-size?)"));
    };
    if node.int("ceil_mode", 0) == 0 {
        return Ok(room / stride + 1);
    }
    let out = room.div_ceil(stride) + 1;
    // The last window must start inside the input or the padding before it, as in PyTorch and ONNX Runtime.
    let last_is_outside = (out - 1).checked_mul(stride).is_none_or(|start| start >= size + before);
    Ok(if last_is_outside { (out - 1).max(1) } else { out })
}

/// Elements that a dilated kernel spans.
fn extent(node: &Node<'_>, kernel: usize, dilation: usize) -> Result<usize, Error> {
    let span = kernel.checked_sub(1).and_then(|gaps| gaps.checked_mul(dilation)).and_then(|span| span.checked_add(1));
    span.filter(|span| *span <= MAX_ATTRIBUTE).ok_or_else(|| {
        node.misfit(format!("kernel {kernel} with dilation {dilation}"), "a kernel of at least one element")
    })
}

/// Larger attribute values than this cannot be meant.
const MAX_ATTRIBUTE: usize = 1 << 31;

/// A list of two numbers in the attributes, vertical and horizontal, if given.
pub(super) fn pair(node: &Node<'_>, name: &str) -> Result<Option<[usize; 2]>, Error> {
    let Some(list) = node.ints(name) else { return Ok(None) };
    let bad = || node.misfit(format!("{name} {list:?}"), "two numbers of at least 1 (a 2-D network)");
    let pair: [i64; 2] = list.try_into().map_err(|_| bad())?;
    let size = |value: i64| usize::try_from(value).ok().filter(|value| (1..=MAX_ATTRIBUTE).contains(value));
    match (size(pair[0]), size(pair[1])) {
        (Some(vertical), Some(horizontal)) => Ok(Some([vertical, horizontal])),
        _ => Err(bad()),
    }
}

/// Top, left, bottom, right.
fn pads(node: &Node<'_>) -> Result<[usize; 4], Error> {
    let Some(list) = node.ints("pads").filter(|list| !list.is_empty()) else { return Ok([0; 4]) };
    let bad = || node.misfit(format!("pads {list:?}"), "four numbers, none negative");
    let mut pads = [0; 4];
    let list: [i64; 4] = list.try_into().map_err(|_| bad())?;
    for (pad, value) in pads.iter_mut().zip(list) {
        *pad = usize::try_from(value).ok().filter(|value| *value <= MAX_ATTRIBUTE).ok_or_else(bad)?;
    }
    Ok(pads)
}

#[cfg(test)]
mod tests {
    use super::super::proto;
    use super::*;

    fn with<T>(attributes: &[(&'static str, &[i64], i64, &'static str)], f: impl Fn(&Node<'_>) -> T) -> T {
        let attributes = attributes
            .iter()
            .map(|(name, ints, int, text)| proto::Attribute {
                name,
                ints: ints.to_vec(),
                int: *int,
                text: text.as_bytes(),
                ..Default::default()
            })
            .collect();
        let proto = proto::NodeProto { name: "pool", op: "MaxPool", attributes, ..Default::default() };
        f(&Node::new(&proto, 0))
    }

    #[test]
    fn ceil_mode_adds_a_window_only_if_it_starts_inside() {
        let size = |n: usize, k: usize, s: i64, p: i64| {
            with(&[("strides", &[s, s], 0, ""), ("pads", &[p, p, p, p], 0, ""), ("ceil_mode", &[], 1, "")], |node| {
                place(node, [k, k], [n, n]).unwrap().size[0]
            })
        };
        assert_eq!(size(113, 3, 2, 0), 56); // SqueezeNet
        assert_eq!(size(112, 3, 2, 0), 56);
        assert_eq!(size(6, 2, 3, 1), 3);
        assert_eq!(size(5, 2, 3, 1), 2); // a third window would start at 6 = 5 + 1
    }

    #[test]
    fn same_padding_goes_where_it_says() {
        for (mode, before, after) in [("SAME_UPPER", 0, 1), ("SAME_LOWER", 1, 0)] {
            let placed = with(&[("auto_pad", &[], 0, mode), ("strides", &[2, 2], 0, "")], |node| {
                place(node, [3, 3], [4, 4]).unwrap()
            });
            assert_eq!((placed.window.pad, placed.pad_after, placed.size), ([before; 2], [after; 2], [2, 2]));
        }
    }

    #[test]
    fn hostile_attributes_are_errors() {
        for (name, list) in [
            ("strides", &[0, 1][..]),
            ("strides", &[1]),
            ("dilations", &[i64::MAX, 1]),
            ("pads", &[-1, 0, 0, 0]),
            ("pads", &[0, 0]),
            ("strides", &[-1, -1]),
        ] {
            assert!(with(&[(name, list, 0, "")], |node| place(node, [3, 3], [8, 8])).is_err(), "{name} {list:?}");
        }
        assert!(with(&[("auto_pad", &[], 0, "SOMEHOW")], |node| place(node, [3, 3], [8, 8])).is_err());
        assert!(with(&[], |node| place(node, [9, 9], [8, 8])).is_err());
        assert!(with(&[], |node| place(node, [0, 1], [8, 8])).is_err());
    }
}
