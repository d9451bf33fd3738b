//! What a file is that is not what was expected, by its first bytes: for messages.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Bytes that are looked at.
const MOST: u64 = 512;

/// What was found instead, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileKind {
    /// With its article.
    pub what: &'static str,
    /// A sentence without its end.
    pub advice: &'static str,
}

impl fmt::Display for FileKind {
    /// `an image (PNG); photographs are for --images`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.advice)
    }
}

const PYTORCH: &str =
    "in Python torch.onnx.export makes an ONNX file of a network, safetensors.torch.save_file a file of its parameters";
const IMAGE: &str = "photographs are for --images";
const AGAIN: &str = "was the download or copy complete?";

/// Files that begin like this are no other kind of file.
const BEGINNINGS: [(&[u8], &str, &str); 14] = [
    (b"version https://git-lfs", "a pointer of Git LFS instead of the file", "`git lfs pull` gets the file"),
    (b"PK\x03\x04", "a ZIP archive, as PyTorch and NumPy save them", PYTORCH),
    (b"\x80\x02", "a pickle, as PyTorch saves them", PYTORCH),
    (b"\x80\x03", "a pickle, as PyTorch saves them", PYTORCH),
    (b"\x80\x04", "a pickle, as PyTorch saves them", PYTORCH),
    (b"\x80\x05", "a pickle, as PyTorch saves them", PYTORCH),
    (b"\x89HDF", "an HDF5 file, as Keras saves them", "tf2onnx makes an ONNX file of a network"),
    (b"\x89PNG", "an image (PNG)", IMAGE),
    (b"\xff\xd8\xff", "an image (JPEG)", IMAGE),
    (b"\x93NUMPY", "an array of NumPy", "tensors are for --images"),
    (b"PAR1", "a Parquet table", "`pipeline import-graph` reads edge lists"),
    (b"\x1f\x8b", "compressed by gzip", "gunzip it first"),
    (b"<!DOCTYPE", "a web page", AGAIN),
    (b"<html", "a web page", AGAIN),
];

/// What the file at `path` is, if it can be told.
pub(crate) fn of_file(path: &Path) -> Option<FileKind> {
    let mut bytes = Vec::new();
    path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    of(&bytes)
}

/// What a file is that begins with these bytes, if it can be told.
pub(crate) fn of(bytes: &[u8]) -> Option<FileKind> {
    if bytes.is_empty() {
        return Some(FileKind { what: "empty", advice: AGAIN });
    }
    let known = BEGINNINGS.into_iter().find(|(beginning, ..)| bytes.starts_with(beginning));
    let known = known.map(|(_, what, advice)| FileKind { what, advice });
    known.or_else(|| safetensors(bytes)).or_else(|| tflite(bytes)).or_else(|| onnx(bytes))
}

/// A length, and a JSON object of that length.
fn safetensors(bytes: &[u8]) -> Option<FileKind> {
    let (length, header) = bytes.split_first_chunk::<8>()?;
    let is_header = header.starts_with(b"{\"") && u64::from_le_bytes(*length) < 1 << 32;
    let advice = "parameters of a known architecture are for --arch NAME --weights FILE; torch.onnx.export makes an ONNX \
                  file of any network";
    is_header.then_some(FileKind { what: "a safetensors file, which has parameters and no network", advice })
}

fn tflite(bytes: &[u8]) -> Option<FileKind> {
    let advice = "tf2onnx makes an ONNX file of it";
    (bytes.get(4..8)? == b"TFL3").then_some(FileKind { what: "a TensorFlow Lite model", advice })
}

/// A version of the format, then the name of a program, a domain, a graph or a set of operators.
fn onnx(bytes: &[u8]) -> Option<FileKind> {
    let is_onnx = matches!(bytes, [0x08, 1..=32, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..]);
    let advice = "`pipeline build-graph --model FILE -o DIR` makes a graph directory of it";
    is_onnx.then_some(FileKind { what: "an ONNX model", advice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_beginning() {
        let what = |bytes: &[u8]| of(bytes).map(|found| found.what);
        assert_eq!(what(b""), Some("empty"));
        assert_eq!(what(b"PK\x03\x04..."), Some("a ZIP archive, as PyTorch and NumPy save them"));
        assert_eq!(
            what(b"\x20\0\0\0\0\0\0\0{\"a\":1}"),
            Some("a safetensors file, which has parameters and no network")
        );
        assert_eq!(what(b"\x08\x08\x12\x07pytorch"), Some("an ONNX model"));
        assert_eq!(what(b"\x1c\0\0\0TFL3"), Some("a TensorFlow Lite model"));
        assert_eq!(what(b"source,target,weight\n"), None);
        assert!(of(b"version https://git-lfs.github.com/spec/v1\noid").unwrap().to_string().contains("git lfs pull"));
    }
}
