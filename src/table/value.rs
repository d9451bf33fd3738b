//! What one value of a column is in Rust, and how many of them become an Arrow array and come back.
//!
//! The Rust type of a field says everything about how it is stored: `i64` is a column of 64-bit integers that are always
//! there, `Option<f64>` one of doubles that may be null.

use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array,
};
use arrow_schema::DataType;

/// A type that the fields of rows can have.
pub(super) trait ColumnValue: Sized {
    /// How it is stored.
    const DATA_TYPE: DataType;
    /// Whether it may be absent.
    const NULLABLE: bool = false;

    /// The column of some values, null where there is none.
    fn column<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef
    where
        Self: 'a;

    /// Value `index` of a column of this type.
    fn read(column: &ArrayRef, index: usize) -> Self;
}

/// `values! { Type: Arrow's type in Arrow's array, by how an array takes a reference; … }`
macro_rules! values {
    ($($Type:ty: $data_type:ident in $Array:ty, by $take:expr;)*) => {
        $(impl ColumnValue for $Type {
            const DATA_TYPE: DataType = DataType::$data_type;

            fn column<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
                Arc::new(values.map(|value| value.map($take)).collect::<$Array>())
            }

            fn read(column: &ArrayRef, index: usize) -> Self {
                let column = column.as_any().downcast_ref::<$Array>().expect("the column has the type of its table");
                column.value(index).into()
            }
        })*
    };
}

values! {
    String: Utf8 in StringArray, by String::as_str;
    i64: Int64 in Int64Array, by i64::clone;
    u64: UInt64 in UInt64Array, by u64::clone;
    f64: Float64 in Float64Array, by f64::clone;
    bool: Boolean in BooleanArray, by bool::clone;
    Vec<u8>: Binary in BinaryArray, by Vec::as_slice;
}

/// Types that keep their meaning when some of their values are null. Integers and booleans do not: pandas makes doubles
/// and objects of them.
pub(super) trait Nullable: ColumnValue {}

impl Nullable for String {}
impl Nullable for f64 {}
impl Nullable for Vec<u8> {}

impl<T: Nullable> ColumnValue for Option<T> {
    const DATA_TYPE: DataType = T::DATA_TYPE;
    const NULLABLE: bool = true;

    fn column<'a>(values: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef
    where
        Self: 'a,
    {
        T::column(values.map(|value| value.and_then(Option::as_ref)))
    }

    fn read(column: &ArrayRef, index: usize) -> Self {
        column.is_valid(index).then(|| T::read(column, index))
    }
}
