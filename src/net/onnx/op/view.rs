//! Operators that move no numbers, only name them differently: flattening, reshaping, transposing, casting.
//!
//! A reshape that no edge rule needs leaves the layer as it is and changes only the dimensions that the file sees. It
//! becomes a layer when it flattens, or when it ends a channel shuffle (reshape, transpose, reshape).
use super::{Feature, Importer, MAX_RANK, Node, Order, Outputs, Value, axis, count, same_dims};
use crate::net::{Error, Op, Shape};

/// Reads `Cast` from float to float.
pub(super) fn cast<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let to = node.int("to", 0);
    let is_float = matches!(to, 1 | 10 | 11 | 16) || matches!(node.text("to"), "FLOAT" | "FLOAT16" | "DOUBLE");
    if !is_float {
        return Err(node.unknown(format!("it rounds the image to integers (data type {to})")));
    }
    importer.feature(node, 0).map(|feature| vec![Value::Feature(feature)])
}

/// Reads `Flatten`, `Reshape`, `Squeeze` and `Unsqueeze`.
pub(super) fn rename<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let feature = importer.feature(node, 0)?;
    let dims = renamed(importer, node, &feature.dims, importer.batch)?;
    to_dims(importer, node, feature, dims)
}

/// The dimensions that these operators give to a tensor of `dims`. The shape of a `Reshape` is an attribute (opset < 5) or a
/// constant.
pub(super) fn renamed<'a>(
    importer: &Importer<'a>,
    node: &Node<'a>,
    dims: &[usize],
    batch: usize,
) -> Result<Vec<usize>, Error> {
    match node.op() {
        "Flatten" => flattened(node, dims),
        "Squeeze" => squeezed(importer, node, dims),
        "Unsqueeze" => unsqueezed(importer, node, dims),
        _ => {
            let target = importer.int_list(node, "shape", 1)?;
            let target = target.ok_or_else(|| node.misfit("no shape", "an attribute or a constant"))?;
            // A batch size that the exporter wrote down is read as 1, like the batch itself.
            let one = |(i, d): (usize, &i64)| if i == 0 && usize::try_from(*d) == Ok(batch) { 1 } else { *d };
            target_dims(node, dims, &target.iter().enumerate().map(one).collect::<Vec<_>>())
        }
    }
}

/// The two dimensions of a `Flatten`.
fn flattened(node: &Node<'_>, dims: &[usize]) -> Result<Vec<usize>, Error> {
    let at = match node.int("axis", 1) {
        whole if usize::try_from(whole) == Ok(dims.len()) => dims.len(),
        other => axis(node, other, dims.len())?,
    };
    let (rows, columns) = dims.split_at(at);
    match (count(rows), count(columns)) {
        (Some(rows), Some(columns)) => Ok(vec![rows, columns]),
        _ => Err(node.misfit(format!("dimensions {dims:?}"), "fewer elements")),
    }
}

/// Resolves 0 (copy) and −1 (whatever is left). Errors: another number of elements.
fn target_dims(node: &Node<'_>, dims: &[usize], target: &[i64]) -> Result<Vec<usize>, Error> {
    check_rank(node, target.len())?;
    let len = count(dims).unwrap_or(usize::MAX);
    let wrong = || {
        let expected = format!("a shape of {len} elements (is --input-size the size the network was made for?)");
        node.misfit(format!("a tensor of {dims:?} reshaped to {target:?}"), expected)
    };
    let mut out = Vec::with_capacity(target.len().min(16));
    for (i, d) in target.iter().enumerate() {
        out.push(match d {
            0 if node.int("allowzero", 0) == 0 => *dims.get(i).ok_or_else(wrong)?,
            -1 => 1,
            d => usize::try_from(*d).map_err(|_| wrong())?,
        });
    }
    let known = count(&out).ok_or_else(wrong)?;
    let mut free = target.iter().enumerate().filter(|(_, d)| **d == -1).map(|(i, _)| i);
    match (free.next(), free.next()) {
        (None, _) if known == len => Ok(out),
        (Some(i), None) if known > 0 && len.is_multiple_of(known) => {
            out[i] = len / known;
            Ok(out)
        }
        _ => Err(wrong()),
    }
}

/// Dimensions after a `Squeeze`.
fn squeezed<'a>(importer: &Importer<'a>, node: &Node<'a>, dims: &[usize]) -> Result<Vec<usize>, Error> {
    let Some(list) = importer.int_list(node, "axes", 1)? else {
        // The batch stays, or the rest could not be told from it.
        let keep = usize::from(dims.len() > 1 && dims.first() == Some(&1));
        return Ok(dims.iter().enumerate().filter(|(i, d)| *i < keep || **d != 1).map(|(_, d)| *d).collect());
    };
    let axes: Vec<usize> = list.iter().map(|at| axis(node, *at, dims.len())).collect::<Result<_, _>>()?;
    if let Some(at) = axes.iter().find(|at| dims[**at] != 1) {
        return Err(node.misfit(format!("axis {at} of a tensor of {dims:?}"), "an axis of one element"));
    }
    Ok(dims.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, d)| *d).collect())
}

/// Dimensions after an `Unsqueeze`.
fn unsqueezed<'a>(importer: &Importer<'a>, node: &Node<'a>, dims: &[usize]) -> Result<Vec<usize>, Error> {
    let list = importer.int_list(node, "axes", 1)?.ok_or_else(|| node.misfit("no axes", "axes"))?;
    let rank = dims.len() + list.len();
    check_rank(node, rank)?;
    let mut axes: Vec<usize> = list.iter().map(|at| axis(node, *at, rank)).collect::<Result<_, _>>()?;
    axes.sort_unstable();
    let mut out = dims.to_vec();
    for at in axes {
        if at > out.len() {
            return Err(node.misfit(format!("axes {list:?}"), "different axes"));
        }
        out.insert(at, 1);
    }
    Ok(out)
}

fn check_rank(node: &Node<'_>, rank: usize) -> Result<(), Error> {
    match rank <= MAX_RANK {
        true => Ok(()),
        false => Err(node.misfit(format!("{rank} dimensions"), format!("at most {MAX_RANK}"))),
    }
}

/// Reads `Transpose`: one that moves only units, the middle of a channel shuffle, or a change between
/// channels-first and channels-last.
pub(super) fn transpose<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let feature = importer.feature(node, 0)?;
    let perm = permutation(node, feature.dims.len())?;
    let dims: Vec<usize> = perm.iter().map(|at| feature.dims[*at]).collect();
    let moved: Vec<usize> = perm.iter().copied().filter(|at| feature.dims[*at] != 1).collect();
    if moved.is_sorted() {
        return to_dims(importer, node, feature, dims);
    }
    let shape = importer.layers.get(feature.layer).shape;
    let order = match feature.order {
        Order::Same if same_dims(shape, &feature.dims) && perm == [0, 2, 3, 1] => Some(Order::ChannelsLast),
        Order::Same => shuffled(&feature.dims, &perm, shape).map(|groups| Order::Swapped { groups }),
        Order::ChannelsLast if feature.dims == [1, shape.h, shape.w, shape.c] && perm == [0, 3, 1, 2] => {
            Some(Order::Same)
        }
        _ => None,
    };
    match order {
        Some(order) => Ok(vec![Value::Feature(Feature { dims, order, ..feature })]),
        None => Err(node.unknown(format!(
            "permutation {perm:?} of {:?} is neither part of a channel shuffle nor a change of layout",
            feature.dims
        ))),
    }
}

/// The permutation of a `Transpose`: a rearrangement of all axes.
pub(super) fn permutation(node: &Node<'_>, rank: usize) -> Result<Vec<usize>, Error> {
    let Some(list) = node.ints("perm") else { return Ok((0..rank).rev().collect()) };
    let perm: Vec<usize> = list.iter().map(|at| axis(node, *at, rank)).collect::<Result<_, _>>()?;
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    match sorted.iter().copied().eq(0..rank) {
        true => Ok(perm),
        false => Err(node.misfit(format!("permutation {list:?}"), format!("each of {rank} axes once"))),
    }
}

/// Groups of a shuffle: the channels were split into `groups × m`, and those two axes are exchanged.
fn shuffled(dims: &[usize], perm: &[usize], shape: Shape) -> Option<usize> {
    let first = usize::from(dims.first() == Some(&1));
    let (groups, each) = (*dims.get(first)?, *dims.get(first + 1)?);
    let exchanged = perm.get(first) == Some(&(first + 1)) && perm.get(first + 1) == Some(&first);
    let rest_stays = perm.iter().enumerate().all(|(i, at)| i == *at || i == first || i == first + 1);
    (exchanged && rest_stays && groups.checked_mul(each) == Some(shape.c)).then_some(groups)
}

/// Gives a feature other dimensions of the same number of elements; appends a layer if that flattens or shuffles.
fn to_dims<'a>(importer: &mut Importer<'a>, node: &Node<'a>, mut feature: Feature, dims: Vec<usize>) -> Outputs<'a> {
    let shape = importer.layers.get(feature.layer).shape;
    let same = |feature: Feature, dims| Ok(vec![Value::Feature(Feature { dims, ..feature })]);
    if feature.order == Order::ChannelsLast {
        return same(feature, dims);
    }
    if let Order::Swapped { groups } = feature.order {
        let op = Op::Shuffle { groups };
        feature.layer = importer.layers.push(&node.name, op, vec![feature.layer], shape);
        feature.order = Order::Same;
    }
    let flat = Shape::new(shape.len(), 1, 1);
    if same_dims(shape, &dims) || !same_dims(flat, &dims) {
        let layer = importer.layers.get(feature.layer);
        let undone = layer.inputs.first().filter(|_| layer.op == Op::Flatten).copied();
        if let Some(source) = undone.filter(|source| same_dims(importer.layers.get(*source).shape, &dims)) {
            feature.layer = source;
        }
        return same(feature, dims);
    }
    let layer = importer.layers.push(&node.name, Op::Flatten, vec![feature.layer], flat);
    same(Feature { layer, ..feature }, dims)
}
