//! The one way to open a file that is read: regular files only, of bounded length.
//!
//! A named pipe keeps its reader waiting for ever, a device like `/dev/zero` never ends. Links are followed. What is
//! changed into something else between the look and the opening is not noticed: that is no accident.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

/// Opens a regular file.
///
/// # Errors
/// If it is something else, or cannot be opened.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, NotRegular(kind(found.file_type()))));
    }
    File::open(path)
}

/// The bytes of a regular file of at most `most` bytes.
///
/// # Errors
/// If it is longer or something else, or cannot be read.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let long = || io::Error::new(io::ErrorKind::FileTooLarge, Long { most });
    let length = file.metadata().as_ref().map_or(0, Metadata::len);
    if length > most {
        return Err(long());
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length as usize).map_err(|_| io::ErrorKind::OutOfMemory)?;
    // Files of /proc have length 0 and contents.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(long()) } else { Ok(bytes) }
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`], or if it is not UTF-8.
#[cfg(any(feature = "cli", test))]
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let text = String::from_utf8(read(path, most)?);
    text.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8"))
}

#[derive(Debug, thiserror::Error)]
#[error("it is {0}, expected a regular file; {advice}", advice = if *.0 == FOLDER { "name a file in it" } else { "save what it gives to a file first" })]
struct NotRegular(&'static str);

const FOLDER: &str = "a folder";

#[derive(Debug, thiserror::Error)]
#[error("it is longer than {most} bytes, the most that is read of such a file")]
struct Long {
    most: u64,
}

fn kind(found: FileType) -> &'static str {
    if found.is_dir() { FOLDER } else { special(found) }
}

#[cfg(unix)]
fn special(found: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match () {
        () if found.is_fifo() => "a pipe",
        () if found.is_socket() => "a socket",
        () => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "no regular file"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(error: &io::Error) -> String {
        error.to_string()
    }

    #[test]
    fn lengths_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(read(&path, 3).unwrap(), b"abc");
        assert!(message(&read(&path, 2).unwrap_err()).contains("longer than 2 bytes"));
        assert_eq!(read_text(&path, 3).unwrap(), "abc");
        std::fs::write(&path, [0xff]).unwrap();
        assert!(message(&read_text(&path, 3).unwrap_err()).contains("UTF-8"));
    }

    #[test]
    fn folders_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(message(&open(dir.path()).unwrap_err()).starts_with("it is a folder, expected a regular file"));
        assert_eq!(open(&dir.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_devices_are_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("x"), "abc").unwrap();
        std::os::unix::fs::symlink("x", dir.path().join("link")).unwrap();
        assert_eq!(read(&dir.path().join("link"), 3).unwrap(), b"abc");
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("zero")).unwrap();
        assert!(message(&read(&dir.path().join("zero"), 3).unwrap_err()).starts_with("it is a device"));
    }
}
