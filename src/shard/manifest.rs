//! `manifest.json`: totals, layers, files and their checksums. Written last, read first, the only JSON of a graph.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{Error, Fault, FilePart};
use crate::graph::{Layer, LayerKind, Totals};

/// Version of the format that this program writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// Name of the manifest in a graph directory.
pub(super) const FILE: &str = "manifest.json";

/// Where a graph comes from, in whatever words its maker finds useful: network, source, options.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Description(pub BTreeMap<String, String>);

impl Description {
    /// Adds or replaces an entry.
    pub fn set(&mut self, key: &str, value: impl fmt::Display) {
        self.0.insert(key.to_owned(), value.to_string());
    }
}

/// A CRC-32, as eight hexadecimal digits in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Checksum(pub u32);

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.to_string()
    }
}

impl TryFrom<String> for Checksum {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        u32::from_str_radix(&text, 16).map(Self)
    }
}

/// The contents of `manifest.json`, but for its own checksum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// SHA-256 of the graph, in hexadecimal.
    pub fingerprint: String,
    /// Number of nodes.
    pub n_nodes: u32,
    /// Number of edges.
    pub n_edges: u64,
    /// `Σ|w|`.
    pub sum_abs: f64,
    /// Where the graph comes from.
    pub description: Description,
    /// Whether frames hold In blocks only; absent if they hold both.
    #[serde(default, skip_serializing_if = "is_default")]
    pub one_way: bool,
    /// Layers in node order.
    pub layers: Vec<LayerRecord>,
    /// The value store.
    pub values: ValuesRecord,
    /// Shard files in row order.
    pub shards: Vec<ShardRecord>,
}

/// A [`Layer`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// Its name.
    pub name: String,
    /// What produced its nodes.
    pub kind: LayerKind,
    /// Its first node.
    pub first_node: u32,
    /// Number of its nodes.
    pub n_nodes: u32,
    /// Channels, height, width.
    pub shape: [u32; 3],
    /// Edges into it.
    pub n_edges: u64,
    /// `Σ|w|` over those edges.
    pub sum_abs: f64,
    /// Position of its own parameters in the value store, in values.
    pub first_param: u64,
    /// Number of its own parameters.
    pub n_params: u64,
    /// Inputs of one unit.
    pub fan_in: u32,
    /// Taps of a kernel; 0 where the key is missing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub taps: u32,
    /// Groups of the shuffle that numbers its channels; 0, for the order of the tensor, where the key is missing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shuffle_groups: u32,
}

/// Fields that are absent where they have their default.
fn is_default<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}

/// `values.bin`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValuesRecord {
    /// Number of values.
    pub n_values: u64,
    /// Length of the pieces, in bytes.
    pub piece_bytes: u64,
    /// Checksum of each piece.
    pub checksums: Vec<Checksum>,
}

/// A shard file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// File name.
    pub file: String,
    /// Its first row.
    pub first_row: u32,
    /// Number of its rows.
    pub n_rows: u32,
    /// Number of its frames.
    pub n_frames: u32,
    /// Length of the file.
    pub bytes: u64,
    /// Checksum of header, directory and footer; the directory has those of the frames.
    pub checksum: Checksum,
}

const CHECKSUM_KEY: &str = ",\n  \"checksum\": \"";
const END: &str = "\n}";

impl Manifest {
    /// The bytes of the file.
    pub(super) fn encode(&self) -> Vec<u8> {
        let text = serde_json::to_string_pretty(self).expect("strings and numbers are always JSON");
        let body = text.strip_suffix(END).expect("a pretty object ends on a line of its own");
        let checksum = Checksum(crc32fast::hash(body.as_bytes()));
        format!("{body}{CHECKSUM_KEY}{checksum}\"{END}\n").into_bytes()
    }

    /// Reads and checks the bytes of the file at `path`: version, checksum, then whether it agrees with itself.
    pub(super) fn decode(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let json = |source| Error::Manifest { path: path.into(), source };
        let version: Result<Version, _> = serde_json::from_slice(bytes);
        if let Some(found) = version.as_ref().ok().map(|v| v.format_version).filter(|&v| v > FORMAT_VERSION) {
            return Err(Error::Version { path: path.into(), found, reads: FORMAT_VERSION });
        }
        check_own_checksum(bytes, path)?;
        version.map_err(json)?;
        let manifest: Self = serde_json::from_slice(bytes).map_err(json)?;
        let damaged = |source| Error::Damaged { path: path.into(), part: FilePart::Whole, source };
        manifest.check().map_err(damaged)?;
        Ok(manifest)
    }

    /// Totals.
    pub fn totals(&self) -> Totals {
        Totals { n_nodes: self.n_nodes, n_edges: self.n_edges, sum_abs: self.sum_abs }
    }

    /// Edges in Out blocks.
    pub(super) fn n_edges_out(&self) -> u64 {
        if self.one_way { 0 } else { self.n_edges }
    }

    /// Layers and shards cover the nodes, counts add up, parameters lie in the store.
    pub(super) fn check(&self) -> Result<(), Fault> {
        Fault::unless_equal("format version", self.format_version, FORMAT_VERSION)?;
        let (mut node, mut n_edges) = (0u64, 0u64);
        for layer in &self.layers {
            Fault::unless_equal("first node of a layer", layer.first_node.into(), node)?;
            let elements: u128 = layer.shape.iter().map(|&n| u128::from(n)).product();
            Fault::unless_equal("elements of a layer", elements, layer.n_nodes.into())?;
            node += u64::from(layer.n_nodes);
            n_edges = n_edges.checked_add(layer.n_edges).ok_or(Fault::TooLarge)?;
            let params = layer.first_param.checked_add(layer.n_params).ok_or(Fault::TooLarge)?;
            Fault::unless_equal("parameters of a layer", params.max(self.values.n_values), self.values.n_values)?;
        }
        let sums = self.layers.iter().map(|layer| layer.sum_abs);
        if let Some(sum) = sums.chain([self.sum_abs]).find(|sum| !(sum.is_finite() && *sum >= 0.0)) {
            let (what, found, expected) = ("sum of |w|", sum.to_string(), "a finite number".into());
            return Err(Fault::Differs { what, found, expected });
        }
        Fault::unless_equal("nodes of the layers", node, self.n_nodes.into())?;
        Fault::unless_equal("edges of the layers", n_edges, self.n_edges)?;
        let mut row = 0u64;
        for (index, shard) in self.shards.iter().enumerate() {
            Fault::unless_equal("name of a shard", shard.file.as_str(), super::file::name(index as u32).as_str())?;
            Fault::unless_equal("first row of a shard", shard.first_row.into(), row)?;
            row += u64::from(shard.n_rows);
        }
        Fault::unless_equal("rows of the shards", row, self.n_nodes.into())?;
        Fault::unless_equal("bytes of a piece", self.values.piece_bytes, super::layout::PIECE_BYTES)?;
        let bytes = self.values.n_values.checked_mul(4).ok_or(Fault::TooLarge)?;
        let n_pieces = bytes.div_ceil(self.values.piece_bytes);
        Fault::unless_equal("checksums of the value store", self.values.checksums.len() as u64, n_pieces)
    }
}

/// Names of all files of the graph in a directory, as far as its manifest can be read: not even its checksum need be right.
pub(super) fn listed(dir: &Path) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct File {
        file: String,
    }
    #[derive(Deserialize)]
    struct Listed {
        #[serde(rename = "format_version")]
        _format_version: u32,
        shards: Vec<File>,
    }
    let path = dir.join(FILE);
    path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    let listed: Listed = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    let own = [FILE, super::layout::VALUES].map(str::to_owned);
    Some(own.into_iter().chain(listed.shards.into_iter().map(|shard| shard.file)).collect())
}

/// The last lines of the file are the checksum of all bytes before them.
fn check_own_checksum(bytes: &[u8], path: &Path) -> Result<(), Error> {
    let at = bytes.len().saturating_sub(CHECKSUM_KEY.len() + 8 + 1 + END.len() + 1);
    let (body, tail) = bytes.split_at(at);
    let found = Checksum(crc32fast::hash(body));
    if tail == format!("{CHECKSUM_KEY}{found}\"{END}\n").as_bytes() {
        return Ok(());
    }
    let stated = (tail.get(CHECKSUM_KEY.len()..CHECKSUM_KEY.len() + 8))
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match stated {
        Some(expected) if expected != found.0 => {
            Err(Error::Checksum { path: path.into(), part: FilePart::Whole, found: found.0, expected })
        }
        _ => Err(Error::Damaged { path: path.into(), part: FilePart::Whole, source: Fault::Truncated }),
    }
}

impl From<&Layer> for LayerRecord {
    fn from(layer: &Layer) -> Self {
        Self {
            name: layer.name.clone(),
            kind: layer.kind,
            first_node: layer.nodes.start,
            n_nodes: layer.nodes.end - layer.nodes.start,
            shape: layer.shape,
            n_edges: layer.n_edges,
            sum_abs: layer.sum_abs,
            first_param: layer.params.start,
            n_params: layer.params.end - layer.params.start,
            fan_in: layer.fan_in,
            taps: layer.taps,
            shuffle_groups: layer.shuffle_groups,
        }
    }
}

impl From<&LayerRecord> for Layer {
    /// Of a record of a checked manifest, whose sums do not overflow.
    fn from(record: &LayerRecord) -> Self {
        Self {
            name: record.name.clone(),
            kind: record.kind,
            nodes: record.first_node..record.first_node + record.n_nodes,
            shape: record.shape,
            n_edges: record.n_edges,
            sum_abs: record.sum_abs,
            params: record.first_param..record.first_param + record.n_params,
            fan_in: record.fan_in,
            taps: record.taps,
            shuffle_groups: record.shuffle_groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Manifest {
        let mut description = Description::default();
        description.set("network", "a \"quoted\" name");
        Manifest {
            format_version: FORMAT_VERSION,
            fingerprint: "00".into(),
            n_nodes: 2,
            n_edges: 0,
            sum_abs: 0.1 + 0.2,
            description,
            one_way: false,
            layers: crate::testing::blocks::layers(&[2]).iter().map(LayerRecord::from).collect(),
            values: ValuesRecord { n_values: 0, piece_bytes: crate::shard::layout::PIECE_BYTES, checksums: vec![] },
            shards: vec![ShardRecord {
                file: "frames-00000.shard".into(),
                first_row: 0,
                n_rows: 2,
                n_frames: 1,
                bytes: 0,
                checksum: Checksum(0x0012_abcd),
            }],
        }
    }

    fn decode(bytes: &[u8]) -> Result<Manifest, Error> {
        Manifest::decode(bytes, Path::new("g/manifest.json"))
    }

    #[test]
    fn what_is_encoded_is_decoded_and_is_json() {
        let bytes = small().encode();
        assert_eq!(decode(&bytes).unwrap(), small());
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["shards"][0]["checksum"], "0012abcd");
        assert!(json["checksum"].is_string());
    }

    #[test]
    fn every_damaged_byte_and_every_cut_is_an_error() {
        let bytes = small().encode();
        for i in 0..bytes.len() {
            assert!(decode(&bytes[..i]).is_err(), "cut at {i}");
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[i] ^= 1 << bit;
                assert!(decode(&damaged).is_err(), "bit {bit} of byte {i}");
            }
        }
    }

    #[test]
    fn a_future_version_asks_for_an_update() {
        let message = decode(br#"{"format_version": 2, "graph": []}"#).unwrap_err().to_string();
        assert_eq!(message, "g/manifest.json: format version 2, this program reads 1; update frustration");
    }

    #[test]
    fn tables_that_contradict_each_other_are_refused() {
        let changes: [fn(&mut Manifest); 9] = [
            |m| m.sum_abs = -1.0,
            |m| m.n_nodes = 3,
            |m| m.n_edges = 1,
            |m| m.layers[0].first_node = 1,
            |m| m.layers[0].shape = [u32::MAX; 3],
            |m| m.layers[0].first_param = u64::MAX,
            |m| m.shards[0].file = "../frames-00000.shard".into(),
            |m| m.shards[0].n_rows = u32::MAX,
            |m| m.values.n_values = u64::MAX,
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut manifest = small();
            change(&mut manifest);
            assert!(matches!(decode(&manifest.encode()), Err(Error::Damaged { .. })), "change {index}");
        }
    }
}
