//! The messages of `onnx.proto` that an importer needs, borrowed from the file's bytes.
//!
//! Fields that are not listed (doc strings, value_info, subgraphs, functions) are skipped unread. Repeated scalars may
//! be packed or not: proto2 writers (PyTorch, MATLAB) do one, proto3 writers the other. Absent scalars are the
//! protobuf default, since proto3 writers leave out zeros.
use super::wire::{MAX_REPEAT, WireError, WireField, WireFields};

/// A message that can be read from its bytes.
trait Message<'a>: Default {
    /// Takes one field; unknown numbers are ignored.
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError>;

    /// Reads all fields.
    fn parse(bytes: &'a [u8]) -> Result<Self, WireError> {
        let mut message = Self::default();
        for field in WireFields::new(bytes) {
            message.set(&field?)?;
        }
        Ok(message)
    }

    /// Appends the message in `field` to a list of bounded length.
    fn push(list: &mut Vec<Self>, field: &WireField<'a>) -> Result<(), WireError> {
        if list.len() >= MAX_REPEAT {
            return Err(WireError::Repeat(field.number));
        }
        list.push(Self::parse(field.bytes()?)?);
        Ok(())
    }
}

/// `ModelProto`.
#[derive(Debug, Default)]
pub(super) struct Model<'a> {
    /// The graph, if the file has one.
    pub graph: Option<Graph<'a>>,
    /// Domain and version of each operator set.
    pub opsets: Vec<Opset<'a>>,
}

impl<'a> Model<'a> {
    /// Reads a model file. Errors: anything that is not protobuf, or not of this schema.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, WireError> {
        Self::parse(bytes)
    }
}

impl<'a> Message<'a> for Model<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            7 => self.graph = Some(Graph::parse(field.bytes()?)?),
            8 => Opset::push(&mut self.opsets, field)?,
            _ => {}
        }
        Ok(())
    }
}

/// `OperatorSetIdProto`.
#[derive(Debug, Default)]
pub(super) struct Opset<'a> {
    /// Empty for ONNX itself.
    pub domain: &'a str,
    /// The version.
    pub version: i64,
}

impl<'a> Message<'a> for Opset<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => self.domain = field.text()?,
            2 => self.version = field.int()?,
            _ => {}
        }
        Ok(())
    }
}

/// `GraphProto`.
#[derive(Debug, Default)]
pub(super) struct Graph<'a> {
    /// Operators, in file order.
    pub nodes: Vec<NodeProto<'a>>,
    /// Constants.
    pub initializers: Vec<TensorProto<'a>>,
    /// Declared inputs; in old files also the initializers.
    pub inputs: Vec<ValueInfo<'a>>,
    /// Declared outputs.
    pub outputs: Vec<ValueInfo<'a>>,
}

impl<'a> Message<'a> for Graph<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => NodeProto::push(&mut self.nodes, field)?,
            5 => TensorProto::push(&mut self.initializers, field)?,
            11 => ValueInfo::push(&mut self.inputs, field)?,
            12 => ValueInfo::push(&mut self.outputs, field)?,
            _ => {}
        }
        Ok(())
    }
}

/// `NodeProto`.
#[derive(Debug, Default)]
pub(super) struct NodeProto<'a> {
    /// Names of the values it reads; empty for an absent optional input.
    pub inputs: Vec<&'a str>,
    /// Names of the values it makes.
    pub outputs: Vec<&'a str>,
    /// May be empty.
    pub name: &'a str,
    /// The operator.
    pub op: &'a str,
    /// Empty for ONNX itself.
    pub domain: &'a str,
    /// Attributes.
    pub attributes: Vec<Attribute<'a>>,
}

impl<'a> Message<'a> for NodeProto<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => self.inputs.push(field.text()?),
            2 => self.outputs.push(field.text()?),
            3 => self.name = field.text()?,
            4 => self.op = field.text()?,
            5 => Attribute::push(&mut self.attributes, field)?,
            7 => self.domain = field.text()?,
            _ => {}
        }
        Ok(())
    }
}

/// `AttributeProto`, without subgraphs.
#[derive(Debug, Default)]
pub(super) struct Attribute<'a> {
    /// Its name.
    pub name: &'a str,
    /// Value of a float attribute.
    pub float: f32,
    /// Value of an integer attribute.
    pub int: i64,
    /// Value of a string attribute.
    pub text: &'a [u8],
    /// Value of a tensor attribute.
    pub tensor: Option<Box<TensorProto<'a>>>,
    /// Value of a float list.
    pub floats: Vec<f32>,
    /// Value of an integer list.
    pub ints: Vec<i64>,
}

impl<'a> Message<'a> for Attribute<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => self.name = field.text()?,
            2 => self.float = field.float()?,
            3 => self.int = field.int()?,
            4 => self.text = field.bytes()?,
            5 => self.tensor = Some(Box::new(TensorProto::parse(field.bytes()?)?)),
            7 => field.floats_into(&mut self.floats)?,
            8 => field.ints_into(&mut self.ints)?,
            _ => {}
        }
        Ok(())
    }
}

/// `TensorProto`.
#[derive(Debug, Default)]
pub(super) struct TensorProto<'a> {
    /// Size per axis, as written.
    pub dims: Vec<i64>,
    /// `TensorProto.DataType`.
    pub data_type: i64,
    /// `float_data`.
    pub floats: Vec<f32>,
    /// `int32_data` and `int64_data`.
    pub ints: Vec<i64>,
    /// `double_data`, rounded.
    pub doubles: Vec<f32>,
    /// `raw_data`, little-endian.
    pub raw: Option<&'a [u8]>,
    /// Its name.
    pub name: &'a str,
    /// Keys and values that locate external data.
    pub external: Vec<Entry<'a>>,
    /// True if the data is in another file.
    pub is_external: bool,
}

impl<'a> Message<'a> for TensorProto<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => field.ints_into(&mut self.dims)?,
            2 => self.data_type = field.int()?,
            4 => field.floats_into(&mut self.floats)?,
            5 | 7 => field.ints_into(&mut self.ints)?,
            8 => self.name = field.text()?,
            9 => self.raw = Some(field.bytes()?),
            10 => field.doubles_into(&mut self.doubles)?,
            13 => Entry::push(&mut self.external, field)?,
            14 => self.is_external = field.int()? == 1,
            _ => {}
        }
        Ok(())
    }
}

/// `StringStringEntryProto`.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    /// The key.
    pub key: &'a str,
    /// The value.
    pub value: &'a str,
}

impl<'a> Message<'a> for Entry<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => self.key = field.text()?,
            2 => self.value = field.text()?,
            _ => {}
        }
        Ok(())
    }
}

/// `ValueInfoProto` of a tensor: its name and declared dimensions.
#[derive(Debug, Default)]
pub(super) struct ValueInfo<'a> {
    /// Name of the value.
    pub name: &'a str,
    /// Its dimensions, if declared; symbolic ones are `None`.
    pub dims: Option<Vec<Option<i64>>>,
}

impl<'a> Message<'a> for ValueInfo<'a> {
    fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.number {
            1 => self.name = field.text()?,
            2 => {
                for kind in WireFields::new(field.bytes()?) {
                    let kind = kind?;
                    if kind.number == 1 {
                        self.dims = tensor_dims(kind.bytes()?)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Dimensions in a `TypeProto.Tensor`, or nothing if it has no shape.
fn tensor_dims(tensor: &[u8]) -> Result<Option<Vec<Option<i64>>>, WireError> {
    let mut dims = None;
    for field in WireFields::new(tensor) {
        let field = field?;
        if field.number != 2 {
            continue;
        }
        let list: &mut Vec<Option<i64>> = dims.get_or_insert_default();
        for dim in WireFields::new(field.bytes()?) {
            let dim = dim?;
            if dim.number == 1 {
                list.push(dimension(dim.bytes()?)?);
            }
        }
    }
    Ok(dims)
}

/// Value of one `TensorShapeProto.Dimension`, or nothing if symbolic.
fn dimension(bytes: &[u8]) -> Result<Option<i64>, WireError> {
    let mut value = None;
    for field in WireFields::new(bytes) {
        let field = field?;
        if field.number == 1 {
            value = Some(field.int()?);
        }
    }
    Ok(value)
}
