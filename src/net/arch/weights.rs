//! Where a network's parameters come from: a safetensors file, or an initialiser.
//!
//! A file is input from strangers: nothing in it can make this module panic. Its header is parsed and checked by the
//! `safetensors` crate (offsets contiguous, sizes consistent with shapes); total length, shapes, types and values are checked here, at
//! the first use of each tensor. Bytes are copied, never reinterpreted.
use super::init::{self, Init};
use crate::net::Error;
use crate::net::half::half;
use crate::regular;
use safetensors::{Dtype, tensor::Metadata};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where the parameters come from.
#[derive(Clone, Copy, Debug)]
pub enum WeightSource<'a> {
    /// A safetensors file with the architecture's key names; a `module.` before every key is allowed.
    Safetensors(&'a Path),
    /// Fresh weights; the same seed gives the same bytes everywhere.
    Init {
        /// The distribution of the weights.
        scheme: Init,
        /// The seed; each layer has its own stream of it.
        seed: u64,
    },
}

/// A source of parameters, asked layer by layer in network order.
pub(super) enum Params {
    /// An open checkpoint.
    File(SafetensorsFile),
    /// An initialiser.
    Init {
        /// The distribution.
        scheme: Init,
        /// The seed.
        seed: u64,
        /// Convolution and dense layers served so far.
        layers: u64,
    },
}

impl Params {
    /// Opens the source.
    pub(super) fn open(weights: WeightSource) -> Result<Self, Error> {
        Ok(match weights {
            WeightSource::Safetensors(path) => Self::File(SafetensorsFile::open(path)?),
            WeightSource::Init { scheme, seed } => Self::Init { scheme, seed, layers: 0 },
        })
    }

    /// The kernel of a convolution (`[out][in / groups][kh][kw]`) or dense layer (`[out][in]`).
    pub(super) fn weight(&mut self, layer: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        match self {
            Self::File(file) => file.tensor(layer, "weight", shape),
            Self::Init { scheme, seed, layers } => {
                let mut out = vec![0.0; shape.iter().product()];
                let taps: usize = shape[2..].iter().product();
                let mut rng = init::rng(*seed, *layers);
                *layers += 1;
                init::draw(*scheme, shape[1] * taps, shape[0] * taps, &mut rng, &mut out);
                Ok(out)
            }
        }
    }

    /// A parameter with one value per channel, which an initialiser sets to `start`.
    pub(super) fn per_channel(&mut self, layer: &str, tensor: &str, n: usize, start: f32) -> Result<Vec<f32>, Error> {
        match self {
            Self::File(file) => file.tensor(layer, tensor, &[n]),
            Self::Init { .. } => Ok(vec![start; n]),
        }
    }

    /// What a person should know after the last layer was served.
    pub(super) fn warnings(&self) -> Vec<String> {
        match self {
            Self::File(file) => file.unused_warning().into_iter().collect(),
            Self::Init { .. } => Vec::new(),
        }
    }
}

/// What is expected.
const SAFETENSORS: &str = "a safetensors file, which has parameters and no network";
/// Longer files are not read; the largest known ones take 0.6 GB.
const MAX_BYTES: u64 = 1 << 34;

/// An open safetensors file.
pub(super) struct SafetensorsFile {
    path: PathBuf,
    header: Metadata,
    /// The file after its header.
    data: Vec<u8>,
    used: BTreeSet<String>,
}

impl SafetensorsFile {
    fn open(path: &Path) -> Result<Self, Error> {
        let mut data = regular::read(path, MAX_BYTES).map_err(|source| Error::Io { path: path.into(), source })?;
        if let Some(error) = Error::other_kind(path, &data, SAFETENSORS) {
            return Err(error);
        }
        let (header, header_end) = read_header(&data).map_err(|found| Error::Malformed {
            path: path.into(),
            found,
            expected:
                "safetensors: an 8-byte length, a JSON header and the data it describes (was the download complete?)"
                    .into(),
        })?;
        data.drain(..header_end);
        Ok(Self { path: path.into(), header, data, used: BTreeSet::new() })
    }

    /// The values of `{layer}.{tensor}`, which must have this shape and be finite.
    fn tensor(&mut self, layer: &str, tensor: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let key = format!("{layer}.{tensor}");
        let stored = [key.clone(), format!("module.{key}")].into_iter().find(|k| self.header.info(k).is_some());
        let Some((stored, info)) = stored.and_then(|k| self.header.info(&k).map(|info| (k, info))) else {
            return Err(self.missing(&key, shape));
        };
        if info.shape != shape {
            let found = format!("tensor `{stored}` has shape {:?}", info.shape);
            return Err(self.malformed(found, format!("shape {shape:?} (is this the right architecture?)")));
        }
        let (begin, end) = info.data_offsets;
        let values = self.data.get(begin..end).and_then(|bytes| to_f32(info.dtype, bytes));
        let Some(values) = values else {
            let found = format!("tensor `{stored}` has type {:?}", info.dtype);
            return Err(self.malformed(found, "one of F32, F16, BF16, F64".into()));
        };
        Error::unless_finite(layer, tensor, &values)?;
        self.used.insert(stored);
        Ok(values)
    }

    fn malformed(&self, found: String, expected: String) -> Error {
        Error::Malformed { path: self.path.clone(), found, expected }
    }

    fn missing(&self, key: &str, shape: &[usize]) -> Error {
        let keys = self.sorted_keys();
        let found = format!("no tensor `{key}` among {} ({})", keys.len(), some(&keys));
        self.malformed(found, format!("`{key}` of shape {shape:?} (is this the right architecture?)"))
    }

    fn sorted_keys(&self) -> Vec<String> {
        let mut keys = self.header.offset_keys();
        keys.sort_unstable();
        keys
    }

    fn unused_warning(&self) -> Option<String> {
        let mut keys = self.sorted_keys();
        keys.retain(|key| !self.used.contains(key) && !is_training_only(key));
        let path = self.path.display();
        let n = keys.len();
        (n > 0)
            .then(|| format!("{path}: {n} tensors are not part of this architecture and are ignored ({})", some(&keys)))
    }
}

/// The header and where it ends, or what is wrong with it. (`SafeTensors::read_metadata` does the same, but its sum of
/// the lengths overflows where the header claims tensors up to the end of the address space.)
fn read_header(bytes: &[u8]) -> Result<(Metadata, usize), String> {
    let (length, rest) =
        bytes.split_first_chunk::<8>().ok_or_else(|| format!("the file has only {} bytes", bytes.len()))?;
    let length = u64::from_le_bytes(*length);
    let json = usize::try_from(length).ok().and_then(|n| rest.get(..n));
    let json = json.ok_or_else(|| format!("the header claims {length} bytes, the file has {} left", rest.len()))?;
    let header: Metadata = serde_json::from_slice(json).map_err(|cause| format!("the header is damaged ({cause})"))?;
    let n_data = rest.len() - json.len();
    if header.data_len() != n_data {
        return Err(format!("the header describes {} bytes of data, the file has {n_data}", header.data_len()));
    }
    Ok((header, 8 + json.len()))
}

/// Tensors that only training needs.
fn is_training_only(key: &str) -> bool {
    let key = key.strip_prefix("module.").unwrap_or(key);
    key.ends_with(".num_batches_tracked") || key.starts_with("aux1.") || key.starts_with("aux2.")
}

/// The first few names, for a message. Names are cut, because a damaged header can hold very long ones.
fn some(keys: &[String]) -> String {
    const SHOWN: usize = 4;
    let cut = |key: &String| key.chars().take(60).collect::<String>();
    let mut shown: Vec<String> = keys.iter().take(SHOWN).map(cut).collect();
    if keys.len() > SHOWN {
        shown.push("…".into());
    }
    shown.join(", ")
}

/// Little-endian floats of any width as f32; `None` for other types.
fn to_f32(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        Dtype::F32 => bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
        Dtype::F64 => bytes.as_chunks::<8>().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        Dtype::BF16 => bytes.as_chunks::<2>().0.iter().map(|&[lo, hi]| f32::from_le_bytes([0, 0, lo, hi])).collect(),
        Dtype::F16 => bytes.as_chunks::<2>().0.iter().map(|&b| half(u16::from_le_bytes(b))).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_type_is_read_as_f32() {
        assert_eq!(to_f32(Dtype::F32, &[0, 0, 0x80, 0x3f]), Some(vec![1.0]));
        assert_eq!(to_f32(Dtype::BF16, &[0x80, 0x3f, 0, 0xc0]), Some(vec![1.0, -2.0]));
        assert_eq!(to_f32(Dtype::F16, &[0, 0x3c]), Some(vec![1.0]));
        assert_eq!(to_f32(Dtype::F64, &1.5_f64.to_le_bytes()), Some(vec![1.5]));
        assert_eq!(to_f32(Dtype::I32, &[0; 4]), None);
    }
}
