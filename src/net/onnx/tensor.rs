//! Constants: tensors that the file holds or that follow from it without an image.
use super::proto;
use crate::net::half::half;

/// A constant tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    /// Size per axis; empty for a scalar. The product is the number of elements and fits `usize`.
    pub dims: Vec<usize>,
    /// The elements.
    pub data: Data,
}

/// Elements of a constant, the last axis running fastest.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    /// Floating point, whatever its width in the file.
    Float(Vec<f32>),
    /// Integers and booleans.
    Int(Vec<i64>),
    /// One value everywhere (`ConstantOfShape`): not expanded before the size is known to be right.
    Fill(f32),
}

/// Why a tensor is not usable: found, expected.
pub(super) type Mismatch = (String, String);

/// Bytes of one element, or an error for types that are no weights and no shapes.
pub(super) fn element_size(data_type: i64) -> Result<usize, Mismatch> {
    match data_type {
        2 | 3 | 9 => Ok(1),
        4 | 5 | 10 | 16 => Ok(2),
        1 | 6 | 12 => Ok(4),
        7 | 11 | 13 => Ok(8),
        other => Err((
            format!("data type {other}"),
            "float, double, float16, bfloat16 or integers (export the model in float32)".into(),
        )),
    }
}

/// Tensors of more dimensions are not meant.
pub(super) const MAX_RANK: usize = 64;

/// Sizes as `usize`, and their product. Errors: negative sizes, products beyond 2^40, too many dimensions.
pub(super) fn sizes(dims: &[i64]) -> Result<(Vec<usize>, usize), Mismatch> {
    if dims.len() > MAX_RANK {
        return Err((format!("{} dimensions", dims.len()), format!("at most {MAX_RANK}")));
    }
    let bad = || (format!("dimensions {dims:?}"), "sizes of a tensor that fits memory".to_string());
    let sizes: Vec<usize> = dims.iter().map(|d| usize::try_from(*d)).collect::<Result<_, _>>().map_err(|_| bad())?;
    let len = count(&sizes).filter(|len| *len <= 1 << 40).ok_or_else(bad)?;
    Ok((sizes, len))
}

/// Product of sizes, unless it overflows.
pub(super) fn count(dims: &[usize]) -> Option<usize> {
    dims.iter().try_fold(1usize, |product, d| product.checked_mul(*d))
}

impl Tensor {
    /// The tensor in a message; `external` holds its bytes if they are in another file.
    ///
    /// Errors: negative sizes, unsupported types, more or fewer elements than the sizes say.
    pub fn decode(proto: &proto::TensorProto<'_>, external: Option<&[u8]>) -> Result<Self, Mismatch> {
        let (dims, len) = sizes(&proto.dims)?;
        let size = element_size(proto.data_type)?;
        let data = match external.or(proto.raw) {
            Some(raw) => {
                if Some(raw.len()) != len.checked_mul(size) {
                    return Err((
                        format!("{} bytes", raw.len()),
                        format!("{len} elements of {size} bytes for {dims:?}"),
                    ));
                }
                from_raw(proto.data_type, raw)
            }
            None => from_lists(proto),
        };
        let found = match &data {
            Data::Float(values) => values.len(),
            Data::Int(values) => values.len(),
            Data::Fill(_) => len,
        };
        if found != len {
            return Err((format!("{found} values"), format!("{len} values for {dims:?}")));
        }
        Ok(Self { dims, data })
    }

    /// A vector of integers.
    pub fn ints(values: Vec<i64>) -> Self {
        Self { dims: vec![values.len()], data: Data::Int(values) }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        count(&self.dims).unwrap_or(usize::MAX)
    }

    /// The elements as integers, if they are.
    pub fn as_ints(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Int(values) => Some(values),
            _ => None,
        }
    }

    /// The only element of a tensor of one.
    pub fn as_scalar(&self) -> Option<f32> {
        match &self.data {
            _ if self.len() != 1 => None,
            Data::Float(values) => values.first().copied(),
            Data::Int(values) => values.first().map(|value| *value as f32),
            Data::Fill(value) => Some(*value),
        }
    }

    /// The elements as floats; the caller has checked that there are not too many.
    pub fn into_floats(self) -> Vec<f32> {
        let len = self.len();
        match self.data {
            Data::Float(values) => values,
            Data::Int(values) => values.into_iter().map(|value| value as f32).collect(),
            Data::Fill(value) => vec![value; len],
        }
    }
}

/// Elements from little-endian bytes; the type is one that [`element_size`] knows.
fn from_raw(data_type: i64, raw: &[u8]) -> Data {
    match data_type {
        1 => Data::Float(each(raw, f32::from_le_bytes)),
        10 => Data::Float(each(raw, |b| half(u16::from_le_bytes(b)))),
        11 => Data::Float(each(raw, |b| f64::from_le_bytes(b) as f32)),
        16 => Data::Float(each(raw, |b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))),
        2 | 9 => Data::Int(each(raw, |[b]| i64::from(b))),
        3 => Data::Int(each(raw, |b| i64::from(i8::from_le_bytes(b)))),
        4 => Data::Int(each(raw, |b| i64::from(u16::from_le_bytes(b)))),
        5 => Data::Int(each(raw, |b| i64::from(i16::from_le_bytes(b)))),
        6 => Data::Int(each(raw, |b| i64::from(i32::from_le_bytes(b)))),
        12 => Data::Int(each(raw, |b| i64::from(u32::from_le_bytes(b)))),
        _ => Data::Int(each(raw, i64::from_le_bytes)),
    }
}

fn each<const N: usize, T>(raw: &[u8], f: impl Fn([u8; N]) -> T) -> Vec<T> {
    raw.as_chunks::<N>().0.iter().map(|bytes| f(*bytes)).collect()
}

/// Elements from the typed lists of a message.
fn from_lists(proto: &proto::TensorProto<'_>) -> Data {
    match proto.data_type {
        1 => Data::Float(proto.floats.clone()),
        10 => Data::Float(proto.ints.iter().map(|bits| half(*bits as u16)).collect()),
        11 => Data::Float(proto.doubles.iter().map(|value| *value as f32).collect()),
        16 => Data::Float(proto.ints.iter().map(|bits| f32::from_bits(u32::from(*bits as u16) << 16)).collect()),
        _ => Data::Int(proto.ints.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_must_be_as_long_as_the_sizes_say() {
        let mut proto =
            proto::TensorProto { dims: vec![2, 2], data_type: 1, raw: Some(&[0; 16]), ..Default::default() };
        assert_eq!(Tensor::decode(&proto, None).unwrap().into_floats(), [0.0; 4]);
        proto.raw = Some(&[0; 15]);
        assert!(Tensor::decode(&proto, None).is_err());
        proto.raw = None;
        assert!(Tensor::decode(&proto, None).is_err());
        proto.dims = vec![1 << 40, 1 << 40];
        assert!(Tensor::decode(&proto, None).is_err());
        proto.dims = vec![-1];
        assert!(Tensor::decode(&proto, None).is_err());
    }
}
