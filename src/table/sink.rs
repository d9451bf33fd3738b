//! The Parquet writer, and the choices that make its files small and open everywhere.
//!
//! | type of column | encoding | because |
//! | --- | --- | --- |
//! | integers | deltas, bit-packed | counters and counts hardly differ from row to row |
//! | doubles | bytes of equal rank together | signs and exponents are alike, and compress |
//! | bytes | plain, without statistics | states look random, and their least and greatest mean nothing |
//! | text, booleans | Parquet's default: a dictionary, bits | few different values |
//!
//! All of it is then compressed by zstd.

use std::io::Write;
use std::marker::PhantomData;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::{Error, Provenance, Schema, TableRow};

/// zstd level: higher ones cost time and gain nothing measurable on such tables.
const LEVEL: i32 = 4;
/// Rows and bytes of a row group. States are large: a group of them must still fit a reader's memory.
const GROUP_ROWS: usize = 1 << 20;
const GROUP_BYTES: usize = 32 << 20;

/// A table being written. Nothing is readable before [`finish`](Sink::finish).
pub struct Sink<W: Write + Send, R> {
    writer: ArrowWriter<W>,
    row: PhantomData<R>,
}

impl<W: Write + Send, R: TableRow> Sink<W, R> {
    /// Begins the table of `R` with `provenance` in its footer.
    ///
    /// # Errors
    /// If `writer` fails.
    pub fn new(writer: W, provenance: &Provenance) -> Result<Self, Error> {
        // Without the embedded Arrow schema every reader derives the types from Parquet's own, hence the same ones.
        let options =
            ArrowWriterOptions::new().with_skip_arrow_metadata(true).with_properties(properties(R::SCHEMA, provenance));
        let writer = ArrowWriter::try_new_with_options(writer, R::SCHEMA.arrow(), options).map_err(Error::Write)?;
        Ok(Self { writer, row: PhantomData })
    }

    /// Appends rows.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn append(&mut self, rows: &[R]) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let batch = RecordBatch::try_new(R::SCHEMA.arrow(), R::columns(rows));
        self.writer.write(&batch.expect("a row's columns are those of its table")).map_err(Error::Write)
    }

    /// Writes the footer and returns the writer.
    ///
    /// # Errors
    /// If the writer fails.
    pub fn finish(self) -> Result<W, Error> {
        self.writer.into_inner().map_err(Error::Write)
    }
}

fn properties(schema: &Schema, provenance: &Provenance) -> WriterProperties {
    let footer = provenance.pairs().iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(LEVEL).expect("zstd has this level")))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_max_row_group_bytes(Some(GROUP_BYTES))
        .set_key_value_metadata(Some(footer.collect()));
    for column in schema.columns {
        let path = ColumnPath::from(column.name);
        properties = match column.data_type {
            DataType::Int64 | DataType::UInt64 => encoded(properties, path, Encoding::DELTA_BINARY_PACKED),
            DataType::Float64 => encoded(properties, path, Encoding::BYTE_STREAM_SPLIT),
            // Least and greatest state mean nothing, and would be a megabyte in the footer.
            DataType::Binary => encoded(properties, path.clone(), Encoding::PLAIN)
                .set_column_statistics_enabled(path, EnabledStatistics::None),
            _ => properties,
        };
    }
    properties.build()
}

fn encoded(properties: WriterPropertiesBuilder, path: ColumnPath, encoding: Encoding) -> WriterPropertiesBuilder {
    properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{self as table, LayerRow, NullRow, ReplicaRow, SummaryRow};
    use super::*;
    use crate::testing::limited::Limited;

    fn replica(replica: i64) -> ReplicaRow {
        ReplicaRow {
            graph: "net".into(),
            method: "sweep".into(),
            replica,
            seed: u64::MAX,
            energy: 0.25,
            satisfied_weight: 3.0,
            frustrated_weight: 1.0,
            n_nodes: 9,
            secs: (replica % 3 == 0).then_some(0.5),
            local_minimum: replica % 2 == 0,
            state: vec![replica as u8, 1],
            ..ReplicaRow::default()
        }
    }

    #[test]
    fn rows_and_footer_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("replicas.parquet");
        let mut provenance = Provenance::default();
        provenance.push("seed", "7");
        let rows: Vec<_> = (0..5).map(replica).collect();
        let mut sink = Sink::new(std::fs::File::create(&path).unwrap(), &provenance).unwrap();
        sink.append(&rows[..2]).unwrap();
        sink.append(&[]).unwrap();
        sink.append(&rows[2..]).unwrap();
        sink.finish().unwrap();
        assert_eq!(table::read::<ReplicaRow>(&path).unwrap(), rows);
        let without: Vec<_> = rows.iter().map(|row| ReplicaRow { state: Vec::new(), ..row.clone() }).collect();
        assert_eq!(table::read_without::<ReplicaRow>(&path, &["state"]).unwrap(), without);
        assert_eq!(table::read_provenance(&path).unwrap(), provenance);
        assert_eq!((provenance.get("seed"), provenance.get("graph")), (Some("7"), None));
    }

    #[test]
    fn nulls_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let create = || std::fs::File::create(&path).unwrap();
        let n3 = NullRow {
            kind: "n3".into(),
            distribution: Some("he".into()),
            secs: Some(0.5),
            seed: u64::MAX,
            ..NullRow::default()
        };
        let rows = [NullRow { kind: "n1".into(), index: 7, local_minimum: true, ..NullRow::default() }, n3];
        let mut sink = Sink::new(create(), &Provenance::default()).unwrap();
        sink.append(&rows).unwrap();
        sink.finish().unwrap();
        assert_eq!(table::read::<NullRow>(&path).unwrap(), rows);

        let n1 = SummaryRow {
            reference: Some("real".into()),
            sd: Some(0.1),
            welch_t: Some(500.0),
            degrees_of_freedom: Some(150.0),
            log10_p: Some(-242.8),
            cohens_d: Some(80.0),
            ..SummaryRow::default()
        };
        let rows = [SummaryRow { case: "real".into(), n: 1, mean: 0.25, ..SummaryRow::default() }, n1];
        let mut sink = Sink::new(create(), &Provenance::default()).unwrap();
        sink.append(&rows).unwrap();
        sink.finish().unwrap();
        assert_eq!(table::read::<SummaryRow>(&path).unwrap(), rows);
    }

    #[test]
    fn large_states_make_small_row_groups() {
        // A xorshift generator: bytes that do not compress.
        let mut noise = 1u32;
        let mut byte = || {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            noise as u8
        };
        let mut state = || (0..4 << 20).map(|_| byte()).collect();
        let rows: Vec<_> = (0..10).map(|i| ReplicaRow { state: state(), ..replica(i) }).collect();
        let mut sink = Sink::new(Vec::new(), &Provenance::default()).unwrap();
        for row in &rows {
            sink.append(std::slice::from_ref(row)).unwrap();
        }
        assert!(!sink.writer.flushed_row_groups().is_empty());
    }

    #[test]
    fn a_writer_that_fails_is_an_error() {
        let sink = Sink::new(Limited { left: Arc::default(), inner: Vec::new() }, &Provenance::default());
        let done = sink.and_then(|mut sink| {
            sink.append(&[LayerRow::default()])?;
            sink.finish()
        });
        assert!(matches!(done, Err(Error::Write(_))));
    }
}
