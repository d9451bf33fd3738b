//! Any graph as a plain compressed sparse row matrix, in the file that `scipy.sparse.load_npz` opens.
//!
//! A stored graph says what repeats; here it is spelt out, edge by edge, for other programs and for tests: row by row the
//! columns in ascending order (`indices`) with their weights (`data`), and where each row begins (`indptr`). SqueezeNet has
//! 379 million edges, so that is a file of 3 GB; [`Selection`] takes some of the rows.
//!
//! ```
//! use frustration::export::{Selection, write_npz};
//! use frustration::graph::{Direction, csr::Csr};
//! use frustration::progress::Silent;
//!
//! let triangle = Csr::from_edges_unclassed(3, &[(0, 1, 1.0), (0, 2, 0.5), (1, 2, -2.0)]);
//! let (mut file, scratch) = (std::io::Cursor::new(Vec::new()), tempfile::tempdir()?);
//! let last_row = Selection { direction: Direction::In, rows: Some(2..3) };
//! let summary = write_npz(&triangle, &last_row, &mut file, scratch.path(), &Silent)?;
//! assert_eq!((summary.n_rows, summary.n_columns, summary.n_entries), (1, 3, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Memory: 8 bytes a row, and a buffer of [`BUFFER_EDGES`] edges; never a whole frame of edges. Disk: besides the output,
//! column numbers and weights lie in two unnamed temporary files until their number is known.

use std::io::{BufReader, BufWriter, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::graph::{self, BlockStream, Direction, Frame, NodeId};
use crate::npy;
use crate::progress::Progress;

mod rows;

use rows::RowBuffer;

/// Edges held in memory at once, unless a single row has more.
pub const BUFFER_EDGES: u64 = 1 << 22;

/// A matrix that could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The graph cannot be read.
    #[error("cannot read the graph")]
    Graph(#[from] graph::Error),
    /// The output or a temporary file cannot be written.
    #[error("cannot write the matrix")]
    Write(#[from] std::io::Error),
    /// The rows asked for are not rows of the graph.
    #[error("rows {}..{} asked for, but the graph has {n_nodes} nodes", asked.start, asked.end)]
    Rows {
        /// What was asked for.
        asked: Range<u64>,
        /// Rows there are.
        n_nodes: u32,
    },
}

impl From<zip::result::ZipError> for Error {
    fn from(source: zip::result::ZipError) -> Self {
        Self::Write(source.into())
    }
}

/// Which part of a graph to export.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Rows of `A`, or of `Aᵀ`.
    pub direction: Direction,
    /// Rows; all if `None`. The matrix has as many rows as that, and all columns.
    pub rows: Option<Range<u64>>,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the matrix.
    pub n_rows: u64,
    /// Columns of the matrix.
    pub n_columns: u64,
    /// Stored entries. Less than the edges if some joined the same two nodes in the same direction.
    pub n_entries: u64,
}

/// Writes `selection` of `stream` to `out` as an npz with members `indices`, `indptr`, `format`, `shape` and `data`.
///
/// Columns ascend in each row; edges that join the same two nodes in the same direction are summed, in stored order.
/// `data` is float32, `indptr` int64, `indices` int32 where node numbers fit and int64 otherwise.
/// `scratch` is the folder for temporary files.
///
/// # Errors
/// If the rows do not exist, the stream fails, or the storage does.
pub fn write_npz(
    stream: &dyn BlockStream,
    selection: &Selection,
    out: impl Write + Seek,
    scratch: &Path,
    progress: &dyn Progress,
) -> Result<Summary, Error> {
    let n_nodes = stream.totals().n_nodes;
    let rows = checked(selection, n_nodes)?;
    let mut spool = Spool::new(n_nodes, scratch)?;
    spool.fill(stream, selection.direction, &rows, progress)?;
    let summary = Summary {
        n_rows: u64::from(rows.end - rows.start),
        n_columns: u64::from(n_nodes),
        n_entries: spool.indptr.last().copied().unwrap_or(0) as u64,
    };
    spool.pack(&summary, out)?;
    Ok(summary)
}

fn checked(selection: &Selection, n_nodes: u32) -> Result<Range<NodeId>, Error> {
    match selection.rows.clone() {
        None => Ok(0..n_nodes),
        Some(asked) if asked.start <= asked.end && asked.end <= u64::from(n_nodes) => {
            Ok(asked.start as u32..asked.end as u32)
        }
        Some(asked) => Err(Error::Rows { asked, n_nodes }),
    }
}

/// The three arrays of the matrix while they grow.
struct Spool {
    indptr: Vec<i64>,
    indices: BufWriter<std::fs::File>,
    data: BufWriter<std::fs::File>,
    wide: bool,
}

impl Spool {
    fn new(n_nodes: u32, scratch: &Path) -> Result<Self, Error> {
        let temporary = || tempfile::tempfile_in(scratch).map(BufWriter::new);
        Ok(Self { indptr: vec![0], indices: temporary()?, data: temporary()?, wide: n_nodes > i32::MAX as u32 })
    }

    fn fill(
        &mut self,
        stream: &dyn BlockStream,
        direction: Direction,
        rows: &Range<NodeId>,
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        let mut frame = Frame::default();
        let mut buffer = RowBuffer::default();
        let meets = |info: &graph::FrameInfo| info.rows.start < rows.end && rows.start < info.rows.end;
        progress.begin("exporting rows", u64::from(rows.end - rows.start));
        for (index, info) in stream.frames().iter().enumerate().filter(|(_, info)| meets(info)) {
            stream.read(index, &mut frame)?;
            let blocks = frame.direction(direction);
            let wanted = info.rows.start.max(rows.start)..info.rows.end.min(rows.end);
            for part in rows::parts(blocks, wanted, BUFFER_EDGES) {
                buffer.gather(blocks, stream.values(), &part);
                buffer.each_row(|entries| self.push(entries))?;
                progress.advance(u64::from(part.end - part.start));
            }
        }
        progress.end();
        Ok(())
    }

    fn push(&mut self, entries: &[(NodeId, f32)]) -> std::io::Result<()> {
        for &(column, weight) in entries {
            match self.wide {
                true => self.indices.write_all(&i64::from(column).to_le_bytes())?,
                false => self.indices.write_all(&column.to_le_bytes())?,
            }
            self.data.write_all(&weight.to_le_bytes())?;
        }
        self.indptr.push(self.indptr.last().copied().unwrap_or(0) + entries.len() as i64);
        Ok(())
    }

    /// Stored, not deflated: weights do not shrink, and NumPy reads stored members at the speed of the disk.
    fn pack(self, summary: &Summary, out: impl Write + Seek) -> Result<(), Error> {
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored)
            .last_modified_time(zip::DateTime::default())
            .large_file(true);
        let mut zip = ZipWriter::new(BufWriter::new(out));
        zip.start_file("indices.npy", options)?;
        npy::header(&mut zip, if self.wide { "<i8" } else { "<i4" }, &[summary.n_entries])?;
        append(self.indices, &mut zip)?;
        zip.start_file("indptr.npy", options)?;
        npy::array(&mut zip, &self.indptr)?;
        zip.start_file("format.npy", options)?;
        npy::header(&mut zip, "|S3", &[])?;
        zip.write_all(b"csr")?;
        zip.start_file("shape.npy", options)?;
        npy::array(&mut zip, &[summary.n_rows as i64, summary.n_columns as i64])?;
        zip.start_file("data.npy", options)?;
        npy::header(&mut zip, "<f4", &[summary.n_entries])?;
        append(self.data, &mut zip)?;
        zip.finish()?.flush()?;
        Ok(())
    }
}

/// Copies a finished temporary file.
fn append(file: BufWriter<std::fs::File>, to: &mut impl Write) -> Result<(), Error> {
    let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    std::io::copy(&mut BufReader::with_capacity(1 << 20, file), to)?;
    Ok(())
}

#[cfg(test)]
mod tests;
