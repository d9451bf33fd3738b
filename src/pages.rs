//! Parquet from outside: that every length and count in a footer and in the pages' headers lies within the file, before a
//! library believes them and reserves gigabytes.
//!
//! Both are structs in Thrift's compact encoding, which are walked here, but not understood.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

/// Bytes that even a page of the smallest file may stand for, and for each byte of the file; writers make pages of a megabyte
/// and one value.
const LEAST_BYTES: u64 = 1 << 26;
const BYTES_EACH: u64 = 1 << 10;
/// Groups of columns, which may be in each other: the library reads them recursively. A table has one, and two for each list.
const MAX_GROUPS: u32 = 1 << 9;
/// The fields that lead from a footer to the number of columns of a group: schema, element of the list, `num_children`.
const NUMBER_OF_CHILDREN: [i16; 3] = [2, 0, 5];
/// Structs in structs; Parquet has up to six.
const MAX_DEPTH: usize = 16;
/// Bytes of a page's header that are read first, and times as many while it is longer.
const HEADER: u64 = 512;
const LONGER: u64 = 8;

/// That the footer's lists and texts end inside it.
pub(crate) fn check_footer(file: &File, length: u64) -> Result<(), ParquetError> {
    let Some(at) = length.checked_sub(8) else { return Ok(()) }; // the library says that it is too short
    let tail = bytes(file, at..length)?;
    let size = tail.first_chunk().map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
    let Some(start) = at.checked_sub(size).filter(|_| tail.ends_with(b"PAR1")) else { return Ok(()) };
    let footer = bytes(file, start..at)?;
    let mut n_groups = 0;
    let walked = walk(&footer, &mut |path, _| n_groups += u32::from(path == NUMBER_OF_CHILDREN));
    match walked {
        None => Err(ParquetError::General("a damaged footer".into())),
        Some(_) if n_groups > MAX_GROUPS => Err(ParquetError::General(format!("columns in {n_groups} groups"))),
        Some(_) => Ok(()),
    }
}

/// That the pages of all columns lie inside them, and that none stands for more bytes than there can be.
///
/// The columns themselves must lie in the file.
pub(crate) fn check_pages(file: &File, metadata: &ParquetMetaData, length: u64) -> Result<(), ParquetError> {
    let most = LEAST_BYTES.saturating_add(length.saturating_mul(BYTES_EACH));
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        let (mut at, size) = column.byte_range();
        let end = at.saturating_add(size).min(length);
        while at < end {
            let page = page(file, at..end)?;
            let inside = page.data.end <= end;
            if !inside || page.n_bytes > most {
                let what = if inside { "stands for too many bytes" } else { "does not end in its column" };
                return Err(ParquetError::General(format!("a page at byte {at} {what}")));
            }
            if let Compression::BROTLI(_) = column.compression() {
                check_brotli(file, &page)?;
            }
            at = page.data.end;
        }
    }
    Ok(())
}

/// A page: where its data is in the file, and what its header says.
#[derive(Debug, Default)]
struct Page {
    data: Range<u64>,
    /// Bytes before compression, levels included.
    n_bytes: u64,
    /// Bytes of levels that are not compressed.
    n_levels: u64,
}

/// The page that begins at `column.start`.
fn page(file: &File, column: Range<u64>) -> Result<Page, ParquetError> {
    let damaged = || ParquetError::General(format!("a damaged page header at byte {}", column.start));
    let left = column.end - column.start;
    let mut window = HEADER.min(left);
    loop {
        let header = bytes(file, column.start..column.start + window)?;
        let [mut n_bytes, mut n_data, mut n_levels] = [0; 3];
        let header_length = walk(&header, &mut |path, value| match path {
            [2] => n_bytes = value,
            [3] => n_data = value,
            [8, 5 | 6] => n_levels = i64::saturating_add(n_levels, value),
            _ => {}
        });
        if let Some(header_length) = header_length {
            let start = column.start + header_length as u64;
            let [n_bytes, n_data, n_levels] =
                [n_bytes, n_data, n_levels].map(|n| u64::try_from(n).map_err(|_| damaged()));
            return Ok(Page { data: start..start.saturating_add(n_data?), n_bytes: n_bytes?, n_levels: n_levels? });
        }
        if window == left {
            return Err(damaged());
        }
        window = (window * LONGER).min(left);
    }
}

/// That a page that a few bytes of Brotli stand for has the length that it says: the library unpacks to the end.
fn check_brotli(file: &File, page: &Page) -> Result<(), ParquetError> {
    let start = page.data.start.saturating_add(page.n_levels).min(page.data.end);
    let data = bytes(file, start..page.data.end)?;
    let most = page.n_bytes.saturating_sub(page.n_levels);
    let unpacked = brotli::Decompressor::new(&data[..], 1 << 16).take(most.saturating_add(1));
    match io::copy(&mut { unpacked }, &mut io::sink()) {
        Ok(found) if found > most => {
            Err(ParquetError::General(format!("a page at byte {} stands for more bytes than it says", page.data.start)))
        }
        _ => Ok(()), // whatever else is wrong, the library finds
    }
}

/// Some of a file's bytes, which are there.
fn bytes(mut file: &File, range: Range<u64>) -> Result<Vec<u8>, ParquetError> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(range.start))?;
    file.take(range.end - range.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Walks the struct that `bytes` begin with, and calls `number` with the fields that lead to each integer that is no element
/// of a list. Returns the struct's length; nothing if it is damaged or does not end.
fn walk(bytes: &[u8], number: &mut dyn FnMut(&[i16], i64)) -> Option<usize> {
    let mut walk = ThriftWalk { rest: bytes, path: Vec::new(), number };
    walk.fields()?;
    Some(bytes.len() - walk.rest.len())
}

struct ThriftWalk<'a, 'n> {
    rest: &'a [u8],
    path: Vec<i16>,
    number: &'n mut dyn FnMut(&[i16], i64),
}

impl ThriftWalk<'_, '_> {
    fn fields(&mut self) -> Option<()> {
        if self.path.len() == MAX_DEPTH {
            return None;
        }
        let mut id = 0i16;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            id = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).ok()?,
                step => id.checked_add(i16::from(step))?,
            };
            self.path.push(id);
            self.value(head & 15, true)?;
            self.path.pop();
        }
    }

    /// A value of a type of Thrift's compact encoding.
    fn value(&mut self, kind: u8, is_field: bool) -> Option<()> {
        match kind {
            // True and false.
            1 | 2 if is_field => Some(()),
            3 => self.byte().map(|_| ()),
            4..=6 => {
                let value = self.zigzag()?;
                if is_field {
                    (self.number)(&self.path, value);
                }
                Some(())
            }
            // A double, a text.
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(),
            12 => self.fields(),
            // Maps and UUIDs, and lists of booleans, which libraries read differently: Parquet has none of them here.
            _ => None,
        }
    }

    fn list(&mut self) -> Option<()> {
        let head = self.byte()?;
        let n = match head >> 4 {
            15 => self.varint()?,
            n => u64::from(n),
        };
        // Every element is at least a byte.
        if n > self.rest.len() as u64 || self.path.len() == MAX_DEPTH {
            return None;
        }
        self.path.push(0);
        (0..n).try_for_each(|_| self.value(head & 15, false))?;
        self.path.pop();
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, n: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(n).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        self.varint().map(|value| (value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Repetition;
    use parquet::file::metadata::ParquetMetaDataReader;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::types::Type;

    use super::*;
    use crate::columnar;

    /// Fields that lead to an integer, and its value.
    type Found = (Vec<i16>, i64);

    fn integers(bytes: &[u8]) -> Option<(usize, Vec<Found>)> {
        let mut found = Vec::new();
        let length = walk(bytes, &mut |path, value| found.push((path.to_vec(), value)))?;
        Some((length, found))
    }

    #[test]
    fn integers_are_found_with_their_fields() {
        // 1: i32 3, 2: i32 −1, 5: { 4: true, 20: i64 150 }, 6: list of two i32, 7: text
        let bytes =
            [0x15, 6, 0x15, 1, 0x3c, 0x41, 0x06, 40, 0xac, 0x02, 0, 0x19, 0x25, 2, 4, 0x18, 2, b'a', b'b', 0, 99];
        let expected = vec![(vec![1], 3), (vec![2], -1), (vec![5, 20], 150)];
        assert_eq!(integers(&bytes), Some((20, expected)));
        for length in 0..20 {
            assert_eq!(integers(&bytes[..length]), None, "{length}");
        }
    }

    #[test]
    fn lengths_beyond_the_bytes_deep_nests_and_lists_without_bytes_are_damage() {
        for bytes in [
            &[0x18, 0xff, 0xff, 0xff, 0x7f, 0][..],      // a text of 256 MiB
            &[0x19, 0xf5, 0xff, 0xff, 0xff, 0x7f, 2, 0], // as many integers
            &[0x19, 0xf1, 0xff, 0xff, 0xff, 0x7f, 0],    // booleans
            &[0x19, 0x22, 1, 1, 0],
            &[0x1b, 0, 0], // a map
            &[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0],
            &[0x1c; 1000],
            &[0x19; 1000],
        ] {
            assert_eq!(integers(bytes), None, "{bytes:?}");
        }
    }

    /// A table of three columns, the last of which is one page.
    fn table(compression: Compression) -> Vec<u8> {
        let column = || Arc::new(Int64Array::from_iter_values(0..200)) as ArrayRef;
        let batch =
            RecordBatch::try_from_iter([("source", column()), ("target", column()), ("weight", column())]).unwrap();
        let properties = WriterProperties::builder().set_compression(compression).set_dictionary_enabled(false).build();
        let mut out = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        out
    }

    /// What the reader says to a file.
    fn read(bytes: &[u8]) -> Result<usize, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        columnar::read(
            file,
            |error| error.to_string(),
            |builder, _| {
                let batches = builder.build().map_err(|error| error.to_string())?;
                batches.map(|batch| Ok(batch.map_err(|error| error.to_string())?.num_rows())).sum()
            },
        )
    }

    fn zigzag(value: u64) -> Vec<u8> {
        let (mut rest, mut bytes) = (value << 1, Vec::new());
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        [bytes, vec![rest as u8]].concat()
    }

    /// The table whose last page says that it stands for `n_bytes`.
    fn lying(compression: Compression, n_bytes: u64) -> Vec<u8> {
        let mut bytes = table(compression);
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&file(&bytes)).unwrap();
        let column = metadata.row_group(0).column(2);
        let (at, size) = (column.data_page_offset() as usize, column.compressed_size() as u64);
        // Type and size before compression are the header's first fields.
        assert_eq!((bytes[at], bytes[at + 2]), (0x15, 0x15));
        let old = page(&file(&bytes), at as u64..at as u64 + size).unwrap().n_bytes;
        let old = at + 3..at + 3 + zigzag(old).len();
        let new = zigzag(n_bytes);
        let more = new.len() - old.len();
        bytes.splice(old, new);
        let [was, is] = [size, size + more as u64].map(|size| [vec![0x16], zigzag(size)].concat());
        assert_eq!(was.len(), is.len());
        let place = bytes.windows(was.len()).rposition(|window| window == was).unwrap();
        bytes.splice(place..place + was.len(), is);
        bytes
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn pages_that_stand_for_gigabytes_are_refused_before_they_are_read() {
        let codecs = [Compression::SNAPPY, Compression::LZ4_RAW, Compression::ZSTD(Default::default())];
        for codec in
            codecs.into_iter().chain([Compression::GZIP(Default::default()), Compression::BROTLI(Default::default())])
        {
            assert_eq!(read(&table(codec)), Ok(200), "{codec}");
            let error = read(&lying(codec, (1 << 31) - 1)).unwrap_err();
            assert!(error.ends_with("stands for too many bytes"), "{codec}: {error}");
        }
        assert_eq!(read(&table(Compression::UNCOMPRESSED)), Ok(200));
    }

    #[test]
    fn brotli_that_goes_on_behind_the_page_is_refused() {
        let mut packed = Vec::new();
        brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(&vec![0; 1 << 24]).unwrap();
        assert!(packed.len() < 100);
        let page = |n_bytes| Page { data: 0..packed.len() as u64, n_bytes, n_levels: 0 };
        assert!(check_brotli(&file(&packed), &page(1 << 24)).is_ok());
        assert!(
            check_brotli(&file(&packed), &page((1 << 24) - 1))
                .unwrap_err()
                .to_string()
                .contains("more bytes than it says")
        );
    }

    #[test]
    fn a_schema_of_a_thousand_groups_in_each_other_is_refused() {
        let nested = |depth| {
            let leaf = Type::primitive_type_builder("x", parquet::basic::Type::INT32);
            let mut inner = leaf.with_repetition(Repetition::REQUIRED).build().unwrap();
            for _ in 1..depth {
                let group = Type::group_type_builder("g").with_repetition(Repetition::REQUIRED);
                inner = group.with_fields(vec![Arc::new(inner)]).build().unwrap();
            }
            let root = Type::group_type_builder("root").with_fields(vec![Arc::new(inner)]).build().unwrap();
            let mut out = Vec::new();
            SerializedFileWriter::new(&mut out, Arc::new(root), Default::default()).unwrap().close().unwrap();
            out
        };
        assert!(read(&nested(1000)).unwrap_err().ends_with("columns in 1000 groups"));
        assert_eq!(read(&nested(20)), Ok(0));
    }
}
