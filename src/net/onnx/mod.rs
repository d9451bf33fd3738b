//! ONNX files: protobuf in, [`Network`] out.
//!
//! 1. `wire` and `proto` read the protobuf, borrowing the weights from the file's bytes;
//! 2. `order` keeps the nodes that the first output needs and sorts them;
//! 3. `op` reads one node after the other: constants are folded, views of a tensor are followed, everything else
//!    becomes a layer. Shapes are our own inference; what the file declares is used for the image alone;
//! 4. `layers` merges biases and scales and drops what the output does not need.
//!
//! Operator sets 3 to today's. A file is never trusted: whatever its bytes, the result is a network or an error, and
//! memory stays in proportion to the file (generated weights: 1 GiB at most).
mod external;
mod importer;
mod input;
mod layers;
mod node;
mod op;
mod order;
mod proto;
mod tensor;
mod window;
mod wire;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;

use importer::{Feature, Importer, Order, Value, malformed};
use layers::Layers;
use proto::Message as _;

use super::{Error, Network, Op, Shape};
use crate::{regular, staging};

/// Longer files are not read: protobuf ends at 2 GiB.
const MAX_BYTES: u64 = 1 << 31;

/// Reads the ONNX file at `path`.
///
/// `input_size` is the image's height and width, in place of the file's; it is required if the file leaves them open.
/// The network is named after the file. Where the file has several outputs, the first is taken, with a warning.
///
/// Errors: [`Error::Io`], [`Error::OtherKind`], [`Error::Malformed`] (no ONNX file, or an inconsistent one), [`Error::UnknownOperator`],
/// [`Error::NotMonotone`], [`Error::NotFinite`], [`Error::Misfit`].
pub fn read(path: &Path, input_size: Option<[usize; 2]>) -> Result<Network, Error> {
    let bytes = regular::read(path, MAX_BYTES).map_err(|source| Error::Io { path: path.into(), source })?;
    if let Some(error) = Error::other_kind(path, &bytes, "an ONNX model") {
        return Err(error);
    }
    let mut network = import(path, &bytes, Some(staging::parent(path)), input_size)?;
    network.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(network)
}

/// Reads an ONNX file that is already in memory.
///
/// `name` is for the network and for messages; external data is looked for in `base_dir`, and refused without one.
/// Otherwise as [`read`].
pub fn read_bytes(
    name: &str,
    bytes: &[u8],
    base_dir: Option<&Path>,
    input_size: Option<[usize; 2]>,
) -> Result<Network, Error> {
    let mut network = import(Path::new(name), bytes, base_dir, input_size)?;
    network.name = name.to_string();
    Ok(network)
}

/// Reads a file's bytes; the network has no name yet.
fn import(path: &Path, bytes: &[u8], folder: Option<&Path>, input_size: Option<[usize; 2]>) -> Result<Network, Error> {
    let not_onnx = |found: String| malformed(path, found, "an ONNX model");
    let model = proto::Model::parse(bytes).map_err(|error| not_onnx(error.to_string()))?;
    let graph = model.graph.as_ref().ok_or_else(|| not_onnx("there is no graph".into()))?;
    let output = graph.outputs.first().ok_or_else(|| not_onnx("the graph has no output".into()))?.name;
    let opset = model.opsets.iter().find(|opset| matches!(opset.domain, "" | "ai.onnx"));
    let mut importer = Importer {
        path: path.to_path_buf(),
        folder: folder.map(Path::to_path_buf),
        opset: opset.map_or(1, |opset| opset.version),
        batch: 1,
        warnings: Vec::new(),
        layers: Layers::default(),
        values: HashMap::new(),
        used: 0,
        computed: 0,
        read: Cell::new(0),
        n_bytes: bytes.len(),
        external: RefCell::default(),
    };
    if graph.outputs.len() > 1 {
        let rest: Vec<&str> = graph.outputs.iter().skip(1).map(|output| output.name).take(4).collect();
        let dots = if graph.outputs.len() > 5 { ", …" } else { "" };
        importer.warnings.push(format!("the first output, `{output}`, is used; not `{}`{dots}", rest.join("`, `")));
    }
    for tensor in &graph.initializers {
        importer.values.insert(tensor.name, Value::Stored(tensor));
    }
    let known: HashSet<&str> = graph
        .initializers
        .iter()
        .map(|tensor| tensor.name)
        .chain(graph.inputs.iter().map(|input| input.name))
        .collect();
    let nodes =
        order::needed(&graph.nodes, &known, output).map_err(|(found, expected)| importer.malformed(found, expected))?;
    input::declare(&mut importer, graph, &nodes, input_size)?;
    for node in &nodes {
        let values = op::apply(&mut importer, node)?;
        importer.values.extend(node.proto.outputs.iter().copied().zip(values));
    }
    finish(importer, output)
}

/// The layer whose elements are those of a feature in the file's order; appended under names that begin with `name` if need be.
fn in_file_order(layers: &mut Layers, name: &str, feature: &Feature) -> usize {
    let shape = layers.get(feature.layer).shape;
    let (groups, shape, layer) = match feature.order {
        Order::Same => return feature.layer,
        Order::Swapped { groups } => (groups, shape, feature.layer),
        Order::ChannelsLast => {
            let flat = Shape::new(shape.len(), 1, 1);
            (shape.c, flat, layers.push(&format!("{name}/flat"), Op::Flatten, vec![feature.layer], flat))
        }
    };
    layers.push(&format!("{name}/file_order"), Op::Shuffle { groups }, vec![layer], shape)
}

/// The layers that the output needs.
fn finish(importer: Importer<'_>, output: &str) -> Result<Network, Error> {
    let Some(Value::Feature(feature)) = importer.values.get(output) else {
        return Err(importer.malformed(format!("the output `{output}` does not depend on the image"), "a network"));
    };
    let (feature, path, warnings) = (feature.clone(), importer.path, importer.warnings);
    let mut layers = importer.layers;
    let layer = in_file_order(&mut layers, output, &feature);
    let layers = layers.finish(layer);
    let softmax = layers.iter().position(|layer| layer.op == Op::Softmax);
    if let Some(layer) = softmax.filter(|at| at + 1 < layers.len()).and_then(|at| layers.get(at)) {
        return Err(Error::UnknownOperator {
            layer: layer.name.clone(),
            op: "Softmax".into(),
            hint: "it has an edge rule only as the last layer (attention is not covered)".into(),
        });
    }
    if layers.len() < 2 {
        return Err(malformed(&path, "the output is the input", "a network with layers"));
    }
    Ok(Network { name: String::new(), layers, warnings })
}
