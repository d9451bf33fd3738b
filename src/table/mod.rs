//! Parquet out. Tables hold what others computed; nothing is computed here.
//!
//! [`schema`] says what every column means, [`rows`] has one plain struct per table, [`Sink`] writes:
//! ```
//! use frustration::table::{LayerRow, Provenance, Sink};
//! let mut sink = Sink::new(Vec::new(), &Provenance::default())?;
//! sink.append(&[LayerRow { source: "input".into(), target: "conv1".into(), ..LayerRow::default() }])?;
//! let file: Vec<u8> = sink.finish()?;
//! assert!(file.starts_with(b"PAR1"));
//! # Ok::<(), frustration::table::Error>(())
//! ```

mod cell;
mod error;
mod provenance;
mod reader;
pub mod rows;
pub mod schema;
mod sink;

pub use error::Error;
pub use provenance::Provenance;
pub use reader::{
    read_active, read_lambda, read_lambda_images, read_lambda_norms, read_nulls, read_omega, read_provenance,
    read_replicas, read_replicas_without_states, read_summary,
};
pub use rows::{
    ActiveLayerRow, ActiveRow, LambdaImageRow, LambdaNormRow, LambdaRow, LayerRow, NodeRow, NullRow, OmegaRow,
    ReplicaRow, SummaryRow,
};
pub use sink::Sink;
