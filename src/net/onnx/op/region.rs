//! Parts of a tensor, and borders of zeros: `Slice`, `Split`, `Pad`.
use super::{Importer, Node, Outputs, Value, axis, integers, layers};
use crate::net::{Error, Op, Shape};

/// Begin, step and number of elements along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SliceSpan {
    /// First element.
    pub begin: usize,
    /// Step, at least 1.
    pub step: usize,
    /// Number of elements; may be 0.
    pub len: usize,
}

/// Reads `Slice` in its attribute form (opset < 10) and its input form.
pub(super) fn slice<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, shape) = importer.plain(node, 0)?;
    let spans = spans(importer, node, &feature.dims)?;
    cut(importer, node, 0, &spans, shape).map(|value| vec![value.unwrap_or(Value::Feature(feature))])
}

/// What a `Slice` takes along each axis of a tensor of `dims`.
pub(super) fn spans<'a>(importer: &Importer<'a>, node: &Node<'a>, dims: &[usize]) -> Result<Vec<SliceSpan>, Error> {
    let list = |name: &str, i: usize| importer.int_list(node, name, i);
    let missing = |what: &str| node.misfit(format!("no {what}"), "starts and ends");
    let starts = list("starts", 1)?.ok_or_else(|| missing("starts"))?;
    let ends = list("ends", 2)?.ok_or_else(|| missing("ends"))?;
    let axes = list("axes", 3)?;
    let steps = list("steps", 4)?;
    let count = starts.len();
    let agrees = |len: Option<usize>| len.is_none_or(|len| len == count);
    if ends.len() != count || !agrees(axes.as_ref().map(|a| a.len())) || !agrees(steps.as_ref().map(|s| s.len())) {
        return Err(node.misfit("lists of different lengths", "one start, end, axis and step for each axis"));
    }
    let mut spans: Vec<SliceSpan> = dims.iter().map(|size| SliceSpan { begin: 0, step: 1, len: *size }).collect();
    for (k, (start, end)) in starts.iter().zip(ends.iter()).enumerate() {
        let listed = axes.as_ref().and_then(|axes| axes.get(k)).copied().unwrap_or(k as i64);
        let at = axis(node, listed, dims.len())?;
        let step = steps.as_ref().and_then(|steps| steps.get(k)).copied().unwrap_or(1);
        let Some(step) = usize::try_from(step).ok().filter(|step| *step >= 1) else {
            return Err(node.misfit(format!("step {step}"), "a step of at least 1 (a flip has no edge rule)"));
        };
        let size = dims[at];
        let clamp = |position: i64| match usize::try_from(position) {
            Ok(position) => position.min(size),
            Err(_) => size.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        let (begin, end) = (clamp(*start), clamp(*end));
        spans[at] = SliceSpan { begin, step, len: end.saturating_sub(begin).div_ceil(step) };
    }
    Ok(spans)
}

/// Appends a slice layer of input `i`; nothing if the spans are the whole tensor.
fn cut<'a>(
    importer: &mut Importer<'a>,
    node: &Node<'a>,
    i: usize,
    spans: &[SliceSpan],
    shape: Shape,
) -> Result<Option<Value<'a>>, Error> {
    let (feature, _) = importer.plain(node, i)?;
    let whole = SliceSpan { begin: 0, step: 1, len: 1 };
    let at = |axis: usize| spans.get(axis).copied().unwrap_or(whole);
    if at(0).len != 1 {
        return Err(node.misfit("a slice of the batch axis", "slices of channels, height or width"));
    }
    let [c, h, w] = [at(1), at(2), at(3)];
    if spans.iter().any(|span| span.len == 0) {
        return Err(node.misfit("an empty slice", "at least one element along every axis"));
    }
    let out = layers::shape(&node.name, [c.len, h.len, w.len])?;
    if out == shape {
        return Ok(None);
    }
    let op = Op::Slice { begin: [c.begin, h.begin, w.begin], step: [c.step, h.step, w.step] };
    Ok(importer.emit(node, op, &feature, out).pop())
}

/// Reads `Split` along channels: one slice per output.
pub(super) fn split<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, shape) = importer.plain(node, 0)?;
    let at = axis(node, node.int("axis", 0), feature.dims.len())?;
    if at == 0 {
        return Err(node.unknown("axis 0 is the batch; only other axes can be split"));
    }
    let parts = node.proto.outputs.len();
    let size = feature.dims[at];
    let lengths: Vec<usize> = match importer.int_list(node, "split", 1)? {
        Some(list) => list.iter().map(|len| usize::try_from(*len).unwrap_or(usize::MAX)).collect(),
        None => {
            let each = size.div_ceil(parts.max(1));
            (0..parts).map(|part| size.saturating_sub(part * each).min(each)).collect()
        }
    };
    let total = lengths.iter().try_fold(0usize, |sum, len| sum.checked_add(*len));
    if lengths.len() != parts || total != Some(size) {
        return Err(node.misfit(format!("parts {lengths:?}"), format!("{parts} parts of {size} elements together")));
    }
    let mut begin = 0;
    let mut outputs = Vec::with_capacity(parts);
    for len in lengths {
        let mut spans: Vec<SliceSpan> =
            feature.dims.iter().map(|size| SliceSpan { begin: 0, step: 1, len: *size }).collect();
        spans[at] = SliceSpan { begin, step: 1, len };
        begin += len;
        let part = cut(importer, node, 0, &spans, shape)?;
        outputs.push(part.unwrap_or_else(|| Value::Feature(feature.clone())));
    }
    Ok(outputs)
}

/// Reads `Pad` with zeros, in its attribute forms and its input form.
pub(super) fn pad<'a>(importer: &mut Importer<'a>, node: &Node<'a>) -> Outputs<'a> {
    let (feature, shape) = importer.plain(node, 0)?;
    let rank = feature.dims.len();
    let name = if node.attribute("paddings").is_some() { "paddings" } else { "pads" };
    let list = importer.int_list(node, name, 1)?.ok_or_else(|| node.misfit("no pads", "pads"))?;
    let axes: Vec<usize> = match importer.constant(node, 3)? {
        Some(tensor) => integers(node, tensor)?.into_iter().map(|at| axis(node, at, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    let bad = |expected: &str| node.misfit(format!("pads {list:?}"), expected);
    if list.len() != 2 * axes.len() {
        return Err(bad("two numbers for each axis"));
    }
    let (mut before, mut after) = ([0usize; 4], [0usize; 4]);
    for (k, at) in axes.iter().enumerate() {
        for (pads, value) in [(&mut before, list[k]), (&mut after, list[k + axes.len()])] {
            let value = usize::try_from(value).ok().filter(|value| *value <= layers::MAX_ELEMENTS);
            let value = value.ok_or_else(|| bad("no negative numbers (use Slice to crop)"))?;
            match pads.get_mut(*at) {
                Some(pad) => *pad = value,
                None if value == 0 => {}
                None => return Err(bad("padding of channels, height and width only")),
            }
        }
    }
    if before[0] != 0 || after[0] != 0 {
        return Err(bad("no padding of the batch"));
    }
    if before == [0; 4] && after == [0; 4] {
        return Ok(vec![Value::Feature(feature)]);
    }
    check_zeros(importer, node)?;
    let [c, h, w] = [(shape.c, 1), (shape.h, 2), (shape.w, 3)].map(|(size, at)| size + before[at] + after[at]);
    let out = layers::shape(&node.name, [c, h, w])?;
    let op = Op::Pad { before: [before[1], before[2], before[3]] };
    Ok(importer.emit(node, op, &feature, out))
}

/// The border must be zeros.
fn check_zeros<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<(), Error> {
    let mode = node.text("mode");
    if !matches!(mode, "" | "constant") {
        return Err(
            node.unknown(format!("mode `{mode}` repeats elements of the image; only padding with zeros is covered"))
        );
    }
    let value = match importer.constant(node, 2)? {
        Some(tensor) => tensor.as_scalar().unwrap_or(f32::NAN),
        None => node.float("value", 0.0),
    };
    match value == 0.0 {
        true => Ok(()),
        false => Err(node.unknown(format!("it pads with {value}; only padding with zeros is covered"))),
    }
}
