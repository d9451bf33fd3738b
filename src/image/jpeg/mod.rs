//! Whether a JPEG holds its whole image.
//!
//! Decoders go on behind the end of a scan, with zeros: a file that was cut short and got its end marker back becomes a
//! photograph that is half grey. So every scan is walked here, code by code, before it is decoded: each segment between
//! restart markers must hold its blocks, and all scans together every coefficient. What follows the end marker is not
//! looked at.
//!
//! Baseline and progressive files with Huffman codes; the others are left to the decoder, which refuses them.
//! Time: about a fifth of decoding. Source: ITU-T T.81, annexes B, F and G.

mod coefficients;
mod frame;
mod huffman;

use frame::{JpegFrame, Scan};
use huffman::{Bits, CUT, Damage, HuffmanCodes};

/// Checks all bytes of a file, up to its end marker.
pub(super) fn check(bytes: &[u8]) -> Result<(), Damage> {
    let mut walk = JpegWalk { rest: bytes.get(2..).unwrap_or_default(), ..JpegWalk::default() };
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
                            Some(JpegFrame::new(segment, marker == 0xc2, bytes.len()).ok_or("a damaged frame header")?)
                    }
                    0xc4 => walk.codes.define(segment).ok_or("damaged Huffman codes")?,
                    0xdd => walk.interval = segment.first_chunk().map(|&n| u16::from_be_bytes(n)).ok_or(CUT)?.into(),
                    0xda => walk.scan(segment)?,
                    _ => {}
                }
            }
        }
    }
}

/// What has been seen of a file, and what is left of it.
#[derive(Default)]
struct JpegWalk<'a> {
    rest: &'a [u8],
    codes: HuffmanCodes,
    frame: Option<JpegFrame>,
    /// Units between restart markers, 0 if there are none.
    interval: usize,
}

impl<'a> JpegWalk<'a> {
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
                frame.unit(&scan, &self.codes, [unit % across, unit / across], &mut bits)?;
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

#[cfg(test)]
mod tests {
    use super::check;

    const FILES: [(&str, &[u8]); 7] = [
        ("baseline", include_bytes!("../../../fixtures/images/baseline.jpg")),
        ("subsampled", include_bytes!("../../../fixtures/images/subsampled.jpg")),
        ("progressive", include_bytes!("../../../fixtures/images/progressive.jpg")),
        ("restarts", include_bytes!("../../../fixtures/images/restarts.jpg")),
        ("rotated", include_bytes!("../../../fixtures/images/rotated.jpg")),
        ("cmyk", include_bytes!("../../../fixtures/images/cmyk.jpg")),
        ("grey", include_bytes!("../../../fixtures/images/grey.jpg")),
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
