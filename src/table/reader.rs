//! Reads back what [`Sink`](super::Sink) wrote.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array as _, ArrayRef, RecordBatch};
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
    rows(path, &[], replica)
}

/// As [`read_replicas`], with empty states: these are most of a file.
///
/// # Errors
/// As [`read_replicas`].
pub fn read_replicas_without_states(path: &Path) -> Result<Vec<ReplicaRow>, Error> {
    rows(path, &["state"], replica)
}

/// The rows of a `nulls` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_nulls(path: &Path) -> Result<Vec<NullRow>, Error> {
    rows(path, &[], null)
}

/// The rows of an `active` table, in file order, with empty masks and spins.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_active(path: &Path) -> Result<Vec<ActiveRow>, Error> {
    rows(path, &["active", "spins"], active)
}

/// The rows of a `summary` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_summary(path: &Path) -> Result<Vec<SummaryRow>, Error> {
    rows(path, &[], summary)
}

/// The rows of an `omega` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_omega(path: &Path) -> Result<Vec<OmegaRow>, Error> {
    rows(path, &[], omega)
}

/// The rows of a `lambda` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_lambda(path: &Path) -> Result<Vec<LambdaRow>, Error> {
    rows(path, &[], lambda)
}

/// The rows of a `lambda_images` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_lambda_images(path: &Path) -> Result<Vec<LambdaImageRow>, Error> {
    rows(path, &[], lambda_image)
}

/// The rows of a `lambda_norms` table, in file order.
///
/// # Errors
/// If the file is unreadable, damaged, or another table.
pub fn read_lambda_norms(path: &Path) -> Result<Vec<LambdaNormRow>, Error> {
    rows(path, &[], lambda_norm)
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
fn rows<R: Row>(path: &Path, without: &[&str], row: impl Fn(&Cells) -> R) -> Result<Vec<R>, Error> {
    let reader = open(path)?;
    check(path, R::TABLE, reader.schema())?;
    let wanted = R::TABLE.columns.iter().map(|column| column.name).filter(|name| !without.contains(name));
    let mask = ProjectionMask::columns(reader.parquet_schema(), wanted);
    let batches = reader.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let mut rows = Vec::new();
    for batch in batches.map_err(|source| damaged(path, source))? {
        let batch = batch.map_err(|source| damaged(path, source.into()))?;
        rows.extend((0..batch.num_rows()).map(|index| row(&Cells { batch: &batch, index })));
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

/// One row of a batch whose schema was checked.
struct Cells<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl Cells<'_> {
    fn column(&self, name: &str) -> &ArrayRef {
        self.batch.column_by_name(name).expect("the schema was checked")
    }

    fn text(&self, name: &str) -> String {
        self.column(name).as_string::<i32>().value(self.index).to_owned()
    }

    fn int(&self, name: &str) -> i64 {
        self.column(name).as_primitive::<Int64Type>().value(self.index)
    }

    fn seed(&self, name: &str) -> u64 {
        self.column(name).as_primitive::<UInt64Type>().value(self.index)
    }

    fn float(&self, name: &str) -> f64 {
        self.column(name).as_primitive::<Float64Type>().value(self.index)
    }

    fn flag(&self, name: &str) -> bool {
        self.column(name).as_boolean().value(self.index)
    }

    fn some_text(&self, name: &str) -> Option<String> {
        self.column(name).is_valid(self.index).then(|| self.text(name))
    }

    fn some_float(&self, name: &str) -> Option<f64> {
        self.column(name).is_valid(self.index).then(|| self.float(name))
    }
}

fn replica(cells: &Cells) -> ReplicaRow {
    let state = cells.batch.column_by_name("state");
    ReplicaRow {
        graph: cells.text("graph"),
        method: cells.text("method"),
        replica: cells.int("replica"),
        seed: cells.seed("seed"),
        initial_flips: cells.int("initial_flips"),
        energy: cells.float("energy"),
        satisfied_weight: cells.float("satisfied_weight"),
        frustrated_weight: cells.float("frustrated_weight"),
        n_nodes: cells.int("n_nodes"),
        n_edges: cells.int("n_edges"),
        sum_abs: cells.float("sum_abs"),
        flips: cells.int("flips"),
        sweeps: cells.int("sweeps"),
        secs: cells.some_float("secs"),
        local_minimum: cells.flag("local_minimum"),
        state: state.map_or_else(Vec::new, |states| states.as_binary::<i32>().value(cells.index).to_vec()),
    }
}

fn null(cells: &Cells) -> NullRow {
    NullRow {
        graph: cells.text("graph"),
        kind: cells.text("kind"),
        distribution: cells.some_text("distribution"),
        index: cells.int("index"),
        instance: cells.int("instance"),
        method: cells.text("method"),
        seed: cells.seed("seed"),
        initial_flips: cells.int("initial_flips"),
        energy: cells.float("energy"),
        satisfied_weight: cells.float("satisfied_weight"),
        frustrated_weight: cells.float("frustrated_weight"),
        n_nodes: cells.int("n_nodes"),
        n_edges: cells.int("n_edges"),
        sum_abs: cells.float("sum_abs"),
        flips: cells.int("flips"),
        sweeps: cells.int("sweeps"),
        secs: cells.some_float("secs"),
        local_minimum: cells.flag("local_minimum"),
    }
}

fn active(cells: &Cells) -> ActiveRow {
    ActiveRow {
        graph: cells.text("graph"),
        image_index: cells.int("image_index"),
        image: cells.text("image"),
        label: cells.int("label"),
        class: cells.int("class"),
        logit: cells.float("logit"),
        method: cells.text("method"),
        seed: cells.seed("seed"),
        energy: cells.float("energy"),
        satisfied_weight: cells.float("satisfied_weight"),
        frustrated_weight: cells.float("frustrated_weight"),
        active_nodes: cells.int("active_nodes"),
        active_edges: cells.int("active_edges"),
        sum_abs: cells.float("sum_abs"),
        flips: cells.int("flips"),
        sweeps: cells.int("sweeps"),
        secs: cells.some_float("secs"),
        local_minimum: cells.flag("local_minimum"),
        active: Vec::new(),
        spins: Vec::new(),
    }
}

fn summary(cells: &Cells) -> SummaryRow {
    SummaryRow {
        graph: cells.text("graph"),
        method: cells.text("method"),
        case: cells.text("case"),
        reference: cells.some_text("reference"),
        n: cells.int("n"),
        mean: cells.float("mean"),
        sd: cells.some_float("sd"),
        least: cells.float("least"),
        welch_t: cells.some_float("welch_t"),
        degrees_of_freedom: cells.some_float("degrees_of_freedom"),
        log10_p: cells.some_float("log10_p"),
        cohens_d: cells.some_float("cohens_d"),
    }
}

fn omega(cells: &Cells) -> OmegaRow {
    OmegaRow {
        graph: cells.text("graph"),
        case: cells.text("case"),
        model: cells.int("model"),
        image_index: cells.int("image_index"),
        image: cells.text("image"),
        label: cells.int("label"),
        perturbation: cells.int("perturbation"),
        seed: cells.seed("seed"),
        norm: cells.float("norm"),
        omega: cells.float("omega"),
        unmoved: cells.float("unmoved"),
        mean_change: cells.float("mean_change"),
        greatest_change: cells.float("greatest_change"),
        class_before: cells.int("class_before"),
        class_after: cells.int("class_after"),
        same_class: cells.flag("same_class"),
    }
}

fn lambda(cells: &Cells) -> LambdaRow {
    LambdaRow {
        graph: cells.text("graph"),
        case: cells.text("case"),
        n_images: cells.int("n_images"),
        n: cells.int("n"),
        lambda: cells.float("lambda"),
        lambda_low: cells.some_float("lambda_low"),
        lambda_high: cells.some_float("lambda_high"),
        resamples: cells.int("resamples"),
        seed: cells.seed("seed"),
        mean_omega: cells.float("mean_omega"),
        mean_distance: cells.float("mean_distance"),
        mean_unmoved: cells.float("mean_unmoved"),
        lambda_moved: cells.float("lambda_moved"),
        same_class: cells.float("same_class"),
        one_sided: cells.float("one_sided"),
    }
}

fn lambda_image(cells: &Cells) -> LambdaImageRow {
    LambdaImageRow {
        graph: cells.text("graph"),
        case: cells.text("case"),
        image_index: cells.int("image_index"),
        image: cells.text("image"),
        label: cells.int("label"),
        n: cells.int("n"),
        above_half: cells.float("above_half"),
        mean_omega: cells.float("mean_omega"),
        same_class: cells.float("same_class"),
    }
}

fn lambda_norm(cells: &Cells) -> LambdaNormRow {
    LambdaNormRow {
        graph: cells.text("graph"),
        case: cells.text("case"),
        norm_least: cells.float("norm_least"),
        norm_greatest: cells.float("norm_greatest"),
        n: cells.int("n"),
        same_class: cells.float("same_class"),
        lambda: cells.float("lambda"),
        mean_omega: cells.float("mean_omega"),
        mean_distance: cells.float("mean_distance"),
        mean_change: cells.float("mean_change"),
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
