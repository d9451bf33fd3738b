//! Tensor data in files beside the model.
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::proto;
use super::tensor::{element_size, sizes};
use crate::net::Error;
use crate::regular;

/// Some of a file's bytes.
pub(super) struct ExternalData {
    /// The bytes.
    pub data: Vec<u8>,
    /// The file, links resolved.
    pub path: PathBuf,
    /// Its length.
    pub n_bytes: usize,
}

/// Reads the bytes of `tensor`, whose location is relative to the model's folder.
///
/// Errors: no folder (a model that did not come from a file), a location outside the folder, a range that is not in
/// the file or is not the size of the tensor. No more is allocated than the file holds.
pub(super) fn read(
    tensor: &proto::TensorProto<'_>,
    model: &Path,
    folder: Option<&Path>,
) -> Result<ExternalData, Error> {
    let bad = |found: String, expected: &str| Error::Malformed {
        path: model.to_path_buf(),
        found: format!("external data of tensor `{}`: {found}", tensor.name),
        expected: expected.into(),
    };
    let path = locate(tensor, folder).map_err(|(found, expected)| bad(found, expected))?;
    let io = |source| Error::Io { path: path.clone(), source };
    let mut file = regular::open(&path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    let (_, len) = sizes(&tensor.dims).map_err(|(found, _)| bad(found, "the sizes of a tensor"))?;
    let size = element_size(tensor.data_type).map_err(|(found, _)| bad(found, "floats or integers"))?;
    let bytes = len as u64 * size as u64; // `sizes` caps at 2^40 elements
    let number = |key: &str, default: u64| match entry(tensor, key) {
        None => Ok(default),
        Some(text) => text.parse::<u64>().map_err(|_| bad(format!("{key} `{text}`"), "a number of bytes")),
    };
    let offset = number("offset", 0)?;
    let length = number("length", bytes)?;
    if length != bytes {
        return Err(bad(format!("length {length}"), &format!("{bytes} bytes for {:?}", tensor.dims)));
    }
    if offset.checked_add(length).is_none_or(|end| end > meta.len()) {
        let found = format!("bytes {offset} + {length} of `{}`, which has {}", path.display(), meta.len());
        return Err(bad(found, "a range inside the file (is the download complete?)"));
    }
    let mut data = vec![0; usize::try_from(length).map_err(|_| bad(format!("length {length}"), "fewer bytes"))?];
    file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut data)).map_err(io)?;
    Ok(ExternalData { data, path, n_bytes: usize::try_from(meta.len()).unwrap_or(usize::MAX) })
}

fn entry<'a>(tensor: &proto::TensorProto<'a>, key: &str) -> Option<&'a str> {
    tensor.external.iter().find(|entry| entry.key == key).map(|entry| entry.value)
}

/// The file that holds the data, certainly inside the folder, links resolved. Errors: found, expected.
fn locate(tensor: &proto::TensorProto<'_>, folder: Option<&Path>) -> Result<PathBuf, (String, &'static str)> {
    const INSIDE: &str = "a file name inside the model's folder";
    let location = entry(tensor, "location").ok_or(("no location".to_string(), INSIDE))?;
    let folder = folder.ok_or((format!("location `{location}`"), "a model with all data inside, or its folder"))?;
    let relative = Path::new(location);
    let plain = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if location.is_empty() || !plain {
        return Err((format!("location `{location}` leads out of the model's folder"), INSIDE));
    }
    let cannot = |error: std::io::Error| (format!("location `{location}`: {error}"), INSIDE);
    let folder = folder.canonicalize().map_err(cannot)?;
    let path = folder.join(relative).canonicalize().map_err(cannot)?;
    if !path.starts_with(&folder) {
        return Err((format!("location `{location}` is a link out of the model's folder"), INSIDE));
    }
    Ok(path)
}
