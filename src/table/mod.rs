//! Parquet out. Tables hold what others computed; nothing is computed here.

mod provenance;

pub use provenance::Provenance;
