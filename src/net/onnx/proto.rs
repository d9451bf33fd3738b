//! The messages of `onnx.proto` that an importer needs, borrowed from the file's bytes.
//!
//! A field is declared once, with its number or numbers in the schema; its type says how it is read. Fields that are not
//! listed (doc strings, value_info, subgraphs, functions) are skipped unread. Repeated scalars may be packed or not: proto2
//! writers (PyTorch, MATLAB) do one, proto3 writers the other. Absent scalars are the protobuf default, since proto3 writers
//! leave out zeros.
use super::wire::{FieldValue, MAX_REPEAT, WireError, WireField, WireFields};

/// A message that can be read from its bytes.
pub(super) trait Message<'a>: Default {
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
}

impl<'a, M: Message<'a>> FieldValue<'a> for Option<Box<M>> {
    fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        *self = Some(Box::new(M::parse(field.bytes()?)?));
        Ok(())
    }
}

/// A list of bounded length.
impl<'a, M: Message<'a>> FieldValue<'a> for Vec<M> {
    fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        if self.len() >= MAX_REPEAT {
            return Err(WireError::Repeat(field.number));
        }
        self.push(M::parse(field.bytes()?)?);
        Ok(())
    }
}

/// `message! { Name { number => field: Type, … } }` declares a struct and its [`Message`].
macro_rules! message {
    ($(#[$doc:meta])* $Name:ident { $($(#[$field_doc:meta])* $($number:literal)|+ => $field:ident: $Type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $Name<'a> {
            $($(#[$field_doc])* pub $field: $Type,)*
        }

        impl<'a> Message<'a> for $Name<'a> {
            fn set(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
                match field.number {
                    $($($number)|+ => self.$field.read(field),)*
                    _ => Ok(()),
                }
            }
        }
    };
}

message! {
    /// `ModelProto`.
    Model {
        /// The graph, if the file has one.
        7 => graph: Option<Box<Graph<'a>>>,
        /// Domain and version of each operator set.
        8 => opsets: Vec<Opset<'a>>,
    }
}

message! {
    /// `OperatorSetIdProto`.
    Opset {
        /// Empty for ONNX itself.
        1 => domain: &'a str,
        /// The version.
        2 => version: i64,
    }
}

message! {
    /// `GraphProto`.
    Graph {
        /// Operators, in file order.
        1 => nodes: Vec<NodeProto<'a>>,
        /// Constants.
        5 => initializers: Vec<TensorProto<'a>>,
        /// Declared inputs; in old files also the initializers.
        11 => inputs: Vec<ValueInfo<'a>>,
        /// Declared outputs.
        12 => outputs: Vec<ValueInfo<'a>>,
    }
}

message! {
    /// `NodeProto`.
    NodeProto {
        /// Names of the values it reads; empty for an absent optional input.
        1 => inputs: Vec<&'a str>,
        /// Names of the values it makes.
        2 => outputs: Vec<&'a str>,
        /// May be empty.
        3 => name: &'a str,
        /// The operator.
        4 => op: &'a str,
        /// Empty for ONNX itself.
        7 => domain: &'a str,
        /// Attributes.
        5 => attributes: Vec<Attribute<'a>>,
    }
}

message! {
    /// `AttributeProto`, without subgraphs.
    Attribute {
        /// Its name.
        1 => name: &'a str,
        /// Value of a float attribute.
        2 => float: f32,
        /// Value of an integer attribute.
        3 => int: i64,
        /// Value of a string attribute.
        4 => text: &'a [u8],
        /// Value of a tensor attribute.
        5 => tensor: Option<Box<TensorProto<'a>>>,
        /// Value of a float list.
        7 => floats: Vec<f32>,
        /// Value of an integer list.
        8 => ints: Vec<i64>,
    }
}

message! {
    /// `TensorProto`.
    TensorProto {
        /// Size per axis, as written.
        1 => dims: Vec<i64>,
        /// `TensorProto.DataType`.
        2 => data_type: i64,
        /// `float_data`.
        4 => floats: Vec<f32>,
        /// `int32_data` and `int64_data`.
        5 | 7 => ints: Vec<i64>,
        /// `double_data`.
        10 => doubles: Vec<f64>,
        /// `raw_data`, little-endian.
        9 => raw: Option<&'a [u8]>,
        /// Its name.
        8 => name: &'a str,
        /// Keys and values that locate external data.
        13 => external: Vec<Entry<'a>>,
        /// True if the data is in another file.
        14 => is_external: bool,
    }
}

message! {
    /// `StringStringEntryProto`.
    Entry {
        /// The key.
        1 => key: &'a str,
        /// The value.
        2 => value: &'a str,
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
    for shape in numbered(tensor, 2) {
        let list: &mut Vec<Option<i64>> = dims.get_or_insert_default();
        for dim in numbered(shape?.bytes()?, 1) {
            list.push(dimension(dim?.bytes()?)?);
        }
    }
    Ok(dims)
}

/// Value of one `TensorShapeProto.Dimension`, or nothing if symbolic.
fn dimension(bytes: &[u8]) -> Result<Option<i64>, WireError> {
    let mut value = None;
    for field in numbered(bytes, 1) {
        value = Some(field?.int()?);
    }
    Ok(value)
}

/// The fields of a message with this number.
fn numbered(bytes: &[u8], number: u64) -> impl Iterator<Item = Result<WireField<'_>, WireError>> {
    WireFields::new(bytes).filter(move |field| field.as_ref().map_or(true, |field| field.number == number))
}
