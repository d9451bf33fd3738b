//! NumPy's array file: magic, version, header length, a Python dictionary, then the bytes.
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 6 | magic, `\x93NUMPY` |
//! | 6 | 2 | version: 1.0, 2.0 or 3.0 |
//! | 8 | 2, from version 2.0 on 4 | length of the header, little-endian |
//! | 10 or 12 | that many | `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`, blanks, a newline |
//! | behind | | the elements |
//!
//! We write version 1.0. The source is the documentation of `numpy.lib.format`.

use std::io::{self, Read, Write};

const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Headers longer than this are not read: one of plain numbers takes about 100 bytes.
const MAX_HEADER: usize = 1 << 16;

/// What stands in front of the elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// NumPy type of an element, e.g. `<f4`.
    pub descr: String,
    /// The first axis varies fastest.
    pub fortran_order: bool,
    /// Length of each axis.
    pub shape: Vec<u64>,
    /// Where the first element is in the file.
    pub data_at: u64,
}

/// Why bytes are no array file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file ends in the header, or cannot be read.
    #[error("the file ends inside its header")]
    Read(#[source] io::Error),
    /// Another kind of file.
    #[error("does not begin as a NumPy array does; expected a file written by numpy.save")]
    Magic,
    /// A format that is younger than this program.
    #[error("has format version {0}.{1}, expected 1.0, 2.0 or 3.0")]
    Version(u8, u8),
    /// A header of absurd length.
    #[error("its header takes {0} bytes, expected at most {MAX_HEADER}")]
    Long(u32),
    /// The header is no dictionary of the three keys.
    #[error("its header is `{0}`, expected {{'descr': '<f4', 'fortran_order': False, 'shape': (...), }}")]
    Dictionary(String),
}

impl From<io::Error> for Fault {
    fn from(source: io::Error) -> Self {
        Self::Read(source)
    }
}

/// Reads the header. The next byte of `file` is then the first of the elements.
///
/// # Errors
/// If it is none.
pub(crate) fn read_header(file: &mut impl Read) -> Result<Header, Fault> {
    let mut start = [0; 8];
    file.read_exact(&mut start)?;
    if &start[..6] != MAGIC {
        return Err(Fault::Magic);
    }
    let mut length = [0; 4];
    let length_bytes = match (start[6], start[7]) {
        (1, 0) => 2,
        (2 | 3, 0) => 4,
        (major, minor) => return Err(Fault::Version(major, minor)),
    };
    file.read_exact(&mut length[..length_bytes])?;
    let length = u32::from_le_bytes(length);
    if length as usize > MAX_HEADER {
        return Err(Fault::Long(length));
    }
    let mut text = vec![0; length as usize];
    file.read_exact(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    let data_at = 8 + length_bytes as u64 + u64::from(length);
    dictionary(&text, data_at).ok_or_else(|| Fault::Dictionary(text.trim().chars().take(200).collect()))
}

/// The dictionary: each key once, in any order.
fn dictionary(text: &str, data_at: u64) -> Option<Header> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, behind) = quoted(rest)?;
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        let once;
        (once, rest) = match key {
            "descr" => quoted(value).map(|(text, rest)| (descr.replace(text.to_owned()).is_none(), rest))?,
            "fortran_order" => boolean(value).map(|(flag, rest)| (fortran_order.replace(flag).is_none(), rest))?,
            "shape" => tuple(value).map(|(axes, rest)| (shape.replace(axes).is_none(), rest))?,
            _ => return None,
        };
        rest = rest.trim_start();
        if !once || !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(Header { descr: descr?, fortran_order: fortran_order?, shape: shape?, data_at })
}

/// A string in either kind of quotes, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn boolean(text: &str) -> Option<(bool, &str)> {
    match text.strip_prefix("False") {
        Some(rest) => Some((false, rest)),
        None => text.strip_prefix("True").map(|rest| (true, rest)),
    }
}

fn tuple(text: &str) -> Option<(Vec<u64>, &str)> {
    let (axes, rest) = text.strip_prefix('(')?.split_once(')')?;
    let axes = axes.trim();
    let axes = axes.strip_suffix(',').unwrap_or(axes);
    if axes.is_empty() {
        return Some((Vec::new(), rest));
    }
    let axes: Option<Vec<u64>> = axes.split(',').map(|axis| axis.trim().parse().ok()).collect();
    Some((axes?, rest))
}

/// Writes the header of an array of `shape` (`[]` is a scalar) with NumPy type `descr`.
pub(crate) fn header(out: &mut impl Write, descr: &str, shape: &[u64]) -> io::Result<()> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Magic, version and length take 10 bytes; the data begin at a multiple of 64, after a newline.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    out.write_all(MAGIC)?;
    out.write_all(&[1, 0])?;
    out.write_all(&(text.len() as u16).to_le_bytes())?;
    out.write_all(text.as_bytes())
}

/// Writes a whole vector of int64.
pub(crate) fn array(out: &mut impl Write, values: &[i64]) -> io::Result<()> {
    header(out, "<i8", &[values.len() as u64])?;
    for part in values.chunks(1 << 16) {
        out.write_all(&part.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(text: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![7], vec![2, 3, 16, 16]] {
            let mut bytes = Vec::new();
            header(&mut bytes, "<f4", &shape).unwrap();
            let data_at = bytes.len() as u64;
            let expected = Header { descr: "<f4".into(), fortran_order: false, shape, data_at };
            assert_eq!(read_header(&mut &bytes[..]).unwrap(), expected);
        }
    }

    #[test]
    fn keys_come_in_any_order_and_spacing() {
        let text = "{\"shape\":( 2,3 ),'fortran_order' : True, 'descr':'>f8'}  \n";
        let expected = Header { descr: ">f8".into(), fortran_order: true, shape: vec![2, 3], data_at: 10 + 58 };
        assert_eq!(text.len(), 58);
        assert_eq!(read_header(&mut &file(text)[..]).unwrap(), expected);
        let mut second = file(text);
        second[6] = 2;
        second.splice(8..10, [58, 0, 0, 0]);
        assert_eq!(read_header(&mut &second[..]).unwrap(), Header { data_at: 12 + 58, ..expected });
    }

    #[test]
    fn other_headers_are_quoted() {
        for text in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False}",
            "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
            "{'descr': '<f4', 'fortran_order': False 'shape': (1,)}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}",
        ] {
            let found = read_header(&mut &file(text)[..]);
            assert!(matches!(&found, Err(Fault::Dictionary(quoted)) if quoted == text), "{text}: {found:?}");
        }
    }

    #[test]
    fn other_files_are_errors() {
        let read = |bytes: &[u8]| read_header(&mut &bytes[..]);
        assert!(matches!(read(b""), Err(Fault::Read(_))));
        assert!(matches!(read(b"PK\x03\x04 an archive"), Err(Fault::Magic)));
        assert!(matches!(read(b"\x93NUMPY\x04\x00\x01\x00{"), Err(Fault::Version(4, 0))));
        assert!(matches!(read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"), Err(Fault::Long(u32::MAX))));
        assert!(matches!(read(b"\x93NUMPY\x01\x00\x10\x00{'descr'"), Err(Fault::Read(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_harmless(text in "[{}'\":,()a-z0-9 <>FT]{0,60}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = read_header(&mut &file(&text)[..]);
            let _ = read_header(&mut &bytes[..]);
        }
    }
}
