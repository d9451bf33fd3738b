//! Whether a JPEG holds its whole image.
//!
//! Decoders go on behind the end of a scan, with zeros: a file that was cut short and got its end marker back becomes a
//! photograph that is half grey. So every scan is walked here, code by code, before it is decoded: each segment between
//! restart markers must hold its blocks, and all scans together every coefficient. What follows the end marker is not
//! looked at.
//!
//! Baseline and progressive files with Huffman codes; the others are left to the decoder, which refuses them.
//! Time: about a fifth of decoding. Source: ITU-T T.81, annexes B, F and G.

use super::scan_bits::{Bits, Table};

/// Why a file does not hold its image, in a few words.
pub(super) type Damage = String;

const CUT: &str = "the file is cut short";

/// Checks all bytes of a file, up to its end marker.
pub(super) fn check(bytes: &[u8]) -> Result<(), Damage> {
    let mut walk = Walk { rest: bytes.get(2..).unwrap_or_default(), ..Walk::default() };
    loop {
        match walk.marker()? {
            0xd9 => return walk.frame.map_or(Err("it has no image".into()), |frame| frame.finish()),
            0x01 | 0xd0..=0xd8 => {}
            // Lossless, hierarchical or arithmetic coding.
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return Ok(()),
            marker => {
                let segment = walk.segment()?;
                match marker {
                    0xc0..=0xc2 if walk.frame.is_some() => return Err("it has two images in one".into()),
                    0xc0..=0xc2 => {
                        walk.frame =
                            Some(Frame::new(segment, marker == 0xc2, bytes.len()).ok_or("a damaged frame header")?)
                    }
                    0xc4 => walk.tables.define(segment).ok_or("damaged Huffman codes")?,
                    0xdd => walk.interval = segment.first_chunk().map(|&n| u16::from_be_bytes(n)).ok_or(CUT)?.into(),
                    0xda => walk.scan(segment)?,
                    _ => {}
                }
            }
        }
    }
}

#[derive(Default)]
struct Walk<'a> {
    rest: &'a [u8],
    tables: Tables,
    frame: Option<Frame>,
    /// Units between restart markers, 0 if there are none.
    interval: usize,
}

impl<'a> Walk<'a> {
    /// The next marker; bytes before it, and those that fill, are skipped.
    fn marker(&mut self) -> Result<u8, Damage> {
        let at = self.rest.windows(2).position(|two| two[0] == 0xff && !matches!(two[1], 0 | 0xff)).ok_or(CUT)?;
        let marker = self.rest[at + 1];
        self.rest = &self.rest[at + 2..];
        Ok(marker)
    }

    /// What belongs to a marker, without its length.
    fn segment(&mut self) -> Result<&'a [u8], Damage> {
        let length = self.rest.first_chunk().map(|&n| usize::from(u16::from_be_bytes(n))).ok_or(CUT)?;
        let segment = self.rest.get(2..length).ok_or(CUT)?;
        self.rest = &self.rest[length..];
        Ok(segment)
    }

    /// One scan: its header, and the data behind it.
    fn scan(&mut self, header: &[u8]) -> Result<(), Damage> {
        let mut frame = self.frame.take().ok_or("a scan without a frame")?;
        let scan = Scan::new(header, &frame).ok_or("a damaged scan header")?;
        let [across, down] = frame.units(&scan);
        let n_units = across * down;
        let interval = if self.interval == 0 { n_units } else { self.interval };
        let mut unit = 0;
        for restart in 0.. {
            let mut bits = Bits::new(self.rest);
            while unit < n_units.min((restart + 1) * interval) {
                frame.unit(&scan, &self.tables, [unit % across, unit / across], &mut bits)?;
                unit += 1;
            }
            self.rest = bits.rest();
            if unit == n_units {
                break;
            }
            if self.marker()? != 0xd0 + (restart % 8) as u8 {
                return Err(format!("restart marker {restart} is not there"));
            }
        }
        frame.note(&scan);
        self.frame = Some(frame);
        Ok(())
    }
}

/// Huffman codes: of DC, then of AC coefficients.
#[derive(Default)]
struct Tables([[Option<Table>; 4]; 2]);

impl Tables {
    fn define(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&place, rest)) = segment.split_first() {
            let (lengths, rest) = rest.split_first_chunk::<16>()?;
            let n_symbols = lengths.iter().map(|&n| usize::from(n)).sum();
            let (symbols, rest) = rest.split_at_checked(n_symbols)?;
            let table = self.0.get_mut(usize::from(place >> 4))?.get_mut(usize::from(place & 15))?;
            *table = Some(Table::new(lengths, symbols)?);
            segment = rest;
        }
        Some(())
    }

    fn get(&self, class: usize, index: usize) -> Result<&Table, Damage> {
        self.0[class][index].as_ref().ok_or_else(|| "Huffman codes are missing".into())
    }
}

/// The image: its components, and what is known of their coefficients.
struct Frame {
    is_progressive: bool,
    size: [usize; 2],
    /// Greatest sampling factors.
    most: [usize; 2],
    components: Vec<Component>,
}

struct Component {
    id: u8,
    sampling: [usize; 2],
    /// Blocks in a row of its own scans.
    across: usize,
    /// Which coefficients of each block are not zero; of progressive files only.
    nonzero: Vec<u64>,
    /// Lowest bit of each coefficient that has been sent.
    lowest: [u8; 64],
}

const NEVER: u8 = u8::MAX;

impl Frame {
    fn new(segment: &[u8], is_progressive: bool, n_bytes: usize) -> Option<Self> {
        let (&[_, h0, h1, w0, w1, n], rest) = segment.split_first_chunk()?;
        let size = [u16::from_be_bytes([w0, w1]).into(), u16::from_be_bytes([h0, h1]).into()];
        let parts = rest.get(..3 * usize::from(n)).filter(|_| (1..=4).contains(&n) && !size.contains(&0))?;
        let sampling = |part: &[u8]| [usize::from(part[1] >> 4), usize::from(part[1] & 15)];
        let all = || parts.chunks_exact(3).map(sampling);
        if all().flatten().any(|factor| !(1..=4).contains(&factor)) {
            return None;
        }
        let most = [0, 1].map(|axis| all().map(|sampling| sampling[axis]).max().unwrap_or(1));
        let mut frame = Self { is_progressive, size, most, components: Vec::new() };
        for part in parts.chunks_exact(3) {
            let sampling = sampling(part);
            let [across, down] = [0, 1].map(|axis| frame.blocks(sampling, axis));
            // Every block has a code of a bit at least.
            if across * down / 8 > n_bytes {
                return None;
            }
            let nonzero = if is_progressive { vec![0; across * down] } else { Vec::new() };
            frame.components.push(Component { id: part[0], sampling, across, nonzero, lowest: [NEVER; 64] });
        }
        Some(frame)
    }

    /// Blocks of a component along an axis, without those that only fill a unit of several components.
    fn blocks(&self, sampling: [usize; 2], axis: usize) -> usize {
        (self.size[axis] * sampling[axis]).div_ceil(8 * self.most[axis])
    }

    /// Units of a scan, across and down.
    fn units(&self, scan: &Scan) -> [usize; 2] {
        match scan.parts[..] {
            [part] => [0, 1].map(|axis| self.blocks(self.components[part.component].sampling, axis)),
            _ => [0, 1].map(|axis| self.size[axis].div_ceil(8 * self.most[axis])),
        }
    }

    /// Walks one unit: a block of the only component, or of each as many as its sampling factors say.
    fn unit(&mut self, scan: &Scan, tables: &Tables, at: [usize; 2], bits: &mut Bits<'_>) -> Result<(), Damage> {
        for part in &scan.parts {
            let component = &mut self.components[part.component];
            let n_blocks = if scan.parts.len() == 1 { 1 } else { component.sampling.iter().product() };
            for _ in 0..n_blocks {
                match (self.is_progressive, scan.first, scan.is_refining) {
                    (false, ..) => baseline(tables.get(0, part.dc)?, tables.get(1, part.ac)?, bits)?,
                    (true, 0, true) => drop(bits.take(1)?),
                    (true, 0, false) => difference(tables.get(0, part.dc)?, bits)?,
                    _ => {
                        let block = component.nonzero.get_mut(at[1] * component.across + at[0]).ok_or(CUT)?;
                        let band = Band { table: tables.get(1, part.ac)?, last: scan.last };
                        match scan.is_refining {
                            false => band.begin(scan.first, block, bits)?,
                            true => band.refine(scan.first, block, bits)?,
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A scan has been walked.
    fn note(&mut self, scan: &Scan) {
        for part in &scan.parts {
            self.components[part.component].lowest[scan.first..=scan.last].fill(scan.lowest);
        }
    }

    /// That no coefficient is missing.
    fn finish(self) -> Result<(), Damage> {
        match self.components.iter().all(|component| component.lowest == [0; 64]) {
            true => Ok(()),
            false => Err("scans are missing at its end".into()),
        }
    }
}

/// A scan's header.
struct Scan {
    parts: Vec<Part>,
    /// First and last coefficient, in zigzag order.
    first: usize,
    last: usize,
    is_refining: bool,
    lowest: u8,
}

#[derive(Clone, Copy)]
struct Part {
    component: usize,
    dc: usize,
    ac: usize,
}

impl Scan {
    fn new(header: &[u8], frame: &Frame) -> Option<Self> {
        let (&n, rest) = header.split_first()?;
        let (parts, rest) = rest.split_at_checked(2 * usize::from(n))?;
        let part = |two: &[u8]| {
            let component = frame.components.iter().position(|component| component.id == two[0])?;
            let [dc, ac] = [two[1] >> 4, two[1] & 15].map(usize::from);
            (dc < 4 && ac < 4).then_some(Part { component, dc, ac })
        };
        let parts: Vec<_> = parts.chunks_exact(2).map(part).collect::<Option<_>>()?;
        let &[first, last, bits] = rest.first_chunk()?;
        let (first, last, before, lowest) = (usize::from(first), usize::from(last), bits >> 4, bits & 15);
        let scan = match frame.is_progressive {
            true => Self { parts, first, last, is_refining: before > 0, lowest },
            false => Self { parts, first: 0, last: 63, is_refining: false, lowest: 0 },
        };
        let is_band = !frame.is_progressive || first == 0 && last == 0 || first > 0 && scan.parts.len() == 1;
        let is_sound = (1..=4).contains(&scan.parts.len()) && scan.first <= scan.last && scan.last < 64;
        (is_band && is_sound).then_some(scan)
    }
}

/// A DC coefficient: how many bits its difference takes, and those.
fn difference(table: &Table, bits: &mut Bits<'_>) -> Result<(), Damage> {
    let size = bits.symbol(table)?;
    bits.take(u32::from(size.min(16))).map(drop)
}

/// All coefficients of a block.
fn baseline(dc: &Table, ac: &Table, bits: &mut Bits<'_>) -> Result<(), Damage> {
    difference(dc, bits)?;
    let mut k = 1;
    while k < 64 {
        let symbol = bits.symbol(ac)?;
        let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
        if size == 0 && zeros < 15 {
            break;
        }
        k += zeros + 1;
        bits.take(size.into())?;
    }
    if k > 64 { Err("a block has more than 64 coefficients".into()) } else { Ok(()) }
}

/// AC coefficients of a progressive scan.
struct Band<'a> {
    table: &'a Table,
    last: usize,
}

impl Band<'_> {
    /// Their first scan.
    fn begin(&self, mut k: usize, block: &mut u64, bits: &mut Bits<'_>) -> Result<(), Damage> {
        if bits.run > 0 {
            bits.run -= 1;
            return Ok(());
        }
        while k <= self.last {
            let symbol = bits.symbol(self.table)?;
            let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
            if size == 0 && zeros < 15 {
                bits.run = (1 << zeros) - 1 + bits.take(zeros as u32)?;
                break;
            }
            k += zeros;
            if size > 0 {
                bits.take(size.into())?;
                *block |= 1u64.checked_shl(k as u32).ok_or("a block has more than 64 coefficients")?;
            }
            k += 1;
        }
        Ok(())
    }

    /// One more bit of those that are not zero, and some that become so.
    fn refine(&self, mut k: usize, block: &mut u64, bits: &mut Bits<'_>) -> Result<(), Damage> {
        while bits.run == 0 && k <= self.last {
            let symbol = bits.symbol(self.table)?;
            let (zeros, size) = (u32::from(symbol >> 4), symbol & 15);
            if size == 0 && zeros < 15 {
                bits.run = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            bits.take(u32::from(size > 0))?;
            k = self.pass(k, zeros, *block, bits)?;
            if size > 0 && k < 64 {
                *block |= 1 << k;
            }
            k += 1;
        }
        if bits.run > 0 {
            bits.run -= 1;
            self.pass(k, u32::MAX, *block, bits)?;
        }
        Ok(())
    }

    /// Passes that many zeros, with a bit for everything else on the way. Returns where it ends: at a zero, or behind.
    fn pass(&self, mut k: usize, mut zeros: u32, block: u64, bits: &mut Bits<'_>) -> Result<usize, Damage> {
        while k <= self.last {
            match (block >> k & 1, zeros) {
                (1, _) => drop(bits.take(1)?),
                (_, 0) => break,
                _ => zeros -= 1,
            }
            k += 1;
        }
        Ok(k)
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    const FILES: [(&str, &[u8]); 7] = [
        ("baseline", include_bytes!("../../fixtures/images/baseline.jpg")),
        ("subsampled", include_bytes!("../../fixtures/images/subsampled.jpg")),
        ("progressive", include_bytes!("../../fixtures/images/progressive.jpg")),
        ("restarts", include_bytes!("../../fixtures/images/restarts.jpg")),
        ("rotated", include_bytes!("../../fixtures/images/rotated.jpg")),
        ("cmyk", include_bytes!("../../fixtures/images/cmyk.jpg")),
        ("grey", include_bytes!("../../fixtures/images/grey.jpg")),
    ];

    fn first_scan(bytes: &[u8]) -> usize {
        let at = bytes.windows(2).position(|marker| marker == [0xff, 0xda]).unwrap();
        at + 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]))
    }

    #[test]
    fn whole_files_pass_whatever_follows_their_end() {
        for (name, bytes) in FILES {
            assert_eq!(check(bytes), Ok(()), "{name}");
            assert_eq!(check(&[bytes, b"\xff\xd8 a second image, \xff\xd9"].concat()), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_cut_scan_with_an_end_marker_is_noticed() {
        for (name, bytes) in FILES {
            let begin = first_scan(bytes);
            for cut in begin..bytes.len() - 2 {
                // A cut behind 0xff makes another marker or byte; the last byte may hold nothing but padding.
                if bytes[cut - 1] == 0xff {
                    continue;
                }
                let cut_short = [&bytes[..cut], b"\xff\xd9"].concat();
                assert!(check(&cut_short).is_err(), "{name} cut at {cut} of {}", bytes.len());
            }
            assert!(check(&bytes[..bytes.len() - 2]).is_err(), "{name} without its end");
        }
    }

    #[test]
    fn a_restart_segment_that_is_lost_or_cut_is_noticed() {
        let bytes = FILES[3].1;
        let marker = |n: u8| bytes.windows(2).position(|two| two == [0xff, 0xd0 + n]).unwrap();
        let lost = [&bytes[..marker(0)], &bytes[marker(1)..]].concat();
        assert_eq!(check(&lost), Err("restart marker 0 is not there".into()));
        let half = (marker(0) + marker(1)) / 2;
        let cut = [&bytes[..half], &bytes[marker(1)..]].concat();
        assert_eq!(check(&cut), Err("a scan is cut short".into()));
    }
}
