//! One shard file: frames one after the other between a header and a directory.

use std::io::{self, Write};
use std::ops::Range;

use super::error::Fault;
use super::layout::{DirectoryEntry, FOOTER_CHECKSUM, Footer, Header};

/// Name of shard `index`.
pub(super) fn name(index: u32) -> String {
    format!("frames-{index:05}.shard")
}

/// Writes one shard file, front to back.
#[derive(Debug)]
pub(super) struct ShardWriter<W> {
    out: W,
    header: Header,
    entries: Vec<DirectoryEntry>,
    frames_bytes: u64,
}

impl<W: Write> ShardWriter<W> {
    pub fn new(mut out: W, header: Header) -> io::Result<Self> {
        out.write_all(&header.encode())?;
        Ok(Self { out, header, entries: Vec::new(), frames_bytes: 0 })
    }

    /// Appends a compressed frame; its stored length and checksum are filled in.
    pub fn append(&mut self, mut entry: DirectoryEntry, stored: &[u8]) -> io::Result<()> {
        entry.stored_bytes = u32::try_from(stored.len()).map_err(io::Error::other)?;
        entry.checksum = crc32fast::hash(stored);
        self.out.write_all(stored)?;
        self.frames_bytes += u64::from(entry.stored_bytes);
        self.entries.push(entry);
        Ok(())
    }

    /// Length of the file if it ended now.
    pub fn bytes(&self) -> u64 {
        let fixed = Header::BYTES + self.entries.len() * DirectoryEntry::BYTES + Footer::BYTES;
        self.frames_bytes + fixed as u64
    }

    /// Writes the directory. Returns the writer, the number of frames and the checksum of all that is not frames.
    pub fn finish(mut self) -> io::Result<(W, u32, u32)> {
        let mut directory: Vec<u8> = self.entries.iter().flat_map(|entry| entry.encode()).collect();
        let n_frames = self.entries.len() as u32;
        let footer = Footer { frames_bytes: self.frames_bytes, n_frames, checksum: 0 };
        let checksum = checksum(&self.header.encode(), &directory, &footer.encode());
        directory.extend(Footer { checksum, ..footer }.encode());
        self.out.write_all(&directory)?;
        Ok((self.out, n_frames, checksum))
    }
}

/// A shard file's tables.
#[derive(Debug, PartialEq)]
pub(super) struct Directory {
    pub header: Header,
    /// Each frame's entry and the position of its bytes in the file.
    pub frames: Vec<(DirectoryEntry, Range<usize>)>,
    /// Checksum of header, directory and footer.
    pub checksum: u32,
    /// The checksum that the footer states.
    pub stated: u32,
}

/// Reads the tables of a shard file. Every range that is returned lies in `bytes`.
pub(super) fn directory(bytes: &[u8]) -> Result<Directory, Fault> {
    let header = Header::decode(bytes)?;
    let footer_at = bytes.len().checked_sub(Footer::BYTES).ok_or(Fault::Truncated)?;
    let footer = Footer::decode(&bytes[footer_at..])?;
    let n_frames = u64::from(footer.n_frames);
    let expected = footer.frames_bytes.checked_add((Header::BYTES + Footer::BYTES) as u64);
    let expected =
        expected.and_then(|n| n.checked_add(n_frames * DirectoryEntry::BYTES as u64)).ok_or(Fault::TooLarge)?;
    Fault::unless_equal("length by the footer", expected, bytes.len() as u64)?;
    let entries_at = Header::BYTES + footer.frames_bytes as usize;
    let entries = &bytes[entries_at..footer_at];
    let mut frames = Vec::with_capacity(entries.len() / DirectoryEntry::BYTES);
    let mut at = Header::BYTES;
    for entry in entries.chunks_exact(DirectoryEntry::BYTES) {
        let entry = DirectoryEntry::decode(entry)?;
        let end = at.checked_add(entry.stored_bytes as usize).filter(|&end| end <= entries_at);
        let range = at..end.ok_or(Fault::Truncated)?;
        at = range.end;
        frames.push((entry, range));
    }
    Fault::unless_equal("end of the frames", at, entries_at)?;
    let checksum = checksum(&bytes[..Header::BYTES], entries, &bytes[footer_at..]);
    Ok(Directory { header, frames, checksum, stated: footer.checksum })
}

fn checksum(header: &[u8], entries: &[u8], footer: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(header);
    crc.update(entries);
    crc.update(&footer[..FOOTER_CHECKSUM]);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Vec<u8> {
        let mut writer = ShardWriter::new(Vec::new(), Header { index: 0, first_row: 3 }).unwrap();
        writer.append(DirectoryEntry { n_rows: 2, ..DirectoryEntry::default() }, b"abc").unwrap();
        writer.append(DirectoryEntry::default(), b"").unwrap();
        let bytes = writer.bytes();
        let (out, n_frames, _) = writer.finish().unwrap();
        assert_eq!((out.len() as u64, n_frames), (bytes, 2));
        out
    }

    #[test]
    fn frames_are_found_again() {
        let bytes = tiny();
        let directory = directory(&bytes).unwrap();
        assert_eq!(directory.header, Header { index: 0, first_row: 3 });
        assert_eq!(directory.checksum, directory.stated);
        let [(first, range), (_, empty)] = &directory.frames[..] else { panic!("two frames") };
        assert_eq!((&bytes[range.clone()], first.n_rows, first.stored_bytes), (&b"abc"[..], 2, 3));
        assert_eq!(first.checksum, crc32fast::hash(b"abc"));
        assert!(empty.is_empty());
    }

    #[test]
    fn every_cut_is_noticed_and_every_damaged_byte_outside_the_frames() {
        let bytes = tiny();
        for i in 0..bytes.len() {
            assert!(directory(&bytes[..i]).is_err(), "cut at {i}");
            let mut damaged = bytes.clone();
            damaged[i] ^= 0x10;
            let noticed = directory(&damaged).map_or(true, |d| d.checksum != d.stated);
            assert_eq!(noticed, !(16..19).contains(&i), "byte {i}");
        }
    }
}
