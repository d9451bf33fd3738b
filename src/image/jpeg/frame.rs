//! A JPEG's image and its scans: what must be sent of every component.
//!
//! T.81 calls an image a frame. A scan sends some coefficients of some components, unit by unit: a unit is one block of
//! the only component, or of several as many blocks of each as their sampling factors say.

use super::coefficients::{Band, baseline, difference};
use super::huffman::{Bits, CUT, Damage, HuffmanCodes};

/// The image: its components, and what is known of their coefficients.
pub(super) struct JpegFrame {
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

impl JpegFrame {
    /// From its header, in a file of that many bytes; nothing if that is damaged.
    pub(super) fn new(segment: &[u8], is_progressive: bool, n_bytes: usize) -> Option<Self> {
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
    pub(super) fn units(&self, scan: &Scan) -> [usize; 2] {
        match scan.parts[..] {
            [part] => [0, 1].map(|axis| self.blocks(self.components[part.component].sampling, axis)),
            _ => [0, 1].map(|axis| self.size[axis].div_ceil(8 * self.most[axis])),
        }
    }

    /// Walks one unit: a block of the only component, or of each as many as its sampling factors say.
    pub(super) fn unit(
        &mut self,
        scan: &Scan,
        codes: &HuffmanCodes,
        at: [usize; 2],
        bits: &mut Bits<'_>,
    ) -> Result<(), Damage> {
        for part in &scan.parts {
            let component = &mut self.components[part.component];
            let n_blocks = if scan.parts.len() == 1 { 1 } else { component.sampling.iter().product() };
            for _ in 0..n_blocks {
                match (self.is_progressive, scan.first, scan.is_refining) {
                    (false, ..) => baseline(codes.get(0, part.dc)?, codes.get(1, part.ac)?, bits)?,
                    (true, 0, true) => drop(bits.take(1)?),
                    (true, 0, false) => difference(codes.get(0, part.dc)?, bits)?,
                    _ => {
                        let block = component.nonzero.get_mut(at[1] * component.across + at[0]).ok_or(CUT)?;
                        let band = Band { code: codes.get(1, part.ac)?, last: scan.last };
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
    pub(super) fn note(&mut self, scan: &Scan) {
        for part in &scan.parts {
            self.components[part.component].lowest[scan.first..=scan.last].fill(scan.lowest);
        }
    }

    /// That no coefficient is missing.
    pub(super) fn finish(self) -> Result<(), Damage> {
        match self.components.iter().all(|component| component.lowest == [0; 64]) {
            true => Ok(()),
            false => Err("scans are missing at its end".into()),
        }
    }
}

/// A scan's header.
pub(super) struct Scan {
    parts: Vec<ScanComponent>,
    /// First and last coefficient, in zigzag order.
    first: usize,
    last: usize,
    is_refining: bool,
    lowest: u8,
}

#[derive(Clone, Copy)]
struct ScanComponent {
    component: usize,
    dc: usize,
    ac: usize,
}

impl Scan {
    /// From its header; nothing if that is damaged.
    pub(super) fn new(header: &[u8], frame: &JpegFrame) -> Option<Self> {
        let (&n, rest) = header.split_first()?;
        let (parts, rest) = rest.split_at_checked(2 * usize::from(n))?;
        let part = |two: &[u8]| {
            let component = frame.components.iter().position(|component| component.id == two[0])?;
            let [dc, ac] = [two[1] >> 4, two[1] & 15].map(usize::from);
            (dc < 4 && ac < 4).then_some(ScanComponent { component, dc, ac })
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
