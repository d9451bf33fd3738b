//! Parquet files, whoever wrote them: how a file that may be damaged, or made to do harm, is read without a crash and
//! without more memory than its size deserves.
//!
//! Parquet's library trusts its input more than we do, so a file passes five gates:
//!
//! 1. the lists and texts of the footer are measured before the library sees them ([`pages::check_footer`]): a length that
//!    lies is found while it is a number, not an allocation;
//! 2. every column must lie inside the file, and rows be in proportion to bytes ([`check`]): a few bytes may otherwise stand
//!    for any number of equal rows;
//! 3. so must every page inside its column ([`pages::check_pages`]);
//! 4. while rows are read, a [`Budget`] says how much memory they may take, again in proportion to the file;
//! 5. a panic of the library becomes an error of the file ([`contained`]).
//!
//! Types are Parquet's own: the Arrow schema that some writers add (dictionaries, large and view types) only says how they
//! held their columns in memory.

use std::fs::File;

use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use crate::{contained, pages};

/// A Parquet file that is open: its schema is known, its rows can be read once.
pub(crate) type ParquetFile = ParquetRecordBatchReaderBuilder<File>;

/// Opens `file` and has `read` read it. Whatever the libraries make of its bytes, also a panic, is one of the errors that
/// `damaged` makes.
pub(crate) fn read<T, E>(
    file: File,
    damaged: impl Fn(ParquetError) -> E,
    read: impl FnOnce(ParquetFile, Budget) -> Result<T, E>,
) -> Result<T, E> {
    let all = || {
        let (file, budget) = open(file).map_err(&damaged)?;
        read(file, budget)
    };
    contained::run(all).unwrap_or_else(|panicked| Err(damaged(ParquetError::General(panicked.to_string()))))
}

fn open(file: File) -> Result<(ParquetFile, Budget), ParquetError> {
    let length = file.metadata().map_err(|error| ParquetError::External(error.into()))?.len();
    pages::check_footer(&file, length)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let pages = file.try_clone()?;
    let file = ParquetFile::try_new_with_options(file, options)?;
    check(file.metadata(), length)?;
    pages::check_pages(&pages, file.metadata(), length)?;
    Ok((file, Budget { bytes: LEAST_BYTES.saturating_add(length.saturating_mul(BYTES_EACH)) }))
}

/// Rows that even the smallest file may have, and rows for each of its bytes: ten times what real tables have.
const ROWS: [u64; 2] = [1 << 20, 1 << 10];
/// The same for bytes in memory. Equal states of many replicas compress a hundred times.
const LEAST_BYTES: u64 = 1 << 28;
const BYTES_EACH: u64 = 1 << 10;

/// That every column lies in the file, and that rows and bytes are in proportion.
fn check(metadata: &ParquetMetaData, length: u64) -> Result<(), ParquetError> {
    let wrong = |what: String| Err(ParquetError::General(what));
    let mut n_rows = 0u64;
    for group in metadata.row_groups() {
        let Ok(rows) = u64::try_from(group.num_rows()) else {
            return wrong(format!("a group of {} rows", group.num_rows()));
        };
        n_rows = n_rows.saturating_add(rows);
        for column in group.columns() {
            let dictionary = column.dictionary_page_offset().filter(|&at| at > 0);
            let first = dictionary.unwrap_or(i64::MAX).min(column.data_page_offset());
            let end = first.checked_add(column.compressed_size());
            let is_inside = first >= 0 && column.compressed_size() >= 0 && column.num_values() >= 0;
            if !is_inside || end.is_none_or(|end| end as u64 > length) {
                return wrong(format!("column {} lies outside the file", column.column_path().string()));
            }
        }
    }
    let most = ROWS[0].saturating_add(length.saturating_mul(ROWS[1]));
    match n_rows > most {
        true => wrong(format!("{n_rows} rows in {length} bytes, which no writer makes; at most {most} are read")),
        false => Ok(()),
    }
}

/// Bytes of memory that the rows of a file may still take.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: u64,
}

impl Budget {
    /// Takes some of them.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), ParquetError> {
        let left = self.bytes.checked_sub(bytes as u64);
        self.bytes = left.ok_or_else(|| {
            ParquetError::General("its rows take more than 1024 bytes of memory for each byte of the file".into())
        })?;
        Ok(())
    }
}
