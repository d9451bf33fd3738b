//! Parquet out. Tables hold what others computed; nothing is computed here.
//!
//! [`schema`] says what every column means, [`rows`] has one plain struct per table, [`Sink`] writes:
//! ```
//! use frustration::table::{self, LayerRow, Provenance};
//! let mut sink = table::layers(Vec::new(), &Provenance::default())?;
//! sink.append(&[LayerRow { source: "input".into(), target: "conv1".into(), ..LayerRow::default() }])?;
//! let file: Vec<u8> = sink.finish()?;
//! assert!(file.starts_with(b"PAR1"));
//! # Ok::<(), table::Error>(())
//! ```

use std::io::Write;

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

/// Begins a table of replicas.
///
/// # Errors
/// If `writer` fails.
pub fn replicas<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, ReplicaRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of frustration by block of the adjacency matrix.
///
/// # Errors
/// If `writer` fails.
pub fn layers<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, LayerRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of an imported graph's nodes.
///
/// # Errors
/// If `writer` fails.
pub fn nodes<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, NodeRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of null models.
///
/// # Errors
/// If `writer` fails.
pub fn nulls<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, NullRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of compared cases.
///
/// # Errors
/// If `writer` fails.
pub fn summary<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, SummaryRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of active subnetworks.
///
/// # Errors
/// If `writer` fails.
pub fn active<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, ActiveRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of the layers of active subnetworks.
///
/// # Errors
/// If `writer` fails.
pub fn active_layers<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, ActiveLayerRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of perturbations.
///
/// # Errors
/// If `writer` fails.
pub fn omega<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, OmegaRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of λ by case.
///
/// # Errors
/// If `writer` fails.
pub fn lambda<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, LambdaRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of perturbations summed up by image.
///
/// # Errors
/// If `writer` fails.
pub fn lambda_images<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, LambdaImageRow>, Error> {
    Sink::new(writer, provenance)
}

/// Begins a table of perturbations summed up by norm.
///
/// # Errors
/// If `writer` fails.
pub fn lambda_norms<W: Write + Send>(writer: W, provenance: &Provenance) -> Result<Sink<W, LambdaNormRow>, Error> {
    Sink::new(writer, provenance)
}
