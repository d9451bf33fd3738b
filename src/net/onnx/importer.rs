//! State of one import: what every value name stands for, and the layers so far.
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::layers::Layers;
use super::node::Node;
use super::tensor::{Data, Tensor};
use super::{external, proto};
use crate::net::{Error, Op, Shape};

/// Most parameters and folded constants of one model, in elements; real networks stay below.
const BUDGET: usize = 1 << 30;
/// Elements of constants that may be computed, and for each byte of the file and its external data: a parameter may be
/// rearranged a few times, and the lists that describe shapes are short.
const COMPUTED: [usize; 2] = [1 << 22, 4];
/// Elements that a file does not hold but asks for count this often: a small file can ask for 1 GiB.
const GENERATED: usize = 4;
/// Elements of constants that may be read, and for each byte of the file and its external data: one is read once or a few
/// times, not by each of a thousand operators.
const READ: [usize; 2] = [1 << 24, 4];

/// What a name in the file stands for.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    /// A tensor that depends on the image.
    Feature(Feature),
    /// A constant as it is in the file.
    Stored(&'a proto::TensorProto<'a>),
    /// A constant that was computed.
    Constant(Rc<Tensor>),
}

/// Values of a node's outputs, in order; those that nobody can use may be missing.
pub(super) type Outputs<'a> = Result<Vec<Value<'a>>, Error>;

/// The output of a layer, as the file sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    /// The layer.
    pub layer: usize,
    /// Dimensions in the file, the batch (of one) included.
    pub dims: Vec<usize>,
    /// How the file's order of elements differs from the layer's.
    pub order: Order,
}

/// Order of a feature's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As in the layer: channel, row, column.
    Same,
    /// First half of a channel shuffle: `groups × m` channels were transposed.
    Swapped {
        /// Groups before the transposition.
        groups: usize,
    },
    /// Row, column, channel, as TensorFlow has it; of several channels and several pixels.
    ChannelsLast,
}

impl Order {
    /// Channels last in a tensor of `shape`, if that is another order than the layer's.
    pub fn channels_last(shape: Shape) -> Self {
        if shape.c == 1 || shape.h * shape.w == 1 { Self::Same } else { Self::ChannelsLast }
    }
}

/// State of one import.
pub(super) struct Importer<'a> {
    /// For messages.
    pub path: PathBuf,
    /// Where external data may be.
    pub folder: Option<PathBuf>,
    /// Version of the ONNX operator set.
    pub opset: i64,
    /// The batch size that the file declares; read as 1.
    pub batch: usize,
    /// Things a person should know.
    pub warnings: Vec<String>,
    /// The layers so far.
    pub layers: Layers,
    /// What is known about each name.
    pub values: HashMap<&'a str, Value<'a>>,
    /// Elements used of [`BUDGET`].
    pub used: usize,
    /// Elements of computed constants.
    pub computed: usize,
    /// Elements of constants that were read, however often.
    pub read: Cell<usize>,
    /// Bytes of the file.
    pub n_bytes: usize,
    /// Bytes that were read of each file with external data, or its length if that is less.
    pub external: RefCell<HashMap<PathBuf, usize>>,
}

impl<'a> Importer<'a> {
    /// A damaged or inconsistent file.
    pub fn malformed(&self, found: impl Into<String>, expected: impl Into<String>) -> Error {
        malformed(&self.path, found, expected)
    }

    /// Input `i` of a node, if present.
    pub fn value(&self, node: &Node<'a>, i: usize) -> Result<Option<&Value<'a>>, Error> {
        let Some(name) = node.input(i) else { return Ok(None) };
        match self.values.get(name) {
            Some(value) => Ok(Some(value)),
            None => Err(self.malformed(
                format!("node `{}` reads `{name}`, an output that its producer does not have", node.name),
                "a complete graph",
            )),
        }
    }

    /// Input `i` of a node, which must depend on the image.
    pub fn feature(&self, node: &Node<'a>, i: usize) -> Result<Feature, Error> {
        match self.value(node, i)? {
            Some(Value::Feature(feature)) => Ok(feature.clone()),
            Some(_) => Err(node.misfit(format!("input {i} is a constant"), "a tensor that depends on the image")),
            None => Err(node.misfit(format!("input {i} is missing"), "a tensor that depends on the image")),
        }
    }

    /// Input `i` of a node and its shape; the file's dimensions are the layer's.
    pub fn plain(&self, node: &Node<'a>, i: usize) -> Result<(Feature, Shape), Error> {
        let feature = self.feature(node, i)?;
        let shape = self.layers.get(feature.layer).shape;
        if feature.order == Order::Same && same_dims(shape, &feature.dims) {
            return Ok((feature, shape));
        }
        let found = format!("input {i}, a tensor of {shape}, rearranged to {:?}", feature.dims);
        Err(node.misfit(
            found,
            "batch × channels × height × width; a reshape or transpose has an edge rule only if it flattens, keeps \
             the shape, or is part of a channel shuffle",
        ))
    }

    /// Input `i` of a node as an image of four dimensions, and its shape.
    pub fn image(&self, node: &Node<'a>, i: usize) -> Result<(Feature, Shape), Error> {
        let (feature, shape) = self.plain(node, i)?;
        if feature.dims.len() != 4 {
            let found = format!("input {i} of dimensions {:?}", feature.dims);
            return Err(node.misfit(found, "batch × channels × height × width (a 2-D network)"));
        }
        Ok((feature, shape))
    }

    /// Input `i` of a node as a constant, if present. Errors: it depends on the image; its data is damaged.
    pub fn constant(&self, node: &Node<'a>, i: usize) -> Result<Option<Tensor>, Error> {
        match self.value(node, i)? {
            None => Ok(None),
            Some(Value::Constant(tensor)) => {
                self.charge_read(node, tensor)?;
                Ok(Some(Tensor::clone(tensor)))
            }
            Some(Value::Stored(stored)) => {
                let tensor = self.load(stored)?;
                self.charge_read(node, &tensor)?;
                Ok(Some(tensor))
            }
            Some(Value::Feature(_)) => Err(node.unknown(format!(
                "its input {i} (`{}`) is computed from the image; only constants have an edge rule there",
                node.input(i).unwrap_or_default()
            ))),
        }
    }

    /// Input `i` of a node as a constant that must be there.
    pub fn required(&self, node: &Node<'a>, i: usize, what: &str) -> Result<Tensor, Error> {
        self.constant(node, i)?.ok_or_else(|| node.misfit(format!("no {what} (input {i})"), "a constant tensor"))
    }

    /// Integers of a list attribute, or of input `i` in newer operator sets.
    pub fn int_list(&self, node: &Node<'a>, name: &str, i: usize) -> Result<Option<Cow<'a, [i64]>>, Error> {
        if let Some(list) = node.ints(name) {
            return Ok(Some(Cow::Borrowed(list)));
        }
        let Some(tensor) = self.constant(node, i)? else { return Ok(None) };
        match tensor.as_ints() {
            Some(list) => Ok(Some(Cow::Owned(list.to_vec()))),
            None => Err(node.misfit(format!("{name} (input {i}) of floats"), "integers")),
        }
    }

    /// Elements of a parameter: within the budget and finite.
    pub fn floats(&mut self, node: &Node<'a>, what: &str, tensor: Tensor) -> Result<Vec<f32>, Error> {
        match tensor.data {
            Data::Fill(_) => self.charge_generated(node, tensor.len())?,
            _ => self.charge(node, tensor.len())?,
        }
        let values = tensor.into_floats();
        node.unless_finite(what, &values)?;
        Ok(values)
    }

    /// Elements of a parameter that has one value per `channels`.
    pub fn vector(&mut self, node: &Node<'a>, i: usize, what: &str, channels: usize) -> Result<Vec<f32>, Error> {
        let tensor = self.required(node, i, what)?;
        if tensor.len() != channels {
            return Err(node.misfit(format!("{what} of {:?}", tensor.dims), format!("{channels} values")));
        }
        self.floats(node, what, tensor)
    }

    /// Accounts for `len` elements.
    pub fn charge(&mut self, node: &Node<'a>, len: usize) -> Result<(), Error> {
        self.used = self.used.saturating_add(len);
        if self.used > BUDGET {
            let found =
                format!("{} parameters and constants up to here (generated ones count {GENERATED} times)", self.used);
            return Err(node.misfit(found, format!("at most {BUDGET}")));
        }
        Ok(())
    }

    /// Accounts for `len` elements of a constant that is computed.
    pub fn charge_computed(&mut self, node: &Node<'a>, len: usize) -> Result<(), Error> {
        let most = self.most(COMPUTED);
        self.computed = self.computed.saturating_add(len);
        match self.computed <= most {
            true => self.charge(node, len),
            false => Err(node.misfit(
                format!("{} elements of computed constants up to here", self.computed),
                format!("at most {most} for a file of this size; have the exporter fold constants"),
            )),
        }
    }

    /// Accounts for a constant that is read.
    fn charge_read(&self, node: &Node<'a>, tensor: &Tensor) -> Result<(), Error> {
        if let Data::Fill(_) = tensor.data {
            return Ok(());
        }
        let (read, most) = (self.read.get().saturating_add(tensor.len()), self.most(READ));
        self.read.set(read);
        match read <= most {
            true => Ok(()),
            false => Err(node.misfit(
                format!("{read} elements of constants read up to here, those that are read again included"),
                format!("at most {most} for a file of this size; export the model with a tensor for each layer"),
            )),
        }
    }

    /// A limit in proportion to the file and its external data.
    fn most(&self, [least, each]: [usize; 2]) -> usize {
        let external: usize = self.external.borrow().values().sum();
        self.n_bytes.saturating_add(external).saturating_mul(each).saturating_add(least)
    }

    /// Accounts for `len` elements that are not in the file.
    pub fn charge_generated(&mut self, node: &Node<'a>, len: usize) -> Result<(), Error> {
        self.charge(node, len.saturating_mul(GENERATED))
    }

    /// The constant in a message, read from its own file if it is external.
    fn load(&self, stored: &proto::TensorProto<'a>) -> Result<Tensor, Error> {
        let bytes = match stored.is_external {
            true => {
                let external::ExternalData { data, path, n_bytes } =
                    external::read(stored, &self.path, self.folder.as_deref())?;
                let mut known = self.external.borrow_mut();
                let read = known.entry(path).or_default();
                *read = read.saturating_add(data.len()).min(n_bytes);
                Some(data)
            }
            false => None,
        };
        Tensor::decode(stored, bytes.as_deref())
            .map_err(|(found, expected)| self.malformed(format!("tensor `{}` has {found}", stored.name), expected))
    }

    /// Appends a layer of one input; the value has the rank of `feature`.
    pub fn emit(&mut self, node: &Node<'a>, op: Op, feature: &Feature, shape: Shape) -> Vec<Value<'a>> {
        let layer = self.layers.push(&node.name, op, vec![feature.layer], shape);
        vec![Value::Feature(Feature { layer, dims: dims_like(&feature.dims, shape), order: Order::Same })]
    }
}

/// A damaged or inconsistent file.
pub(super) fn malformed(path: &Path, found: impl Into<String>, expected: impl Into<String>) -> Error {
    Error::Malformed { path: path.to_path_buf(), found: found.into(), expected: expected.into() }
}

/// Dimensions of `shape`, batch included, in the rank of `dims`.
fn dims_like(dims: &[usize], shape: Shape) -> Vec<usize> {
    let needed = match (shape.h, shape.w) {
        (1, 1) => 2,
        (_, 1) => 3,
        _ => 4,
    };
    let mut all = vec![1, shape.c, shape.h, shape.w];
    all.truncate(dims.len().max(needed));
    all
}

/// True if `dims`, batch included, are those of `shape`, up to units at the end.
pub(super) fn same_dims(shape: Shape, dims: &[usize]) -> bool {
    let padded = |i: usize| dims.get(i).copied().unwrap_or(1);
    dims.first() == Some(&1)
        && [padded(1), padded(2), padded(3)] == [shape.c, shape.h, shape.w]
        && dims.iter().skip(4).all(|d| *d == 1)
}

/// True if an input of the node depends on the image.
pub(super) fn reads_features<'a>(importer: &Importer<'a>, node: &Node<'a>) -> Result<bool, Error> {
    for i in 0..node.proto.inputs.len() {
        if let Some(Value::Feature(_)) = importer.value(node, i)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A constant as integers, as axes and shapes are.
pub(super) fn integers(node: &Node<'_>, tensor: Tensor) -> Result<Vec<i64>, Error> {
    match tensor.data {
        Data::Int(values) => Ok(values),
        _ => Err(node.misfit("a constant of floats", "integers")),
    }
}

/// Position of an axis that may count from the end.
pub(super) fn axis(node: &Node<'_>, axis: i64, rank: usize) -> Result<usize, Error> {
    let position = if axis < 0 { axis.checked_add_unsigned(rank as u64) } else { Some(axis) };
    position
        .and_then(|at| usize::try_from(at).ok())
        .filter(|at| *at < rank)
        .ok_or_else(|| node.misfit(format!("axis {axis} of a tensor of {rank} dimensions"), "an axis that exists"))
}
