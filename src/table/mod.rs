//! Results as Parquet files. Tables hold what others computed; nothing is computed here.
//!
//! Each table is declared once, in `tables.rs`, with the name, type, unit, meaning and null rule of every column. The structs
//! below are made of that, so their fields are the columns; so are [`SCHEMAS`], which say the same as data, and
//! `docs/tables.md`, which says it to people.
//!
//! A [`Sink`] writes rows, [`read`] gives them back:
//! ```
//! use frustration::table::{self, LayerRow, Provenance, Sink};
//! let path = tempfile::NamedTempFile::new()?.into_temp_path();
//! let row = LayerRow { source: "input".into(), target: "conv1".into(), n_edges: 27, ..LayerRow::default() };
//!
//! let mut footer = Provenance::default();
//! footer.push("seed", "7");
//! let mut sink = Sink::new(std::fs::File::create(&path)?, &footer)?;
//! sink.append(&[row.clone()])?;
//! sink.finish()?;
//!
//! assert_eq!(table::read::<LayerRow>(&path)?, [row]);
//! assert_eq!(table::read_provenance(&path)?.get("seed"), Some("7"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The files open with the same types in pandas, Polars, DuckDB and pyarrow, and tables that other programs wrote are read
//! whatever Arrow types they used. A damaged file is an error, and a small one cannot ask for much memory.

#[macro_use]
mod declare;
mod error;
mod provenance;
mod reader;
mod schema;
mod sink;
mod tables;
mod value;

pub use error::Error;
pub use provenance::{FOOTER_KEYS, Provenance};
pub use reader::{read, read_provenance, read_without};
pub use schema::{Column, Schema, TableRow};
pub use sink::Sink;
pub use tables::{
    ActiveLayerRow, ActiveRow, LambdaImageRow, LambdaNormRow, LambdaRow, LayerRow, NodeRow, NullRow, OmegaRow,
    ReplicaRow, SCHEMAS, SummaryRow,
};
