//! What can go wrong with a table.

use std::path::PathBuf;

/// A table that could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The writer failed.
    #[error("cannot write the table")]
    Write(#[source] parquet::errors::ParquetError),
    /// The file cannot be opened.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is no Parquet, or damaged.
    #[error("{path} is no intact Parquet file")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A column is absent or of another type than this version writes.
    #[error("{path} is no `{table}` table of this version: column `{column}` {found}, expected {expected}")]
    Column {
        /// The file.
        path: PathBuf,
        /// The table it should be.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What is there instead.
        found: String,
        /// Its type.
        expected: &'static str,
    },
    /// A value is missing.
    #[error("{path}, row {row}: column `{column}` is null, which a `{table}` table does not have there")]
    Null {
        /// The file.
        path: PathBuf,
        /// The table it should be.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Number of the row, from 1.
        row: u64,
    },
}
