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
const MAGIC: &[u8] = b"SPINSHD1";

/// A record of a shard file: it begins with the bytes in parentheses, and then has its fields, little-endian, in this order
/// and without gaps.
macro_rules! record {
    ($(#[$doc:meta])* $Record:ident($magic:expr) { $($field:ident: $Int:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(super) struct $Record {
            $(pub $field: $Int,)*
        }

        impl $Record {
            pub const BYTES: usize = $magic.len() $(+ size_of::<$Int>())*;

            pub fn encode(self) -> Vec<u8> {
                [&$magic[..], $(&self.$field.to_le_bytes()),*].concat()
            }

            /// From the first bytes of these.
            pub fn decode(bytes: &[u8]) -> Result<Self, Fault> {
                let mut rest = after($magic, bytes)?;
                Ok(Self { $($field: <$Int>::from_le_bytes(*take(&mut rest)?),)* })
            }
        }
    };
}

record! {
    /// The start of a shard file.
    Header(MAGIC) {
        index: u32,
        first_row: u32,
    }
}

record! {
    /// What the directory says of one frame.
    DirectoryEntry(b"") {
        first_row: u32,
        n_rows: u32,
        layer: u32,
        raw_bytes: u32,
        stored_bytes: u32,
        checksum: u32,
        n_edges_in: u64,
        n_edges_out: u64,
    }
}

record! {
    /// The end of a shard file.
    Footer(b"") {
        frames_bytes: u64,
        n_frames: u32,
        checksum: u32,
    }
}

/// Where the footer has its checksum: everything before it belongs to the checksum.
pub(super) const FOOTER_CHECKSUM: usize = Footer::BYTES - size_of::<u32>();

const _: () = assert!(Header::BYTES == 16 && DirectoryEntry::BYTES == 40 && Footer::BYTES == 16);

/// The bytes after `magic`, with which they must begin.
fn after<'a>(magic: &[u8], bytes: &'a [u8]) -> Result<&'a [u8], Fault> {
    let (found, rest) = bytes.split_at_checked(magic.len()).ok_or(Fault::Truncated)?;
    match found == magic {
        true => Ok(rest),
        false => Err(Fault::Magic { found: found.into(), expected: magic.into() }),
    }
}

/// The next bytes of `rest`, which is left with those after them.
fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Result<&'a [u8; N], Fault> {
    let (first, after) = rest.split_first_chunk().ok_or(Fault::Truncated)?;
    *rest = after;
    Ok(first)
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
