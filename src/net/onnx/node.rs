//! One operator of the file: its name for messages, its inputs and its attributes.
use super::proto;
use crate::net::Error;

/// A node with the name that messages and layers use.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    /// The node's name, or `<op>_<position in the file>`.
    pub name: String,
    /// The message.
    pub proto: &'a proto::NodeProto<'a>,
}

impl<'a> Node<'a> {
    /// The node at `position` in the file.
    pub fn new(proto: &'a proto::NodeProto<'a>, position: usize) -> Self {
        let name = if proto.name.is_empty() { format!("{}_{position}", proto.op) } else { proto.name.to_string() };
        Self { name, proto }
    }

    /// The operator.
    pub fn op(&self) -> &'a str {
        self.proto.op
    }

    /// Name of input `i`, unless absent.
    pub fn input(&self, i: usize) -> Option<&'a str> {
        self.proto.inputs.get(i).copied().filter(|name| !name.is_empty())
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&'a proto::Attribute<'a>> {
        self.proto.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// An integer attribute.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.int)
    }

    /// A float attribute.
    pub fn float(&self, name: &str, default: f32) -> f32 {
        self.attribute(name).map_or(default, |attribute| attribute.float)
    }

    /// A list attribute.
    pub fn ints(&self, name: &str) -> Option<&'a [i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// A text attribute; empty if absent or not UTF-8.
    pub fn text(&self, name: &str) -> &'a str {
        self.attribute(name).and_then(|attribute| std::str::from_utf8(attribute.text).ok()).unwrap_or_default()
    }

    /// Sizes that do not fit, or an attribute or constant with a value that has no meaning here.
    pub fn misfit(&self, found: impl Into<String>, expected: impl Into<String>) -> Error {
        Error::misfit(&self.name, found, expected)
    }

    /// [`Error::NotFinite`] unless all values are finite.
    pub fn unless_finite(&self, tensor: &str, values: &[f32]) -> Result<(), Error> {
        Error::unless_finite(&self.name, tensor, values)
    }

    /// An operator, or a use of one, that has no edge rule.
    pub fn unknown(&self, hint: impl Into<String>) -> Error {
        let op = match self.proto.domain {
            "" | "ai.onnx" => self.op().to_string(),
            domain => format!("{domain}.{}", self.op()),
        };
        Error::UnknownOperator { layer: self.name.clone(), op, hint: hint.into() }
    }

    /// An activation that is not monotone; `what` names it.
    pub fn not_monotone(&self, what: impl Into<String>) -> Error {
        Error::NotMonotone { layer: self.name.clone(), op: what.into() }
    }
}
