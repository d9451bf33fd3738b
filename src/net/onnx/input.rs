//! The image: which graph input it is, and its size.
use super::importer::{Feature, Importer, Order, Value, malformed};
use super::layers;
use super::node::Node;
use super::proto::{Graph, ValueInfo};
use crate::net::{Error, Op};

/// Makes layer 0 of the one input that is no initializer and that `nodes` read.
///
/// Errors: none or several of them; dimensions that are neither `batch × channels × height × width` nor
/// `batch × n`; sizes that neither the file nor `size` says.
pub(super) fn declare<'a>(
    importer: &mut Importer<'a>,
    graph: &'a Graph<'a>,
    nodes: &[Node<'a>],
    size: Option<[usize; 2]>,
) -> Result<(), Error> {
    let info = find(importer, graph, nodes)?;
    let error =
        |found: String, expected: &str| malformed(&importer.path, format!("input `{}` {found}", info.name), expected);
    let Some(declared) = &info.dims else {
        return Err(error("has no shape".into(), "a tensor of batch × channels × height × width"));
    };
    let channels_last = declared.len() == 4 && is_channels_last(info.name, nodes);
    let batch = declared.first().copied().flatten().and_then(|batch| usize::try_from(batch).ok()).filter(|b| *b > 1);
    let dims = sizes(declared, size, channels_last).map_err(|(found, expected)| error(found, expected))?;
    let shape = match dims[..] {
        [_, h, w, c] if channels_last => [c, h, w],
        [_, c, h, w] => [c, h, w],
        [_, n] => [n, 1, 1],
        _ => {
            let found = format!("has {} dimensions", declared.len());
            return Err(error(found, "batch × channels × height × width, or batch × n"));
        }
    };
    let shape = layers::shape(info.name, shape)?;
    if let Some(batch) = batch {
        importer.warnings.push(format!("input `{}` is declared as a batch of {batch}; one image is read", info.name));
    }
    if channels_last {
        importer.warnings.push(format!("input `{}` is channels-last; images are fed channels-first", info.name));
    }
    importer.batch = batch.unwrap_or(1);
    let order = if channels_last { Order::channels_last(shape) } else { Order::Same };
    let layer = importer.layers.push(info.name, Op::Input, Vec::new(), shape);
    importer.values.insert(info.name, Value::Feature(Feature { layer, dims, order }));
    Ok(())
}

/// The declared dimensions with a batch of 1 and the given height and width. Errors: found, expected.
fn sizes(
    declared: &[Option<i64>],
    size: Option<[usize; 2]>,
    channels_last: bool,
) -> Result<Vec<usize>, (String, &'static str)> {
    let is_image = declared.len() == 4;
    let mut dims = declared.to_vec();
    if let Some(first) = dims.first_mut() {
        *first = Some(1);
    }
    if let Some(size) = size {
        let space = if channels_last { 1..3 } else { 2..4 };
        let Some(space) = dims.get_mut(space).filter(|_| is_image) else {
            return Err((format!("has {} dimensions", declared.len()), "no --input-size for it: it is no image"));
        };
        space.iter_mut().zip(size).for_each(|(d, size)| *d = i64::try_from(size).ok());
    }
    let known: Option<Vec<usize>> =
        dims.iter().map(|d| d.and_then(|d| usize::try_from(d).ok()).filter(|d| *d > 0)).collect();
    known.ok_or_else(|| match size {
        None if is_image => ("leaves its size open".into(), "the size of the image: pass --input-size HEIGHTxWIDTH"),
        _ => ("leaves its sizes open".into(), "a fixed number of channels: export the model with one"),
    })
}

/// The graph input that is the image. Old files list initializers as inputs, too.
fn find<'a>(importer: &Importer<'a>, graph: &'a Graph<'a>, nodes: &[Node<'a>]) -> Result<&'a ValueInfo<'a>, Error> {
    let read: std::collections::HashSet<&str> =
        nodes.iter().flat_map(|node| node.proto.inputs.iter().copied()).collect();
    let images: Vec<&ValueInfo<'_>> = graph
        .inputs
        .iter()
        .filter(|info| !importer.values.contains_key(info.name) && read.contains(info.name))
        .collect();
    match images[..] {
        [info] => Ok(info),
        [] => Err(importer.malformed("the output reads no input", "one input, the image")),
        _ => {
            let names: Vec<&str> = images.iter().map(|info| info.name).take(8).collect();
            Err(importer.malformed(format!("several inputs, `{}`", names.join("`, `")), "one input, the image"))
        }
    }
}

/// True if all that happens to the input is a transposition to channels-first.
fn is_channels_last<'a>(input: &str, nodes: &[Node<'a>]) -> bool {
    let mut readers = nodes.iter().filter(|node| node.proto.inputs.contains(&input) && node.op() != "Shape").peekable();
    readers.peek().is_some()
        && readers.all(|node| node.op() == "Transpose" && node.ints("perm") == Some(&[0, 3, 1, 2][..]))
}
