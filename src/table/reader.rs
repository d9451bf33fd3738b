//! Reads back what [`Sink`](super::Sink) wrote.

use std::fs::File;
use std::path::Path;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::Error;
use super::provenance::Provenance;
use super::rows::{
    ActiveRow, LambdaImageRow, LambdaNormRow, LambdaRow, NullRow, OmegaRow, ReplicaRow, Row, SummaryRow,
};
use super::schema::Table;

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
    let reader = open(path)?;
    let mut provenance = Provenance::default();
    for pair in reader.metadata().file_metadata().key_value_metadata().into_iter().flatten() {
        if let (Some(key), Some(value)) = (pair.key.strip_prefix(Provenance::PREFIX), &pair.value) {
            provenance.push(key, value);
        }
    }
    Ok(provenance)
}

/// All rows of the table of `R`, without some of its columns.
fn rows<R: Row>(path: &Path, without: &[&str]) -> Result<Vec<R>, Error> {
    let reader = open(path)?;
    check(path, R::TABLE, reader.schema())?;
    let wanted = R::TABLE.columns.iter().map(|column| column.name).filter(|name| !without.contains(name));
    let mask = ProjectionMask::columns(reader.parquet_schema(), wanted);
    let batches = reader.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let mut rows = Vec::new();
    for batch in batches.map_err(|source| damaged(path, source))? {
        let batch = batch.map_err(|source| damaged(path, source.into()))?;
        rows.extend((0..batch.num_rows()).map(|index| R::read(&batch, index)));
    }
    Ok(rows)
}

fn open(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>, Error> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|source| damaged(path, source))
}

fn damaged(path: &Path, source: parquet::errors::ParquetError) -> Error {
    Error::Read { path: path.into(), source }
}

/// Every column of `table` must be there, of its type, and without nulls unless it may have them.
fn check(path: &Path, table: &'static Table, schema: &arrow_schema::Schema) -> Result<(), Error> {
    for column in table.columns {
        let good = |field: &arrow_schema::Field| {
            *field.data_type() == column.kind.data_type() && (column.null.is_some() || !field.is_nullable())
        };
        if !schema.field_with_name(column.name).is_ok_and(good) {
            let (table, expected) = (table.name, column.kind.name());
            return Err(Error::Column { path: path.into(), table, column: column.name, expected });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
}
