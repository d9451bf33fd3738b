//! What a table is, as data that the writer, the reader and the documents go by.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field};

use super::value::ColumnValue;

/// A table: what its rows mean, and which columns they have.
#[derive(Debug)]
pub struct Schema {
    /// Its name in messages and documents.
    pub name: &'static str,
    /// What one row is.
    pub row: &'static str,
    /// The subcommand of `pipeline` that writes it.
    pub command: &'static str,
    /// The name of the file, where `FILE` or `DIR` stands for what the command line says.
    pub file: &'static str,
    /// Columns in order.
    pub columns: &'static [Column],
}

impl Schema {
    /// The same for Arrow.
    pub(super) fn arrow(&self) -> Arc<arrow_schema::Schema> {
        let field = |column: &Column| Field::new(column.name, column.data_type.clone(), column.null.is_some());
        Arc::new(arrow_schema::Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// How its values are stored.
    pub data_type: DataType,
    /// Unit; empty for names and dimensionless quantities.
    pub unit: &'static str,
    /// What it holds.
    pub meaning: &'static str,
    /// When it is null; `None` if never.
    pub null: Option<&'static str>,
}

impl Column {
    /// A column of values of type `T`. What can be null must say when, and nothing else may: otherwise this does not compile.
    pub(super) const fn of<T: ColumnValue>(
        name: &'static str,
        unit: &'static str,
        meaning: &'static str,
        null: Option<&'static str>,
    ) -> Self {
        assert!(T::NULLABLE == null.is_some(), "a column has a null rule exactly if its type is an Option");
        Self { name, data_type: T::DATA_TYPE, unit, meaning, null }
    }

    /// The name of its type in messages and documents.
    pub fn type_name(&self) -> &'static str {
        type_name(&self.data_type).expect("every type of a column has a name")
    }
}

/// The names of the types that columns have.
pub(super) fn type_name(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Utf8 => "utf8",
        DataType::Int64 => "int64",
        DataType::UInt64 => "uint64",
        DataType::Float64 => "float64",
        DataType::Boolean => "bool",
        DataType::Binary => "binary",
        _ => return None,
    })
}

/// A row of one table: a plain struct whose fields are the columns.
pub trait TableRow: Sized {
    /// The table.
    const SCHEMA: &'static Schema;

    /// The columns of some rows, in the table's order.
    fn columns(rows: &[Self]) -> Vec<ArrayRef>;

    /// Row `index` of a batch with columns of the table's types; fields whose columns are absent are empty.
    fn read(batch: &RecordBatch, index: usize) -> Self;
}
