//! Reads tables back: those that [`Sink`](super::Sink) wrote, and those that other programs made of them.
//!
//! pandas, Polars and DuckDB write the same table with other marks: every column may have nulls, and one that has nothing
//! else may have no type. So a file is accepted if each column of the table is there with its type ([`check`]), wherever it
//! stands and whatever stands beside it; then each batch of rows is searched for nulls where there must be none ([`fit`]).
//! What is wrong is said with the file, the row and the column.

use std::path::Path;

use arrow_array::{Array as _, ArrayRef, RecordBatch, new_null_array};
use arrow_schema::{DataType, Field};
use parquet::arrow::ProjectionMask;
use parquet::errors::ParquetError;

use super::schema::{Schema, TableRow, type_name};
use super::{Error, Provenance};
use crate::columnar::{self, Budget, ParquetFile};
use crate::regular;

/// Rows read at once; a row can hold a large state.
const BATCH_ROWS: usize = 64;

/// All rows of a table, in file order: `table::read::<NullRow>(path)`.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read<R: TableRow>(path: &Path) -> Result<Vec<R>, Error> {
    read_without(path, &[])
}

/// As [`read`], but some columns are left out and their fields empty: a table of replicas is mostly its states.
///
/// # Errors
/// As [`read`].
pub fn read_without<R: TableRow>(path: &Path, without: &[&str]) -> Result<Vec<R>, Error> {
    let schema = R::SCHEMA;
    open(path, |file, mut budget| {
        check(path, schema, file.schema())?;
        let wanted = schema.columns.iter().map(|column| column.name).filter(|name| !without.contains(name));
        let mask = ProjectionMask::columns(file.parquet_schema(), wanted);
        let batches = file.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let mut rows = Vec::new();
        for batch in batches.map_err(|source| damaged(path, source))? {
            let batch = fit(path, schema, &batch.map_err(|source| damaged(path, source.into()))?, rows.len())?;
            let bytes = batch.num_rows() * size_of::<R>() + batch.get_array_memory_size();
            budget.spend(bytes).map_err(|source| damaged(path, source))?;
            rows.extend((0..batch.num_rows()).map(|index| R::read(&batch, index)));
        }
        Ok(rows)
    })
}

/// The run metadata in a table's footer, in order.
///
/// # Errors
/// If the file is unreadable or damaged.
pub fn read_provenance(path: &Path) -> Result<Provenance, Error> {
    open(path, |file, _| {
        let mut provenance = Provenance::default();
        for pair in file.metadata().file_metadata().key_value_metadata().into_iter().flatten() {
            if let (Some(key), Some(value)) = (pair.key.strip_prefix(Provenance::PREFIX), &pair.value) {
                provenance.push(key, value);
            }
        }
        Ok(provenance)
    })
}

/// Has `read` read the file.
fn open<T>(path: &Path, read: impl FnOnce(ParquetFile, Budget) -> Result<T, Error>) -> Result<T, Error> {
    let file = regular::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    columnar::read(file, |source| damaged(path, source), read)
}

fn damaged(path: &Path, source: ParquetError) -> Error {
    Error::Read { path: path.into(), source }
}

/// Every column of the table must be there and of its type. Other programs write every column as one that may have nulls,
/// and one that has nothing else without a type.
fn check(path: &Path, schema: &'static Schema, file: &arrow_schema::Schema) -> Result<(), Error> {
    for column in schema.columns {
        let good = |field: &Field| {
            let data_type = field.data_type();
            *data_type == column.data_type || *data_type == DataType::Null && column.null.is_some()
        };
        let found = file.field_with_name(column.name).ok();
        if !found.is_some_and(good) {
            // A type of ours by the name that the other messages use.
            let name = |found: &DataType| type_name(found).map_or_else(|| found.to_string(), str::to_owned);
            return Err(Error::Column {
                path: path.into(),
                table: schema.name,
                column: column.name,
                found: found.map_or("is missing".into(), |field| format!("holds {}", name(field.data_type()))),
                expected: column.type_name(),
            });
        }
    }
    Ok(())
}

/// The batch with the types of the table, and without nulls where there must be none. It begins at row `first`, from 0.
fn fit(path: &Path, schema: &'static Schema, batch: &RecordBatch, first: usize) -> Result<RecordBatch, Error> {
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for column in schema.columns {
        let Some(found) = batch.column_by_name(column.name) else { continue };
        let null = found
            .nulls()
            .filter(|_| column.null.is_none())
            .and_then(|nulls| (0..found.len()).find(|&row| nulls.is_null(row)));
        if let Some(row) = null {
            let (path, row) = (path.into(), (first + row) as u64 + 1);
            return Err(Error::Null { path, table: schema.name, column: column.name, row });
        }
        let fitted = match found.data_type() {
            DataType::Null => new_null_array(&column.data_type, found.len()),
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

    use super::super::schema::Column;
    use super::super::{LayerRow, NullRow, ReplicaRow, Sink};
    use super::*;

    #[test]
    fn other_tables_and_other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut sink = Sink::new(File::create(&path).unwrap(), &Provenance::default()).unwrap();
        sink.append(&[LayerRow::default()]).unwrap();
        sink.finish().unwrap();
        assert!(matches!(read::<ReplicaRow>(&path), Err(Error::Column { column: "method", .. })));
        std::fs::write(&path, b"PAR1 and then nothing").unwrap();
        assert!(matches!(read::<ReplicaRow>(&path), Err(Error::Read { .. })));
        assert!(matches!(read::<ReplicaRow>(dir.path().join("none").as_path()), Err(Error::Io { .. })));
    }

    fn null_row() -> NullRow {
        NullRow { graph: "net".into(), kind: "n1".into(), secs: Some(0.5), seed: u64::MAX, ..NullRow::default() }
    }

    /// The table with some columns as another program writes them, all of which may have nulls.
    fn write_with(path: &Path, changed: Vec<(&str, ArrayRef)>) {
        let columns = NullRow::SCHEMA.columns.iter().zip(NullRow::columns(&[null_row(), null_row()]));
        let columns = columns.map(|(&Column { name, .. }, column)| {
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
            assert_eq!(read::<NullRow>(&path).unwrap(), [null_row(), null_row()]);
        }
    }

    #[test]
    fn every_arrow_type_of_bytes_is_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let states: [ArrayRef; 2] =
            [Arc::new(LargeBinaryArray::from(vec![&b"ab"[..]])), Arc::new(BinaryViewArray::from(vec![&b"ab"[..]]))];
        for state in states {
            let columns = ReplicaRow::SCHEMA.columns.iter().zip(ReplicaRow::columns(&[ReplicaRow::default()]));
            let columns = columns
                .map(|(&Column { name, .. }, column)| (name, if name == "state" { state.clone() } else { column }));
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            assert_eq!(read::<ReplicaRow>(&path).unwrap()[0].state, b"ab");
        }
    }

    #[test]
    fn what_a_column_holds_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        write_with(&path, vec![("graph", Arc::new(BooleanArray::from(vec![true; 2])))]);
        let error = read::<NullRow>(&path).unwrap_err().to_string();
        assert!(error.ends_with("column `graph` holds bool, expected utf8"), "{error}");
        write_with(&path, vec![("index", Arc::new(Int64Array::from(vec![Some(1), None])))]);
        let error = read::<NullRow>(&path).unwrap_err().to_string();
        assert!(error.ends_with("row 2: column `index` is null, which a `nulls` table does not have there"), "{error}");
    }

    #[test]
    fn every_compression_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let batch = RecordBatch::try_new(NullRow::SCHEMA.arrow(), NullRow::columns(&[null_row()])).unwrap();
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
            assert_eq!(read::<NullRow>(&path).unwrap(), [null_row()], "{compression}");
        }
    }
}
