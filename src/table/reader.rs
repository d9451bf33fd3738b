//! Reads back what [`Sink`](super::Sink) wrote, for `--resume` and tests.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array as _, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::error::Error;
use super::provenance::Provenance;
use super::rows::{ReplicaRow, Row as _};
use super::schema::Table;

/// Rows read at once; a row can hold a large state.
const BATCH_ROWS: usize = 64;

/// The rows of a `replicas` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_replicas(path: &Path) -> Result<Vec<ReplicaRow>, Error> {
    let reader = open(path)?;
    check(path, ReplicaRow::TABLE, reader.schema())?;
    let batches = reader.with_batch_size(BATCH_ROWS).build().map_err(|source| damaged(path, source))?;
    let mut rows = Vec::new();
    for batch in batches {
        let batch = batch.map_err(|source| damaged(path, source.into()))?;
        rows.extend((0..batch.num_rows()).map(|row| replica(&batch, row)));
    }
    Ok(rows)
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
        let fits = |field: &arrow_schema::Field| {
            *field.data_type() == column.kind.data_type() && (column.is_nullable() || !field.is_nullable())
        };
        if !schema.field_with_name(column.name).is_ok_and(fits) {
            let (table, expected) = (table.name, column.kind.name());
            return Err(Error::Column { path: path.into(), table, column: column.name, expected });
        }
    }
    Ok(())
}

/// One row of a batch that was checked.
fn replica(batch: &RecordBatch, row: usize) -> ReplicaRow {
    let column = |name| batch.column_by_name(name).expect("the schema was checked");
    let int = |name| column(name).as_primitive::<Int64Type>().value(row);
    let float = |name| column(name).as_primitive::<Float64Type>().value(row);
    let text = |name| column(name).as_string::<i32>().value(row).to_owned();
    ReplicaRow {
        graph: text("graph"),
        method: text("method"),
        replica: int("replica"),
        seed: column("seed").as_primitive::<UInt64Type>().value(row),
        initial_flips: int("initial_flips"),
        energy: float("energy"),
        satisfied_weight: float("satisfied_weight"),
        frustrated_weight: float("frustrated_weight"),
        n_nodes: int("n_nodes"),
        n_edges: int("n_edges"),
        sum_abs: float("sum_abs"),
        flips: int("flips"),
        sweeps: int("sweeps"),
        secs: column("secs").is_valid(row).then(|| float("secs")),
        local_minimum: column("local_minimum").as_boolean().value(row),
        state: column("state").as_binary::<i32>().value(row).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{self as table, LayerRow};
    use super::*;

    #[test]
    fn other_tables_and_other_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let mut sink = table::layers(File::create(&path).unwrap(), &Provenance::default()).unwrap();
        sink.append(&[LayerRow::default()]).unwrap();
        sink.finish().unwrap();
        assert!(matches!(read_replicas(&path), Err(Error::Column { column: "method", .. })));
        std::fs::write(&path, b"PAR1 and then nothing").unwrap();
        assert!(matches!(read_replicas(&path), Err(Error::Read { .. })));
        assert!(matches!(read_replicas(dir.path().join("none").as_path()), Err(Error::Io { .. })));
    }
}
