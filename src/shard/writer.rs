//! Any block stream, written as a graph directory that appears complete or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::check::{self, Bounds};
use super::codec;
use super::file::{self, ShardWriter};
use super::fingerprint::{self, Hash};
use super::layout::{DirectoryEntry, Header, VALUES};
use super::manifest::{self, Checksum, Description, FORMAT_VERSION, Manifest, ShardRecord};
use super::reader::MAX_RAW_BYTES;
use super::values;
use super::{Error, Fault, FilePart, Target};
use crate::graph::{BlockStream, Frame, Totals};
use crate::progress::Progress;
use crate::staging::together::Staged;

/// zstd level of the frames. Higher ones gain little: blocks are few and already delta-coded.
const LEVEL: i32 = 6;

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Totals of the graph.
    pub totals: Totals,
    /// SHA-256 of the graph, in hexadecimal.
    pub fingerprint: String,
    /// Values in the store.
    pub n_values: u64,
    /// Frames.
    pub n_frames: usize,
    /// Shard files.
    pub n_shards: usize,
    /// Length of all files together.
    pub bytes: u64,
}

impl Summary {
    /// Bits on disk per edge; 0 for a graph without edges.
    pub fn bits_per_edge(&self) -> f64 {
        match self.totals.n_edges {
            0 => 0.0,
            n_edges => self.bytes as f64 * 8.0 / n_edges as f64,
        }
    }
}

/// Writes a graph directory at `dir`, which must not exist yet.
///
/// # Errors
/// If `dir` exists, the stream fails or breaks its contract, a weight is not finite, or the storage fails. Nothing is
/// then left at `dir`.
pub fn write(
    stream: &dyn BlockStream,
    description: &Description,
    dir: &Path,
    progress: &dyn Progress,
) -> Result<Summary, Error> {
    write_to(stream, description, &Target::new(dir), progress)
}

/// As [`write()`], with a say in shard size and in what happens to an existing graph.
///
/// # Errors
/// As [`write()`].
pub fn write_to(
    stream: &dyn BlockStream,
    description: &Description,
    target: &Target,
    progress: &dyn Progress,
) -> Result<Summary, Error> {
    write_with(stream, description, target, progress, &create_new)
}

pub(super) fn write_with(
    stream: &dyn BlockStream,
    description: &Description,
    target: &Target,
    progress: &dyn Progress,
    create: Create<'_>,
) -> Result<Summary, Error> {
    target.check()?;
    check_values(stream)?;
    let (summary, staged) = with_values(stream, |graph| write_all(graph, description, target, progress, create))?;
    target.commit(staged)?;
    Ok(summary)
}

/// As [`write_to`], but leaves it to the caller to give the graph its name.
#[cfg(feature = "cli")]
pub(crate) fn stage(
    stream: &dyn BlockStream,
    description: &Description,
    target: &Target,
    progress: &dyn Progress,
) -> Result<(Summary, Staged), Error> {
    target.check()?;
    check_values(stream)?;
    with_values(stream, |graph| write_all(graph, description, target, progress, &create_new))
}

/// A stream that has its values, as one that makes them.
pub(super) fn with_values<T>(stream: &dyn BlockStream, f: impl FnOnce(&Generated<'_>) -> T) -> T {
    let values = stream.values();
    let copy = |first: u64, out: &mut [f32]| out.copy_from_slice(&values[first as usize..][..out.len()]);
    f(&Generated { topology: stream, n_values: values.len() as u64, fill: &copy, own_values: Vec::new() })
}

/// A file being written.
pub(super) trait Output: Write {
    /// Everything is on disk, and nobody writes to it again.
    fn seal(&mut self) -> io::Result<()>;
}

impl Output for File {
    fn seal(&mut self) -> io::Result<()> {
        let mut permissions = self.metadata()?.permissions();
        permissions.set_readonly(true);
        self.set_permissions(permissions)?;
        self.sync_all()
    }
}

/// Makes the files; tests make some that fail.
pub(super) type Create<'a> = &'a dyn Fn(&Path) -> io::Result<Box<dyn Output>>;

/// A file that does not exist yet.
pub(super) fn create_new(path: &Path) -> io::Result<Box<dyn Output>> {
    Ok(Box::new(File::create_new(path)?))
}

/// A graph whose values are made while they are written.
pub struct Generated<'a> {
    /// Everything but values and sums of weights.
    pub topology: &'a dyn BlockStream,
    /// Values in the store.
    pub n_values: u64,
    /// Makes the values from an offset on, all finite; called from many threads.
    pub fill: values::Fill<'a>,
    /// Layers (by index) into which every edge has a value of its own, and where these are: sums of weights of the
    /// others are the topology's.
    pub own_values: Vec<(usize, Range<u64>)>,
}

/// As [`write_to`], for values that need not be in memory. Memory: a few MiB per thread.
///
/// # Errors
/// As [`write()`].
pub fn write_generated(
    graph: &Generated<'_>,
    description: &Description,
    target: &Target,
    progress: &dyn Progress,
) -> Result<Summary, Error> {
    let (summary, staged) = write_all(graph, description, target, progress, &create_new)?;
    target.commit(staged)?;
    Ok(summary)
}

fn write_all(
    graph: &Generated<'_>,
    description: &Description,
    target: &Target,
    progress: &dyn Progress,
    create: Create<'_>,
) -> Result<(Summary, Staged), Error> {
    target.check()?;
    let folder = target.temporary()?;
    let files = Files { folder: folder.item.path(), target: &target.dir, create };
    let mut frames = FramesWriter { files, target, shard: None, records: Vec::new(), hashes: Vec::new() };
    frames.write(graph.topology, graph.n_values, progress)?;
    let FramesWriter { files, records, hashes, .. } = frames;
    let summary = write_rest(&files, graph, description, (records, &hashes), progress)?;
    Ok((summary, target.stage(folder)?))
}

/// Writes the value store and the manifest, once the shard files are there: their records, and the hashes of all frames.
pub(super) fn write_rest(
    files: &Files<'_>,
    graph: &Generated<'_>,
    description: &Description,
    (records, hashes): (Vec<ShardRecord>, &[Hash]),
    progress: &dyn Progress,
) -> Result<Summary, Error> {
    let stream = graph.topology;
    progress.begin("write values", graph.n_values * 4);
    let ranges: Vec<_> = graph.own_values.iter().map(|(_, range)| range.clone()).collect();
    let written = files.write(VALUES, |out| values::write(graph.n_values, graph.fill, &ranges, out, progress))?;
    progress.end();
    let values::Written { record: values, hashes: pieces, sums } = written;

    let mut layers = stream.layers().to_vec();
    for ((layer, _), sum) in graph.own_values.iter().zip(sums) {
        layers[*layer].sum_abs = sum;
    }
    let sum_abs = match graph.own_values.is_empty() {
        true => stream.totals().sum_abs,
        false => layers.iter().map(|layer| layer.sum_abs).sum(),
    };
    let totals = Totals { sum_abs, ..stream.totals() };
    let manifest = Manifest {
        format_version: FORMAT_VERSION,
        fingerprint: fingerprint::graph(&layers, hashes, values.n_values, &pieces),
        n_nodes: totals.n_nodes,
        n_edges: totals.n_edges,
        sum_abs: totals.sum_abs,
        description: description.clone(),
        one_way: stream.is_one_way(),
        layers: layers.iter().map(Into::into).collect(),
        values,
        shards: records,
    };
    manifest.check().map_err(|source| Error::Unstorable { part: FilePart::Whole, source })?;
    let bytes = manifest.encode();
    files.write(manifest::FILE, |out| out.write_all(&bytes))?;
    let total = bytes.len() as u64 + manifest.values.n_values * 4;
    Ok(Summary {
        totals,
        n_values: manifest.values.n_values,
        n_frames: hashes.len(),
        n_shards: manifest.shards.len(),
        bytes: total + manifest.shards.iter().map(|shard| shard.bytes).sum::<u64>(),
        fingerprint: manifest.fingerprint,
    })
}

/// That every weight is a number.
pub(super) fn check_values(stream: &dyn BlockStream) -> Result<(), Error> {
    match values::not_finite(stream.values(), stream.layers()) {
        Some((offset, layer, value)) => Err(Error::NotFinite { offset, layer, value }),
        None => Ok(()),
    }
}

/// The temporary directory. Errors name the files as they will be called.
pub(super) struct Files<'a> {
    pub folder: &'a Path,
    pub target: &'a Path,
    pub create: Create<'a>,
}

impl Files<'_> {
    fn create(&self, name: &str) -> Result<Box<dyn Output>, Error> {
        (self.create)(&self.folder.join(name)).map_err(self.failed(name))
    }

    pub fn failed(&self, name: &str) -> impl Fn(io::Error) -> Error + use<> {
        let path: PathBuf = self.target.join(name);
        move |source| Error::Write { path: path.clone(), source }
    }

    pub fn write<T>(&self, name: &str, f: impl FnOnce(&mut dyn Output) -> io::Result<T>) -> Result<T, Error> {
        let mut out = self.create(name)?;
        let written = f(&mut *out).map_err(self.failed(name))?;
        out.seal().map_err(self.failed(name))?;
        Ok(written)
    }
}

/// Encodes frames and spreads them over shard files.
struct FramesWriter<'a> {
    files: Files<'a>,
    target: &'a Target,
    shard: Option<(u32, ShardWriter<Box<dyn Output>>)>,
    records: Vec<ShardRecord>,
    hashes: Vec<Hash>,
}

impl FramesWriter<'_> {
    fn write(&mut self, stream: &dyn BlockStream, n_values: u64, progress: &dyn Progress) -> Result<(), Error> {
        progress.begin("write frames", stream.frames().len() as u64);
        let bounds = Bounds { layers: stream.layers(), n_values };
        let (mut frame, mut raw) = (Frame::default(), Vec::new());
        let mut row = 0;
        for (index, info) in stream.frames().iter().enumerate() {
            stream.read(index, &mut frame)?;
            let unstorable = |source| Error::Unstorable { part: FilePart::Frame(index), source };
            Fault::unless_equal("first row", info.rows.start, row)
                .and_then(|()| check::rows(&info.rows, info.layer, stream.layers()))
                .map_err(unstorable)?;
            check::frame(&frame, info, bounds).map_err(unstorable)?;
            codec::encode(&frame, &mut raw);
            if raw.len() > MAX_RAW_BYTES as usize {
                return Err(unstorable(Fault::TooLarge));
            }
            self.hashes.push(fingerprint::frame(info, &raw));
            let entry = DirectoryEntry {
                first_row: info.rows.start,
                n_rows: info.rows.end - info.rows.start,
                layer: info.layer,
                raw_bytes: raw.len() as u32,
                n_edges_in: info.n_edges_in,
                n_edges_out: info.n_edges_out,
                ..DirectoryEntry::default()
            };
            row = info.rows.end;
            self.append(entry, &raw)?;
            progress.advance(1);
        }
        self.close(row)?;
        progress.end();
        let unstorable = |source| Error::Unstorable { part: FilePart::Whole, source };
        let n_edges_out = if stream.is_one_way() { 0 } else { stream.totals().n_edges };
        check::counts(n_edges_out, stream.layers(), stream.frames()).map_err(unstorable)
    }

    /// Appends a frame, to the next shard if this one has reached its size.
    fn append(&mut self, entry: DirectoryEntry, raw: &[u8]) -> Result<(), Error> {
        if self.shard.as_ref().is_some_and(|(_, shard)| shard.bytes() >= self.target.shard_bytes) {
            self.close(entry.first_row)?;
        }
        let index = self.records.len() as u32;
        let failed = self.files.failed(&file::name(index));
        let stored = zstd::bulk::compress(raw, LEVEL).map_err(&failed)?;
        let (_, shard) = match &mut self.shard {
            Some(open) => open,
            none => {
                let header = Header { index, first_row: entry.first_row };
                let out = self.files.create(&file::name(index))?;
                none.insert((entry.first_row, ShardWriter::new(out, header).map_err(&failed)?))
            }
        };
        shard.append(entry, &stored).map_err(failed)
    }

    /// Ends the shard being written, if any, before row `end_row`.
    fn close(&mut self, end_row: u32) -> Result<(), Error> {
        let Some((first_row, shard)) = self.shard.take() else { return Ok(()) };
        let file = file::name(self.records.len() as u32);
        let failed = self.files.failed(&file);
        let bytes = shard.bytes();
        let (mut out, n_frames, checksum) = shard.finish().map_err(&failed)?;
        out.seal().map_err(failed)?;
        let (n_rows, checksum) = (end_row - first_row, Checksum(checksum));
        self.records.push(ShardRecord { file, first_row, n_rows, n_frames, bytes, checksum });
        Ok(())
    }
}
