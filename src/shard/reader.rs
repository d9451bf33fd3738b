//! A graph directory, opened.

use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::check::{self, Bounds};
use super::codec;
use super::error::{Error, Fault, FilePart};
use super::file::{self, Directory};
use super::layout::{DirectoryEntry, VALUES};
use super::manifest::{self, Description, Manifest, ShardRecord};
use super::map::{self, Map};

use crate::graph::{Frame, FrameInfo, Layer, Totals};
use crate::{kind, regular};

/// Longest frame before compression. Longer ones are neither written nor read.
pub(super) const MAX_RAW_BYTES: u32 = 1 << 26;

/// Longest manifest that is read.
const MAX_MANIFEST_BYTES: u64 = 1 << 28;

/// A graph directory, opened: file contents are of type `B`, memory-mapped unless in tests.
///
/// Its tables are checked, its values are not: [`verified`](Self::verified) does that and makes a block stream of it.
///
/// Good for graphs of any size: memory is O(frames) besides the mapped files, which the system may drop and read again.
/// Not for changing a graph: directories are immutable.
#[derive(Debug)]
pub struct Shards<B = Map> {
    dir: PathBuf,
    manifest: Manifest,
    layers: Vec<Layer>,
    frames: Vec<FrameInfo>,
    locations: Vec<Location>,
    shards: Vec<B>,
    pub(super) values: B,
    bytes: u64,
}

/// Where a frame's bytes are.
#[derive(Debug)]
struct Location {
    shard: u32,
    range: Range<usize>,
    raw_bytes: u32,
    checksum: u32,
}

impl Shards<Map> {
    /// Opens a graph directory. Cost: O(shards + frames); what is checked is told in [`super`].
    ///
    /// # Errors
    /// If a file is missing, has the wrong length, or its tables are damaged or contradict each other.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(manifest::FILE);
        let read = |source| Error::Read { path: path.clone(), source };
        let manifest = regular::read(&path, MAX_MANIFEST_BYTES)
            .map_err(|source| not_a_graph(dir).unwrap_or_else(|| read(source)))?;
        Self::from_files(dir, &manifest, |name| map::open(&dir.join(name)))
    }
}

/// What is at `dir` if that is clearly no graph directory.
fn not_a_graph(dir: &Path) -> Option<Error> {
    const EXPECTED: &str = "expected a graph directory, which `pipeline build-graph` makes of a network and `pipeline \
                            import-graph` of an edge list";
    let found = match () {
        () if dir.is_file() => {
            kind::of_file(dir).map_or("a file".to_owned(), |found| format!("a file ({})", found.what))
        }
        () if dir.is_dir() && !dir.join(manifest::FILE).exists() => format!("a folder without {}", manifest::FILE),
        () if !dir.exists() => {
            return Some(Error::NotADirectory { path: dir.into(), found: format!("not there; {EXPECTED}") });
        }
        () => return None,
    };
    Some(Error::NotADirectory { path: dir.into(), found: format!("{found}, {EXPECTED}") })
}

impl<B: AsRef<[u8]>> Shards<B> {
    /// Opens a graph from the bytes of its manifest and a function that gets the contents of its other files; `dir` is
    /// for messages.
    ///
    /// # Errors
    /// As [`Shards::open`].
    pub fn from_files(
        dir: &Path,
        manifest_bytes: &[u8],
        mut load: impl FnMut(&str) -> Result<B, Error>,
    ) -> Result<Self, Error> {
        if cfg!(target_endian = "big") {
            return Err(Error::BigEndian);
        }
        let manifest = Manifest::decode(manifest_bytes, &dir.join(manifest::FILE))?;
        let layers: Vec<Layer> = manifest.layers.iter().map(Layer::from).collect();
        let values = load(VALUES)?;
        let mut bytes = manifest_bytes.len() as u64 + values.as_ref().len() as u64;
        check_values(&dir.join(VALUES), values.as_ref(), manifest.values.n_values)?;
        let (mut frames, mut locations, mut shards) = (Vec::new(), Vec::new(), Vec::new());
        for (index, record) in (0..).zip(&manifest.shards) {
            let shard = load(&record.file)?;
            let path = dir.join(&record.file);
            let directory = open_shard(&path, shard.as_ref(), record, index)?;
            let damaged = |source| Error::Damaged { path: path.clone(), part: FilePart::Directory, source };
            list_frames(&directory, record, index, &layers, (&mut frames, &mut locations)).map_err(damaged)?;
            bytes += record.bytes;
            shards.push(shard);
        }
        let damaged = |source| Error::Damaged { path: dir.join(manifest::FILE), part: FilePart::Whole, source };
        check::counts(manifest.n_edges_out(), &layers, &frames).map_err(damaged)?;
        Ok(Self { dir: dir.into(), manifest, layers, frames, locations, shards, values, bytes })
    }

    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Where the graph comes from.
    pub fn description(&self) -> &Description {
        &self.manifest.description
    }

    /// SHA-256 of the graph, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.manifest.fingerprint
    }

    /// Totals.
    pub fn totals(&self) -> Totals {
        self.manifest.totals()
    }

    /// Layers in node order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Frames in row order.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }

    /// Do frames hold In blocks only?
    pub fn is_one_way(&self) -> bool {
        self.manifest.one_way
    }

    /// Length of all files together.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Checks the stored bytes of frame `index` and calls `f` with the expanded ones.
    pub(super) fn with_raw<T>(&self, index: usize, f: impl FnOnce(&[u8]) -> Result<T, Fault>) -> Result<T, Error> {
        let location = &self.locations[index];
        let stored = &self.shards[location.shard as usize].as_ref()[location.range.clone()];
        let found = crc32fast::hash(stored);
        if found != location.checksum {
            let (path, part) = (self.path_of(index), FilePart::Frame(index));
            return Err(Error::Checksum { path, part, found, expected: location.checksum });
        }
        expand(stored, location.raw_bytes, f).map_err(|source| self.damaged(index, source))
    }

    /// Decodes and checks the expanded bytes of frame `index`.
    pub(super) fn decode(&self, index: usize, raw: &[u8], frame: &mut Frame) -> Result<(), Fault> {
        codec::decode(raw, frame)?;
        let bounds = Bounds { layers: &self.layers, n_values: self.manifest.values.n_values };
        check::frame(frame, &self.frames[index], bounds)
    }

    /// The bytes of shard file `index`.
    pub(super) fn shard_bytes(&self, index: usize) -> &[u8] {
        self.shards[index].as_ref()
    }

    /// The value store, unchecked.
    pub(super) fn values(&self) -> &[f32] {
        bytemuck::try_cast_slice(self.values.as_ref()).expect("length and alignment are checked when it is opened")
    }

    /// A file of the directory.
    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }

    fn path_of(&self, index: usize) -> PathBuf {
        self.path(&file::name(self.locations[index].shard))
    }

    fn damaged(&self, index: usize, source: Fault) -> Error {
        Error::Damaged { path: self.path_of(index), part: FilePart::Frame(index), source }
    }
}

/// Length and alignment.
fn check_values(path: &Path, bytes: &[u8], n_values: u64) -> Result<(), Error> {
    check_size(path, bytes, n_values * 4)?;
    let cast: Result<&[f32], _> = bytemuck::try_cast_slice(bytes);
    cast.map(|_| ()).map_err(|error| Error::Damaged {
        path: path.into(),
        part: FilePart::Whole,
        source: Fault::Differs { what: "alignment", found: error.to_string(), expected: "4 bytes".into() },
    })
}

fn check_size(path: &Path, bytes: &[u8], expected: u64) -> Result<(), Error> {
    match bytes.len() as u64 {
        found if found == expected => Ok(()),
        found => Err(Error::Size { path: path.into(), found, expected }),
    }
}

/// Length, tables and their checksum.
fn open_shard(path: &Path, bytes: &[u8], record: &ShardRecord, index: u32) -> Result<Directory, Error> {
    check_size(path, bytes, record.bytes)?;
    let part = FilePart::Directory;
    let damaged = |source| Error::Damaged { path: path.into(), part, source };
    let directory = file::directory(bytes).map_err(damaged)?;
    for expected in [directory.stated, record.checksum.0] {
        if directory.checksum != expected {
            return Err(Error::Checksum { path: path.into(), part, found: directory.checksum, expected });
        }
    }
    Fault::unless_equal("number of the shard", directory.header.index, index).map_err(damaged)?;
    Ok(directory)
}

/// Appends the frames of a shard. They must cover its rows, each inside one layer.
fn list_frames(
    directory: &Directory,
    record: &ShardRecord,
    shard: u32,
    layers: &[Layer],
    (frames, locations): (&mut Vec<FrameInfo>, &mut Vec<Location>),
) -> Result<(), Fault> {
    Fault::unless_equal("first row", directory.header.first_row, record.first_row)?;
    Fault::unless_equal("frames", directory.frames.len() as u64, record.n_frames.into())?;
    let mut row = record.first_row;
    for (entry, range) in &directory.frames {
        Fault::unless_equal("first row of a frame", entry.first_row, row)?;
        let rows = row..row.checked_add(entry.n_rows).ok_or(Fault::TooLarge)?;
        check::rows(&rows, entry.layer, layers)?;
        if entry.raw_bytes > MAX_RAW_BYTES {
            return Err(Fault::TooLarge);
        }
        row = rows.end;
        let DirectoryEntry { layer, raw_bytes, checksum, n_edges_in, n_edges_out, .. } = *entry;
        frames.push(FrameInfo { rows, layer, n_edges_in, n_edges_out });
        locations.push(Location { shard, range: range.clone(), raw_bytes, checksum });
    }
    Fault::unless_equal("rows", row - record.first_row, record.n_rows)
}

/// Expands a frame into a buffer of this thread, which must become exactly full.
pub(super) fn expand<T>(stored: &[u8], raw_bytes: u32, f: impl FnOnce(&[u8]) -> Result<T, Fault>) -> Result<T, Fault> {
    thread_local! {
        static BUFFERS: RefCell<Option<(zstd::bulk::Decompressor<'static>, Vec<u8>)>> = const { RefCell::new(None) };
    }
    BUFFERS.with_borrow_mut(|buffers| {
        let (zstd, raw) = match buffers {
            Some(buffers) => buffers,
            None => buffers.insert((zstd::bulk::Decompressor::new().map_err(Fault::Compression)?, Vec::new())),
        };
        raw.clear();
        raw.reserve_exact(raw_bytes.min(MAX_RAW_BYTES) as usize);
        let found = zstd.decompress_to_buffer(stored, raw).map_err(Fault::Compression)?;
        Fault::unless_equal("expanded bytes", found as u64, raw_bytes.into())?;
        f(raw)
    })
}
