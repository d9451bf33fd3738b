//! What the fields of rows are made of, and how they become columns and come back.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};

/// A value of a column.
pub(super) trait Cell: Sized {
    /// The column of some values, null where there is none.
    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef
    where
        Self: 'a;

    /// Value `index` of a column of this type.
    fn read(column: &ArrayRef, index: usize) -> Self;
}

impl Cell for String {
    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.collect::<StringArray>())
    }

    fn read(column: &ArrayRef, index: usize) -> Self {
        column.as_string::<i32>().value(index).to_owned()
    }
}

/// `primitive! { native: Arrow, … }`
macro_rules! primitive {
    ($($Native:ty: $Arrow:ty,)*) => {
        $(impl Cell for $Native {
            fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
                Arc::new(cells.map(Option::<&_>::copied).collect::<PrimitiveArray<$Arrow>>())
            }

            fn read(column: &ArrayRef, index: usize) -> Self {
                column.as_primitive::<$Arrow>().value(index)
            }
        })*
    };
}

primitive! { i64: Int64Type, u64: UInt64Type, f64: Float64Type, }

impl Cell for bool {
    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.map(Option::<&_>::copied).collect::<BooleanArray>())
    }

    fn read(column: &ArrayRef, index: usize) -> Self {
        column.as_boolean().value(index)
    }
}

impl Cell for Vec<u8> {
    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef {
        Arc::new(cells.collect::<BinaryArray>())
    }

    fn read(column: &ArrayRef, index: usize) -> Self {
        column.as_binary::<i32>().value(index).to_vec()
    }
}

impl<T: Cell> Cell for Option<T> {
    fn column<'a>(cells: impl Iterator<Item = Option<&'a Self>>) -> ArrayRef
    where
        Self: 'a,
    {
        T::column(cells.map(|cell| cell.and_then(Option::as_ref)))
    }

    fn read(column: &ArrayRef, index: usize) -> Self {
        column.is_valid(index).then(|| T::read(column, index))
    }
}
