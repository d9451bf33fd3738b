//! JPEG and PNG files become pixels of 8 bits.
//!
//! The content decides which format it is, not the name. Alpha is dropped, palettes are looked up, 16 bits lose their
//! lower 8, CMYK becomes RGB, RGB becomes grey as ITU-R 601-2 luma where the network takes one channel: all as Pillow does.
//! EXIF orientation and colour profiles are ignored, as torchvision ignores them.

use std::io::Cursor;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::jpeg;
use crate::contained;

/// Images with more pixels are not decoded: 64 Mi pixels take 192 MiB.
pub(super) const MAX_PIXELS: u64 = 1 << 26;
/// Longer sides are not decoded; JPEG has none.
const MAX_SIDE: u64 = u16::MAX as u64;

/// An image in memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    /// Pixels in a row, at least 1.
    pub width: usize,
    /// Rows, at least 1.
    pub height: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// `[y][x][channel]`.
    pub pixels: Vec<u8>,
}

/// Why bytes are no image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Another kind of file.
    #[error("is neither JPEG nor PNG by its first bytes; convert it, or move it elsewhere")]
    Kind,
    /// Damaged JPEG.
    #[error("is no intact JPEG; replace it: {0}")]
    Jpeg(String),
    /// Damaged PNG.
    #[error("is no intact PNG; replace it: {0}")]
    Png(String),
    /// An image that would not fit memory.
    #[error(
        "has {width} × {height} pixels, expected at most {MAX_PIXELS} and sides up to {MAX_SIDE}; make it smaller first"
    )]
    Large {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
    },
}

/// Decodes a file to 1 or 3 channels.
///
/// # Errors
/// If it is damaged, too large or something else. Its header is looked at before memory is taken.
pub(super) fn decode(bytes: &[u8], channels: usize) -> Result<Picture, Fault> {
    let picture = match bytes {
        [0xff, 0xd8, ..] => contained::run(|| jpeg(bytes)).map_err(|panic| Fault::Jpeg(panic.to_string()))??,
        [0x89, b'P', b'N', b'G', ..] => {
            contained::run(|| png(bytes)).map_err(|panic| Fault::Png(panic.to_string()))??
        }
        _ => return Err(Fault::Kind),
    };
    Ok(with_channels(picture, channels))
}

fn jpeg(bytes: &[u8]) -> Result<Picture, Fault> {
    let fault = |error: zune_jpeg::errors::DecodeErrors| Fault::Jpeg(error.to_string());
    let side = MAX_SIDE as usize;
    let options = DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(fault)?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    check_size(width as u64, height as u64)?;
    let grey = matches!(decoder.input_colorspace(), Some(ColorSpace::Luma));
    let space = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    jpeg::check(bytes).map_err(Fault::Jpeg)?;
    let pixels = decoder.decode().map_err(fault)?;
    picture(width, height, pixels)
        .ok_or_else(|| Fault::Jpeg(format!("unknown colours: {:?}", decoder.input_colorspace())))
}

fn png(bytes: &[u8]) -> Result<Picture, Fault> {
    let limits = png::Limits { bytes: 8 * MAX_PIXELS as usize };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
    let header = decoder.read_header_info()?;
    let (width, height) = (header.width as usize, header.height as usize);
    check_size(width as u64, height as u64)?;
    // Deflate makes 1032 bytes from one at most.
    let bits = width as u64 * height as u64 * header.bits_per_pixel() as u64;
    if bits / 8 / 1032 > bytes.len() as u64 {
        return Err(Fault::Png(format!("{} bytes cannot hold {width} × {height} pixels", bytes.len())));
    }
    let mut reader = decoder.read_info()?;
    let (colour, _) = reader.output_color_type();
    let mut pixels = vec![0; width * height * colour.samples()];
    reader.next_frame(&mut pixels)?;
    reader.finish()?;
    if matches!(colour, png::ColorType::GrayscaleAlpha | png::ColorType::Rgba) {
        let (all, kept) = (colour.samples(), colour.samples() - 1);
        pixels = pixels.chunks_exact(all).flat_map(|pixel| &pixel[..kept]).copied().collect();
    }
    picture(width, height, pixels).ok_or(Fault::Kind)
}

impl From<png::DecodingError> for Fault {
    fn from(error: png::DecodingError) -> Self {
        Self::Png(error.to_string())
    }
}

fn check_size(width: u64, height: u64) -> Result<(), Fault> {
    let fits = width * height <= MAX_PIXELS && width.max(height) <= MAX_SIDE;
    if fits { Ok(()) } else { Err(Fault::Large { width, height }) }
}

/// A picture of 1 or 3 channels, whichever there are bytes for.
fn picture(width: usize, height: usize, pixels: Vec<u8>) -> Option<Picture> {
    let channels =
        [1, 3].into_iter().find(|channels| width * height * channels == pixels.len() && width * height > 0)?;
    Some(Picture { width, height, channels, pixels })
}

/// Grey repeated, or colours summed to luma with Pillow's weights, in units of 2⁻¹⁶.
fn with_channels(picture: Picture, channels: usize) -> Picture {
    let Picture { pixels, .. } = &picture;
    let pixels = match (picture.channels, channels) {
        (1, 3) => pixels.iter().flat_map(|&grey| [grey; 3]).collect(),
        (3, 1) => pixels.chunks_exact(3).map(luma).collect(),
        _ => return picture,
    };
    Picture { channels, pixels, ..picture }
}

fn luma(pixel: &[u8]) -> u8 {
    let weighted: u32 = pixel.iter().zip([19595, 38470, 7471]).map(|(&value, weight)| u32::from(value) * weight).sum();
    ((weighted + 0x8000) >> 16) as u8
}
