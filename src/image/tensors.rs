//! Inputs that are tensors already: one `.npy` file N × C × H × W.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::recipe::Recipe;
use crate::net::Shape;
use crate::npy;
use crate::regular;

/// A file of tensors. Only one image at a time is in memory.
#[derive(Debug)]
pub(super) struct Tensors {
    path: PathBuf,
    /// Bytes of an element: 1 of an integer, 4 or 8 of a float.
    element_bytes: usize,
    /// Where the first element is in the file.
    data_at: u64,
    /// Images in the file.
    pub n_images: usize,
}

impl Tensors {
    /// Reads the header and compares it with the length of the file and the network's input.
    pub(super) fn open(path: &Path, shape: Shape) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.into(), source };
        let mut file = regular::open(path).map_err(io)?;
        let header = npy::read_header(&mut file).map_err(|fault| Error::Npy { path: path.into(), fault })?;
        let bytes = file.metadata().map_err(io)?.len();
        let unfit = |(found, expected)| Error::Unfit { path: path.into(), found, expected };
        let element_bytes = element_bytes(&header).map_err(unfit)?;
        let n_images = n_images(&header, shape).map_err(unfit)?;
        let n_bytes = n_images.checked_mul(shape.len() as u64).and_then(|n| n.checked_mul(element_bytes as u64));
        if n_bytes.and_then(|n| n.checked_add(header.data_at)) != Some(bytes) {
            let found = format!("{bytes} bytes for an array of shape {} and type {}", axes(&header), header.descr);
            let size = n_bytes.map_or("more than 2^64".into(), |n| n.to_string());
            let expected = format!("{size} behind a header of {}; write the file again", header.data_at);
            return Err(unfit((found, expected)));
        }
        // As many bytes as a file has are a number of images that fits usize.
        Ok(Self { path: path.into(), element_bytes, data_at: header.data_at, n_images: n_images as usize })
    }

    /// One image, channels-last.
    ///
    /// # Panics
    /// If there is no such image.
    pub(super) fn load(&self, index: usize, recipe: &Recipe) -> Result<Vec<f32>, Error> {
        assert!(index < self.n_images, "image {index} of {}", self.n_images);
        let shape = recipe.shape;
        let io = |source| Error::Io { path: self.path.clone(), source };
        let size = self.element_bytes;
        let mut bytes = vec![0; shape.len() * size];
        let mut file = regular::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(self.data_at + index as u64 * bytes.len() as u64)).map_err(io)?;
        file.read_exact(&mut bytes).map_err(io)?;
        let plane = shape.h * shape.w;
        let mut input = vec![0.0; shape.len()];
        for (at, input) in input.iter_mut().enumerate() {
            let (pixel, channel) = (at / shape.c, at % shape.c);
            let from = (recipe.source_channel(channel) * plane + pixel) * size;
            let element = element(&bytes[from..from + size]);
            *input = recipe.value(element, channel);
            if !input.is_finite() {
                let (y, x) = (pixel / shape.w, pixel % shape.w);
                let found =
                    format!("image {index} has {element} in channel {}, row {y}, column {x}", from / size / plane);
                let expected = "finite values of single precision".into();
                return Err(Error::Unfit { path: self.path.clone(), found, expected });
            }
        }
        Ok(input)
    }
}

/// An element from its bytes.
fn element(bytes: &[u8]) -> f64 {
    match *bytes {
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => f64::from(bytes[0]),
    }
}

/// The bytes of an element, or what was found and what expected.
fn element_bytes(header: &npy::Header) -> Result<usize, (String, String)> {
    let bytes = match header.descr.as_str() {
        "|u1" | "<u1" | "=u1" | "u1" => 1,
        "<f4" => 4,
        "<f8" => 8,
        other => {
            let found = format!("elements of type {other}");
            return Err((found, "<f4, <f8 or |u1; save array.astype('<f4')".into()));
        }
    };
    match header.fortran_order {
        true => Err(("the first axis varies fastest".into(), "C order; save numpy.ascontiguousarray(array)".into())),
        false => Ok(bytes),
    }
}

/// The number of images, or what was found and what expected.
fn n_images(header: &npy::Header, shape: Shape) -> Result<u64, (String, String)> {
    let [c, h, w] = [shape.c, shape.h, shape.w].map(|n| n as u64);
    let advice = match header.shape[..] {
        [n, ..] if header.shape[1..] == [c, h, w] && n > 0 => return Ok(n),
        [_, ..] if header.shape[1..] == [h, w, c] => "; save array.transpose(0, 3, 1, 2)",
        _ if header.shape == [c, h, w] => "; save array[None]",
        _ => "",
    };
    let found = format!("an array of shape {}", axes(header));
    Err((found, format!("N×{shape} for the network's input, N at least 1{advice}")))
}

fn axes(header: &npy::Header) -> String {
    let axes: Vec<_> = header.shape.iter().map(u64::to_string).collect();
    if axes.is_empty() { "()".into() } else { axes.join("×") }
}
