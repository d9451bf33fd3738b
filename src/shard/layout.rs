//! Byte offsets of a shard file and pieces of the value store: the only place that knows them. The meaning of the fields is
//! told in [`super`].

use super::error::Fault;

/// Name of the value store in a graph directory.
pub(super) const VALUES: &str = "values.bin";

/// Length of a piece of the value store; the last one may be shorter.
pub(super) const PIECE_BYTES: u64 = 1 << 20;

/// Values of a piece.
pub(super) const PIECE: usize = PIECE_BYTES as usize / 4;

/// First bytes of every shard file.
pub(super) const MAGIC: [u8; 8] = *b"SPINSHD1";

/// The start of a shard file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub index: u32,
    pub first_row: u32,
}

impl Header {
    const INDEX: usize = MAGIC.len();
    const FIRST_ROW: usize = Self::INDEX + 4;
    pub const BYTES: usize = Self::FIRST_ROW + 4;

    pub fn encode(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..Self::INDEX].copy_from_slice(&MAGIC);
        bytes[Self::INDEX..Self::FIRST_ROW].copy_from_slice(&self.index.to_le_bytes());
        bytes[Self::FIRST_ROW..].copy_from_slice(&self.first_row.to_le_bytes());
        bytes
    }

    /// From the first bytes of a file.
    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let found: [u8; 8] = array(bytes, 0)?;
        if found != MAGIC {
            return Err(Fault::Magic { found, expected: MAGIC });
        }
        Ok(Self { index: u32_at(bytes, Self::INDEX)?, first_row: u32_at(bytes, Self::FIRST_ROW)? })
    }
}

/// What the directory says of one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DirectoryEntry {
    pub first_row: u32,
    pub n_rows: u32,
    pub layer: u32,
    pub raw_bytes: u32,
    pub stored_bytes: u32,
    pub checksum: u32,
    pub n_edges_in: u64,
    pub n_edges_out: u64,
}

impl DirectoryEntry {
    const FIRST_ROW: usize = 0;
    const N_ROWS: usize = Self::FIRST_ROW + 4;
    const LAYER: usize = Self::N_ROWS + 4;
    const RAW_BYTES: usize = Self::LAYER + 4;
    const STORED_BYTES: usize = Self::RAW_BYTES + 4;
    const CHECKSUM: usize = Self::STORED_BYTES + 4;
    const N_EDGES_IN: usize = Self::CHECKSUM + 4;
    const N_EDGES_OUT: usize = Self::N_EDGES_IN + 8;
    pub const BYTES: usize = Self::N_EDGES_OUT + 8;

    pub fn encode(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        let words = [
            (Self::FIRST_ROW, self.first_row),
            (Self::N_ROWS, self.n_rows),
            (Self::LAYER, self.layer),
            (Self::RAW_BYTES, self.raw_bytes),
            (Self::STORED_BYTES, self.stored_bytes),
            (Self::CHECKSUM, self.checksum),
        ];
        for (at, word) in words {
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        bytes[Self::N_EDGES_IN..Self::N_EDGES_OUT].copy_from_slice(&self.n_edges_in.to_le_bytes());
        bytes[Self::N_EDGES_OUT..].copy_from_slice(&self.n_edges_out.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        Ok(Self {
            first_row: u32_at(bytes, Self::FIRST_ROW)?,
            n_rows: u32_at(bytes, Self::N_ROWS)?,
            layer: u32_at(bytes, Self::LAYER)?,
            raw_bytes: u32_at(bytes, Self::RAW_BYTES)?,
            stored_bytes: u32_at(bytes, Self::STORED_BYTES)?,
            checksum: u32_at(bytes, Self::CHECKSUM)?,
            n_edges_in: u64_at(bytes, Self::N_EDGES_IN)?,
            n_edges_out: u64_at(bytes, Self::N_EDGES_OUT)?,
        })
    }
}

/// The end of a shard file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Footer {
    pub frames_bytes: u64,
    pub n_frames: u32,
    pub checksum: u32,
}

impl Footer {
    const FRAMES_BYTES: usize = 0;
    const N_FRAMES: usize = Self::FRAMES_BYTES + 8;
    /// Everything before it belongs to the checksum.
    pub const CHECKSUM: usize = Self::N_FRAMES + 4;
    pub const BYTES: usize = Self::CHECKSUM + 4;

    pub fn encode(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..Self::N_FRAMES].copy_from_slice(&self.frames_bytes.to_le_bytes());
        bytes[Self::N_FRAMES..Self::CHECKSUM].copy_from_slice(&self.n_frames.to_le_bytes());
        bytes[Self::CHECKSUM..].copy_from_slice(&self.checksum.to_le_bytes());
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        Ok(Self {
            frames_bytes: u64_at(bytes, Self::FRAMES_BYTES)?,
            n_frames: u32_at(bytes, Self::N_FRAMES)?,
            checksum: u32_at(bytes, Self::CHECKSUM)?,
        })
    }
}

const _: () = assert!(Header::BYTES == 16 && DirectoryEntry::BYTES == 40 && Footer::BYTES == 16);

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Result<u64, Fault> {
    array(bytes, at).map(u64::from_le_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Fault> {
    let tail = bytes.get(at..).ok_or(Fault::Truncated)?;
    tail.first_chunk().copied().ok_or(Fault::Truncated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_lie_where_the_specification_says() {
        let header = Header { index: 1, first_row: 0x0203 };
        assert_eq!(header.encode(), *b"SPINSHD1\x01\0\0\0\x03\x02\0\0");
        let entry = DirectoryEntry {
            first_row: 1,
            n_rows: 2,
            layer: 3,
            raw_bytes: 4,
            stored_bytes: 5,
            checksum: 6,
            n_edges_in: 7,
            n_edges_out: 8,
        };
        let bytes = entry.encode();
        let words: Vec<u8> = bytes.chunks(4).map(|word| word[0]).collect();
        assert_eq!(words, [1, 2, 3, 4, 5, 6, 7, 0, 8, 0]);
        assert_eq!(DirectoryEntry::decode(&bytes).unwrap(), entry);
        let footer = Footer { frames_bytes: 1, n_frames: 2, checksum: 3 };
        assert_eq!(footer.encode(), *b"\x01\0\0\0\0\0\0\0\x02\0\0\0\x03\0\0\0");
        assert_eq!(Footer::decode(&footer.encode()).unwrap(), footer);
    }

    #[test]
    fn short_or_foreign_bytes_are_refused() {
        let bytes = Header { index: 0, first_row: 0 }.encode();
        for n in 0..bytes.len() {
            assert!(Header::decode(&bytes[..n]).is_err());
        }
        assert!(matches!(Header::decode(b"SPINSHD2\0\0\0\0\0\0\0\0"), Err(Fault::Magic { .. })));
        assert!(DirectoryEntry::decode(&[0; DirectoryEntry::BYTES - 1]).is_err());
        assert!(Footer::decode(&[0; Footer::BYTES - 1]).is_err());
    }
}
