//! Reads back what [`Sink`](super::Sink) wrote.

use std::path::Path;

use arrow_array::{Array as _, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ProjectionMask;
use parquet::errors::ParquetError;

use super::error::Error;
use super::provenance::Provenance;
use super::rows::{
    ActiveRow, LambdaImageRow, LambdaNormRow, LambdaRow, NullRow, OmegaRow, ReplicaRow, Row, SummaryRow,
};
use super::schema::{Kind, Table};
use crate::columnar::{self, Budget, Builder};
use crate::regular;

/// Rows read at once; a row can hold a large state.
const BATCH_ROWS: usize = 64;

/// The rows of a `replicas` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_replicas(path: &Path) -> Result<Vec<ReplicaRow>, Error> {
    rows(path, &[])
}

/// As [`read_replicas`], with empty states: these are most of a file.
///
/// # Errors
/// As [`read_replicas`].
pub fn read_replicas_without_states(path: &Path) -> Result<Vec<ReplicaRow>, Error> {
    rows(path, &["state"])
}

/// The rows of a `nulls` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_nulls(path: &Path) -> Result<Vec<NullRow>, Error> {
    rows(path, &[])
}

/// The rows of an `active` table, in file order, with empty masks and spins.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_active(path: &Path) -> Result<Vec<ActiveRow>, Error> {
    rows(path, &["active", "spins"])
}

/// The rows of a `summary` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_summary(path: &Path) -> Result<Vec<SummaryRow>, Error> {
    rows(path, &[])
}

/// The rows of an `omega` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_omega(path: &Path) -> Result<Vec<OmegaRow>, Error> {
    rows(path, &[])
}

/// The rows of a `lambda` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_lambda(path: &Path) -> Result<Vec<LambdaRow>, Error> {
    rows(path, &[])
}

/// The rows of a `lambda_images` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_lambda_images(path: &Path) -> Result<Vec<LambdaImageRow>, Error> {
    rows(path, &[])
}

/// The rows of a `lambda_norms` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_lambda_norms(path: &Path) -> Result<Vec<LambdaNormRow>, Error> {
    rows(path, &[])
}

/// The run metadata in a table's footer, in order.
///
/// # Errors
/// If the file is unreadable or damaged.
pub fn read_provenance(path: &Path) -> Result<Provenance, Error> {
    read(path, |reader, _| {
        let mut provenance = Provenance::default();
        for pair in reader.metadata().file_metadata().key_value_metadata().into_iter().flatten() {
            if let (Some(key), Some(value)) = (pair.key.strip_prefix(Provenance::PREFIX), &pair.value) {
                provenance.push(key, value);
            }
        }
        Ok(provenance)
    })
}

/// All rows of the table of `R`, without some of its columns.
fn rows<R: Row>(path: &Path, without: &[&str]) -> Result<Vec<R>, Error> {
    read(path, |reader, mut budget| {
        let table = R::TABLE;
        check(path, table, reader.schema())?;
        let wanted = table.columns.iter().map(|column| column.name).filter(|name| !without.contains(name));
        let mask = ProjectionMask::columns(reader.parquet_schema(), wanted);
        let batches = reader.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let mut rows = Vec::new();
        for batch in batches.map_err(|source| damaged(path, source))? {
            let batch = fit(path, table, &batch.map_err(|source| damaged(path, source.into()))?, rows.len())?;
            let bytes = batch.num_rows() * size_of::<R>() + batch.get_array_memory_size();
            budget.spend(bytes).map_err(|source| damaged(path, source))?;
            rows.extend((0..batch.num_rows()).map(|index| R::read(&batch, index)));
        }
        Ok(rows)
    })
}

/// Has `read` read the file.
fn read<T>(path: &Path, read: impl FnOnce(Builder, Budget) -> Result<T, Error>) -> Result<T, Error> {
    let file = regular::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    columnar::read(file, |source| damaged(path, source), read)
}

fn damaged(path: &Path, source: ParquetError) -> Error {
    Error::Read { path: path.into(), source }
}

/// Every column of `table` must be there and of its type. Other programs write every column as one that may have nulls, and
/// one that has nothing else without a type.
fn check(path: &Path, table: &'static Table, schema: &Schema) -> Result<(), Error> {
    for column in table.columns {
        let good = |field: &Field| {
            let kind = field.data_type();
            *kind == column.kind.data_type() || *kind == DataType::Null && column.null.is_some()
        };
        let found = schema.field_with_name(column.name).ok();
        if !found.is_some_and(good) {
            return Err(Error::Column {
                path: path.into(),
                table: table.name,
                column: column.name,
                found: found.map_or("is missing".into(), |field| format!("holds {}", name(field.data_type()))),
                expected: column.kind.name(),
            });
        }
    }
    Ok(())
}

/// A type as messages call it: ours by the names that the other messages use.
fn name(found: &DataType) -> String {
    let known = Kind::ALL.into_iter().find(|kind| kind.data_type() == *found);
    known.map_or_else(|| found.to_string(), |kind| kind.name().to_owned())
}

/// The batch with the types of the table, and without nulls where there must be none. It begins at row `first`, from 0.
fn fit(path: &Path, table: &'static Table, batch: &RecordBatch, first: usize) -> Result<RecordBatch, Error> {
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for column in table.columns {
        let Some(found) = batch.column_by_name(column.name) else { continue };
        let null = found
            .nulls()
            .filter(|_| column.null.is_none())
            .and_then(|nulls| (0..found.len()).find(|&row| nulls.is_null(row)));
        if let Some(row) = null {
            let (path, row) = (path.into(), (first + row) as u64 + 1);
            return Err(Error::Null { path, table: table.name, column: column.name, row });
        }
        let fitted = match found.data_type() {
            DataType::Null => new_null_array(&column.kind.data_type(), found.len()),
            _ => found.clone(),
        };
        columns.push((column.name, fitted));
    }
    RecordBatch::try_from_iter(columns).map_err(|source| damaged(path, source.into()))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{
        BinaryViewArray, BooleanArray, DictionaryArray, Int64Array, LargeBinaryArray, LargeStringArray, NullArray,
        StringViewArray,
    };
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Compression;
    use parquet::file::properties::WriterProperties;

    use super::super::{LayerRow, Sink};
    use super::*;

    #[test]
    fn other_tables_and_other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut sink = Sink::new(File::create(&path).unwrap(), &Provenance::default()).unwrap();
        sink.append(&[LayerRow::default()]).unwrap();
        sink.finish().unwrap();
        assert!(matches!(read_replicas(&path), Err(Error::Column { column: "method", .. })));
        std::fs::write(&path, b"PAR1 and then nothing").unwrap();
        assert!(matches!(read_replicas(&path), Err(Error::Read { .. })));
        assert!(matches!(read_replicas(dir.path().join("none").as_path()), Err(Error::Io { .. })));
    }

    fn null_row() -> NullRow {
        NullRow { graph: "net".into(), kind: "n1".into(), secs: Some(0.5), seed: u64::MAX, ..NullRow::default() }
    }

    /// The table with some columns as another program writes them, all of which may have nulls.
    fn write_with(path: &Path, changed: Vec<(&str, ArrayRef)>) {
        let columns = NullRow::FIELDS.iter().zip(NullRow::columns(&[null_row(), null_row()]));
        let columns = columns.map(|(&name, column)| {
            let other = changed.iter().find(|(changed, _)| *changed == name);
            (name, other.map_or(column, |(_, other)| other.clone()), true)
        });
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn every_arrow_type_of_text_is_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["net"; 2]));
        let view: ArrayRef = Arc::new(StringViewArray::from(vec!["net"; 2]));
        let dictionary: ArrayRef = Arc::new(["net"; 2].into_iter().collect::<DictionaryArray<Int32Type>>());
        let nothing: ArrayRef = Arc::new(NullArray::new(2));
        for text in [large, view, dictionary] {
            write_with(&path, vec![("graph", text), ("distribution", nothing.clone())]);
            assert_eq!(read_nulls(&path).unwrap(), [null_row(), null_row()]);
        }
    }

    #[test]
    fn every_arrow_type_of_bytes_is_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let states: [ArrayRef; 2] =
            [Arc::new(LargeBinaryArray::from(vec![&b"ab"[..]])), Arc::new(BinaryViewArray::from(vec![&b"ab"[..]]))];
        for state in states {
            let columns = ReplicaRow::FIELDS.iter().zip(ReplicaRow::columns(&[ReplicaRow::default()]));
            let columns = columns.map(|(&name, column)| (name, if name == "state" { state.clone() } else { column }));
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            assert_eq!(read_replicas(&path).unwrap()[0].state, b"ab");
        }
    }

    #[test]
    fn what_a_column_holds_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        write_with(&path, vec![("graph", Arc::new(BooleanArray::from(vec![true; 2])))]);
        let error = read_nulls(&path).unwrap_err().to_string();
        assert!(error.ends_with("column `graph` holds bool, expected utf8"), "{error}");
        write_with(&path, vec![("index", Arc::new(Int64Array::from(vec![Some(1), None])))]);
        let error = read_nulls(&path).unwrap_err().to_string();
        assert!(error.ends_with("row 2: column `index` is null, which a `nulls` table does not have there"), "{error}");
    }

    #[test]
    fn every_compression_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let batch = RecordBatch::try_new(NullRow::TABLE.arrow(), NullRow::columns(&[null_row()])).unwrap();
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(Default::default()),
            Compression::BROTLI(Default::default()),
            Compression::LZ4,
            Compression::LZ4_RAW,
            Compression::ZSTD(Default::default()),
        ] {
            let properties = WriterProperties::builder().set_compression(compression).build();
            let file = File::create(&path).unwrap();
            let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            assert_eq!(read_nulls(&path).unwrap(), [null_row()], "{compression}");
        }
    }
}
