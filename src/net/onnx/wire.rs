//! The protobuf wire format over a byte slice: fields in, borrowed payloads out.
//!
//! Every length is checked against the message that contains it, so a truncated file is an error and never a shorter
//! model; nothing is allocated here, and nothing recurses.

/// A message that does not follow the wire format, or a field of the wrong kind.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum WireError {
    /// A varint, a fixed value or a length reaches over the end of its message.
    #[error("the data ends in the middle of a field (a truncated file?)")]
    Truncated,
    /// More than 64 bits in a varint.
    #[error("a variable-length integer is longer than 64 bits")]
    Varint,
    /// Wire types 3, 4, 6 and 7 do not occur in ONNX.
    #[error("wire type {0} does not occur in ONNX")]
    WireType(u8),
    /// The field's wire type does not fit the schema.
    #[error("field {0} has the wrong wire type")]
    Kind(u64),
    /// A string that is not UTF-8.
    #[error("field {0} is not UTF-8 text")]
    Utf8(u64),
    /// More repetitions than any real model has.
    #[error("field {0} is repeated more than {MAX_REPEAT} times")]
    Repeat(u64),
}

/// Upper bound on the entries of a repeated message field, so that small files cannot ask for large lists.
pub(super) const MAX_REPEAT: usize = 1 << 20;

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Payload<'a> {
    /// Integers, enums, booleans.
    Varint(u64),
    /// `double`, little-endian.
    Fixed64([u8; 8]),
    /// Strings, bytes, messages, packed lists.
    Bytes(&'a [u8]),
    /// `float`, little-endian.
    Fixed32([u8; 4]),
}

/// One field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WireField<'a> {
    /// Field number in the schema.
    pub number: u64,
    /// Its value.
    pub payload: Payload<'a>,
}

/// The fields of one message, in file order.
pub(super) struct WireFields<'a> {
    rest: &'a [u8],
}

impl<'a> WireFields<'a> {
    /// Reads the message that `bytes` hold.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0u64;
        for at in 0..10 {
            let byte = *self.rest.get(at).ok_or(WireError::Truncated)?;
            if at == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = self.rest.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(WireError::Varint)
    }

    fn take(&mut self, len: u64) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(len).map_err(|_| WireError::Truncated)?;
        let (head, tail) = self.rest.split_at_checked(len).ok_or(WireError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn field(&mut self) -> Result<WireField<'a>, WireError> {
        let tag = self.varint()?;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(self.take(8)?.try_into().map_err(|_| WireError::Truncated)?),
            2 => {
                let len = self.varint()?;
                Payload::Bytes(self.take(len)?)
            }
            5 => Payload::Fixed32(self.take(4)?.try_into().map_err(|_| WireError::Truncated)?),
            other => return Err(WireError::WireType(other as u8)),
        };
        Ok(WireField { number: tag >> 3, payload })
    }
}

impl<'a> Iterator for WireFields<'a> {
    type Item = Result<WireField<'a>, WireError>;

    /// The next field; after an error nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> WireField<'a> {
    /// An `int32`, `int64` or enum.
    pub fn int(&self) -> Result<i64, WireError> {
        match self.payload {
            Payload::Varint(value) => Ok(value as i64),
            _ => Err(WireError::Kind(self.number)),
        }
    }

    /// A `float`.
    pub fn float(&self) -> Result<f32, WireError> {
        match self.payload {
            Payload::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err(WireError::Kind(self.number)),
        }
    }

    /// Bytes, or the inside of a message.
    pub fn bytes(&self) -> Result<&'a [u8], WireError> {
        match self.payload {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(WireError::Kind(self.number)),
        }
    }

    /// A string.
    pub fn text(&self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::Utf8(self.number))
    }
}

/// What a field of a message can be.
pub(super) trait FieldValue<'a> {
    /// Reads the value of `field`; one that is there already is replaced, a list gets longer.
    fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError>;
}

/// `scalars! { Type: how it is read; … }`
macro_rules! scalars {
    ($($Type:ty: $read:expr;)*) => {
        $(impl<'a> FieldValue<'a> for $Type {
            fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
                *self = $read(field)?;
                Ok(())
            }
        })*
    };
}

scalars! {
    i64: WireField::int;
    f32: WireField::float;
    &'a str: WireField::text;
    &'a [u8]: WireField::bytes;
    Option<&'a [u8]>: |field: &WireField<'a>| field.bytes().map(Some);
    bool: |field: &WireField<'a>| field.int().map(|value| value == 1);
}

impl<'a> FieldValue<'a> for Vec<&'a str> {
    fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        self.push(field.text()?);
        Ok(())
    }
}

/// One integer, or a packed list of them.
impl<'a> FieldValue<'a> for Vec<i64> {
    fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
        match field.payload {
            Payload::Varint(value) => self.push(value as i64),
            Payload::Bytes(bytes) => {
                let mut list = WireFields::new(bytes);
                while !list.rest.is_empty() {
                    self.push(list.varint()? as i64);
                }
            }
            _ => return Err(WireError::Kind(field.number)),
        }
        Ok(())
    }
}

/// One number, or a packed list of them: `numbers! { Type, its bytes, its payload; … }`
macro_rules! numbers {
    ($($Number:ty, $N:literal, $payload:ident;)*) => {
        $(impl<'a> FieldValue<'a> for Vec<$Number> {
            fn read(&mut self, field: &WireField<'a>) -> Result<(), WireError> {
                let (values, rest) = match &field.payload {
                    Payload::$payload(bytes) => (std::slice::from_ref(bytes), &[][..]),
                    Payload::Bytes(bytes) => bytes.as_chunks::<$N>(),
                    _ => return Err(WireError::Kind(field.number)),
                };
                if !rest.is_empty() {
                    return Err(WireError::Truncated);
                }
                self.extend(values.iter().map(|value| <$Number>::from_le_bytes(*value)));
                Ok(())
            }
        })*
    };
}

numbers! { f32, 4, Fixed32; f64, 8, Fixed64; }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_payload() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 0, 0, 0x80, 0x3f];
        let fields: Vec<_> = WireFields::new(&bytes).map(Result::unwrap).collect();
        assert_eq!(fields[0].int(), Ok(150));
        assert_eq!(fields[1].text(), Ok("hi"));
        assert_eq!(fields[2].float(), Ok(1.0));
        assert_eq!(fields[1].int(), Err(WireError::Kind(2)));
    }

    #[test]
    fn packed_and_single_integers_are_one_list() {
        let bytes = [0x08, 0x03, 0x0a, 0x03, 0x96, 0x01, 0x05];
        let mut out = Vec::<i64>::new();
        for field in WireFields::new(&bytes) {
            out.read(&field.unwrap()).unwrap();
        }
        assert_eq!(out, [3, 150, 5]);
    }

    #[test]
    fn lengths_over_the_end_are_truncation() {
        let huge = [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        for bytes in [&[0x0a, 0x05, 1][..], &[0x08], &[0x1d, 1, 2], &[0x0a], &huge] {
            assert_eq!(WireFields::new(bytes).next(), Some(Err(WireError::Truncated)), "{bytes:?}");
        }
    }

    #[test]
    fn endless_varints_end() {
        let mut bytes = vec![0x08];
        bytes.extend([0xff; 40]);
        assert_eq!(WireFields::new(&bytes).collect::<Vec<_>>(), [Err(WireError::Varint)]);
    }
}
