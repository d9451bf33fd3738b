//! Edge lists as Parquet, batch by batch.

use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::*;
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Schema};
use parquet::errors::ParquetError;

use super::columns::{Choice, EdgeColumns, FirstLine};
use super::{EdgeList, Error, Fault};
use crate::columnar::{self, Budget, ParquetFile};
use crate::regular;

pub(super) fn read(path: &Path, choice: &Choice) -> Result<EdgeList, Error> {
    let file = regular::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    let damaged = |source: ParquetError| Error::Parquet { path: path.into(), source };
    columnar::read(file, damaged, |reader, budget| edges((path, choice), reader, budget))
}

fn edges((path, choice): (&Path, &Choice), reader: ParquetFile, mut budget: Budget) -> Result<EdgeList, Error> {
    let damaged = |source: ParquetError| Error::Parquet { path: path.into(), source };
    let schema = reader.schema().clone();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
    let columns = EdgeColumns::named(&names, choice).map_err(|fault| Error::Graph { path: path.into(), fault })?;
    check(path, &schema, &columns)?;
    let notes = columns.notes(&names, FirstLine::Names);
    let mut list = EdgeList::default();
    list.notes = notes;
    let mut first_row = 1;
    for batch in reader.build().map_err(damaged)? {
        let batch = batch.map_err(|source| damaged(source.into()))?;
        budget.spend(batch.get_array_memory_size()).map_err(damaged)?;
        let edges = EdgeBatch::of(&batch, &columns);
        for row in 0..batch.num_rows() {
            edges.push(row, &schema, &columns, &mut list).map_err(|fault| {
                let number = first_row + row as u64;
                Error::Line { path: path.into(), unit: "row", number, fault }
            })?;
        }
        first_row += batch.num_rows() as u64;
    }
    Ok(list)
}

/// Labels must be integers or text, weights numbers.
fn check(path: &Path, schema: &Schema, columns: &EdgeColumns) -> Result<(), Error> {
    let kind = |column: usize| schema.field(column).data_type();
    let wrong = |column: usize, expected| Error::Column {
        path: path.into(),
        column: schema.field(column).name().clone(),
        found: kind(column).clone(),
        expected,
    };
    for column in [columns.source, columns.target] {
        if !kind(column).is_integer() && *kind(column) != DataType::Utf8 {
            return Err(wrong(column, "integers or text"));
        }
    }
    let text = columns.weights.iter().find(|&&column| !kind(column).is_numeric());
    text.map_or(Ok(()), |&column| Err(wrong(column, "numbers")))
}

/// The columns of a batch, as text and doubles; nulls are none.
struct EdgeBatch {
    source: StringArray,
    target: StringArray,
    weights: Vec<Vec<Option<f64>>>,
}

impl EdgeBatch {
    fn of(batch: &RecordBatch, columns: &EdgeColumns) -> Self {
        Self {
            source: texts(batch.column(columns.source)),
            target: texts(batch.column(columns.target)),
            weights: columns.weights.iter().map(|&column| numbers(batch.column(column))).collect(),
        }
    }

    fn push(&self, row: usize, schema: &Schema, columns: &EdgeColumns, list: &mut EdgeList) -> Result<(), Fault> {
        let null = |column: usize| Fault::Null(schema.field(column).name().clone());
        if self.source.is_null(row) {
            return Err(null(columns.source));
        }
        if self.target.is_null(row) {
            return Err(null(columns.target));
        }
        let mut weight = 1.0;
        for (weights, &column) in self.weights.iter().zip(&columns.weights) {
            weight *= weights[row].ok_or_else(|| null(column))?;
        }
        list.push(self.source.value(row), self.target.value(row), weight)
    }
}

/// Evaluates `$each` for the values of a primitive column of one of the types listed, as `$value`.
macro_rules! each_value {
    ($column:expr, [$($kind:ident => $ty:ty),+], |$value:ident| $each:expr, else $otherwise:expr) => {
        match $column.data_type() {
            $(DataType::$kind => $column.as_primitive::<$ty>().iter().map(|v| v.map(|$value| $each)).collect(),)+
            _ => $otherwise,
        }
    };
}

/// A column of integers or text as text.
fn texts(column: &dyn Array) -> StringArray {
    each_value!(column, [
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type
    ], |value| value.to_string(), else column.as_string().clone())
}

/// A column of numbers as doubles.
fn numbers(column: &dyn Array) -> Vec<Option<f64>> {
    each_value!(column, [
        Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
        UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type,
        Float32 => Float32Type, Float64 => Float64Type
    ], |value| value as f64, else match column.data_type() {
        DataType::Float16 => column.as_primitive::<Float16Type>().iter().map(|v| v.map(f64::from)).collect(),
        DataType::Decimal32(..) => decimals::<Decimal32Type>(column),
        DataType::Decimal64(..) => decimals::<Decimal64Type>(column),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(column),
        _ => decimals::<Decimal256Type>(column),
    })
}

fn decimals<T: DecimalType>(column: &dyn Array) -> Vec<Option<f64>> {
    let decimals = column.as_primitive::<T>();
    let value = |row| decimals.value_as_string(row).parse().expect("a decimal is a number");
    (0..decimals.len()).map(|row| decimals.is_valid(row).then(|| value(row))).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int8Array, UInt32Array};
    use parquet::arrow::ArrowWriter;

    use super::*;

    fn write(columns: Vec<(&str, ArrayRef)>) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, a)| (name, a, true))).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        (dir, path)
    }

    fn texts(labels: [Option<&str>; 2]) -> ArrayRef {
        Arc::new(StringArray::from_iter(labels))
    }

    #[test]
    fn labels_are_integers_or_text_and_weights_any_number() {
        let labels = texts([Some("a b"), Some("7")]);
        let numbers: ArrayRef = Arc::new(UInt32Array::from(vec![7, 9]));
        let decimals = Decimal128Array::from(vec![150, -25]).with_precision_and_scale(5, 2).unwrap();
        for (weights, expected) in [
            (Arc::new(decimals) as ArrayRef, [1.5, -0.25]),
            (Arc::new(Int8Array::from(vec![1, -1])), [1.0, -1.0]),
            (Arc::new(Float64Array::from(vec![0.5, 2.0])), [0.5, 2.0]),
        ] {
            let (_dir, path) =
                write(vec![("Weight", weights), ("source", labels.clone()), ("Target", numbers.clone())]);
            let list = read(&path, &Choice::default()).unwrap();
            assert_eq!(list.labels, ["a b", "7", "9"]);
            assert_eq!(list.edges.iter().map(|edge| edge.weight).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn nulls_and_other_types_are_named() {
        let labels = texts([Some("a"), Some("b")]);
        let (_dir, path) = write(vec![("source", labels.clone()), ("target", texts([Some("b"), None]))]);
        let error = read(&path, &Choice::default()).unwrap_err().to_string();
        assert!(error.ends_with("x.parquet, row 2: column `target` is null"), "{error}");
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let (_dir, path) = write(vec![("source", labels.clone()), ("target", floats)]);
        let error = read(&path, &Choice::default()).unwrap_err().to_string();
        assert!(error.ends_with("column `target` holds Float64, expected integers or text"), "{error}");
        let (_dir, path) = write(vec![("source", labels.clone()), ("target", labels.clone()), ("weight", labels)]);
        assert!(read(&path, &Choice::default()).unwrap_err().to_string().ends_with("expected numbers"));
    }
}
