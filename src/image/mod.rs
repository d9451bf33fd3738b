//! Images on disk become inputs of a network.
//!
//! [`Images`] is a folder of JPEG and PNG files, or one `.npy` file of tensors N × C × H × W, in a fixed order;
//! [`Preprocess`] says what happens to the pixels.
//!
//! # Order and labels
//! Files are sorted by their names relative to the folder, byte by byte; one level of subfolders is searched. Tensors are
//! in the order of the file. A CSV file of labels has a column `file` (the same relative names, `/` between folders) or,
//! for tensors, `index` (from 0), and a column `class_index`, or `label` if it is a number. If it has `file`, the images are
//! those that it lists, in its order. Nothing else is taken as a class: not the names of subfolders.
//!
//! # Exactness
//! Everything behind the decoder is as in Pillow and torchvision, resizing to the bit. Decoders of JPEG round differently:
//! on 500 photographs the pixels of these inputs and of Pillow's differ by 0.2 of 255 in the mean and by 9 at most.
//!
//! Memory: one image at a time and thread. Source of the conventions: `torchvision.transforms`, Pillow's `Image.convert`
//! and `Image.resize`.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::net::Shape;

mod decode;
mod error;
mod folder;
mod fuzz;
mod jpeg;
mod labels;
mod preprocess;
mod recipe;
mod resize;
mod tensors;

pub use decode::Fault;
pub use error::Error;
pub use fuzz::fuzz_image;
pub use preprocess::{Channels, Crop, Interpolation, Preprocess, Resize};

use folder::ImageFolder;
use labels::Labels;
use recipe::Recipe;
use tensors::Tensors;

/// What is looked for beside the images.
const LABELS: &str = "labels.csv";

/// Images for a network, in a fixed order. Only those asked for are in memory.
#[derive(Debug)]
pub struct Images {
    source: ImageSource,
    recipe: Recipe,
    images: Vec<Image>,
    warnings: Vec<String>,
}

#[derive(Debug)]
enum ImageSource {
    Files(ImageFolder),
    Tensors(Tensors),
}

/// One image of a set.
#[derive(Debug)]
struct Image {
    name: String,
    label: Option<u32>,
}

impl Images {
    /// Opens a set of images for a network with input `shape`. Reads no pixel yet.
    ///
    /// Without `labels` a file `labels.csv` beside the images is taken, if it has the columns that are needed.
    ///
    /// # Errors
    /// If there is no image, preprocessing or tensors do not fit the network, or the labels do not fit the images.
    pub fn open(path: &Path, labels: Option<&Path>, preprocess: Preprocess, shape: Shape) -> Result<Self, Error> {
        let recipe = Recipe::new(preprocess, shape)?;
        let mut warnings = Vec::new();
        let metadata = std::fs::metadata(path).map_err(|source| Error::Io { path: path.into(), source })?;
        let (source, images) = if metadata.is_dir() {
            recipe.check_images()?;
            let folder = ImageFolder::open(path)?;
            let labels = find_labels(path, labels, "file", &mut warnings)?;
            let images = labelled_files(&folder, labels, &mut warnings)?;
            (ImageSource::Files(folder), images)
        } else {
            recipe.check_tensors()?;
            let tensors = Tensors::open(path, shape)?;
            let labels = find_labels(path.parent().unwrap_or(Path::new("")), labels, "index", &mut warnings)?;
            let images = labelled_tensors(tensors.n_images, labels)?;
            (ImageSource::Tensors(tensors), images)
        };
        Ok(Self { source, recipe, images, warnings })
    }

    /// Number of images, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a set without images cannot be opened")]
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Keeps the first `n` images only, or all if there are fewer.
    pub fn truncate(&mut self, n: usize) {
        self.images.truncate(n);
    }

    /// File name relative to the folder, with `/` between folders; for tensors the index.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn name(&self, index: usize) -> &str {
        &self.images[index].name
    }

    /// Index of the image's class among the network's outputs, if known.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn label(&self, index: usize) -> Option<u32> {
        self.images[index].label
    }

    /// Shape of the network's input.
    pub fn shape(&self) -> Shape {
        self.recipe.shape
    }

    /// What a person should know, one line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The network's input: `shape.len()` values, channels-last (`(y · w + x) · c + channel`), all finite.
    ///
    /// # Errors
    /// If the image cannot be read.
    ///
    /// # Panics
    /// If there is no such image.
    pub fn load(&self, index: usize) -> Result<Vec<f32>, Error> {
        assert!(index < self.len(), "image {index} of {}", self.len());
        match &self.source {
            ImageSource::Files(folder) => folder.load(self.name(index), &self.recipe),
            ImageSource::Tensors(tensors) => tensors.load(index, &self.recipe),
        }
    }

    /// Up to `L` inputs side by side, `[element][lane]`: lane `i` holds image `indices[i]`, unused lanes are zero. Images are
    /// read in parallel.
    ///
    /// # Errors
    /// If an image cannot be read: the error of the first such in `indices`.
    ///
    /// # Panics
    /// If there is no such image, or there are too many.
    pub fn lanes<const L: usize>(&self, indices: &[usize]) -> Result<Vec<[f32; L]>, Error> {
        assert!(indices.len() <= L, "{} images for {L} lanes", indices.len());
        let inputs: Vec<_> = indices.par_iter().map(|&index| self.load(index)).collect();
        let mut lanes = vec![[0.0; L]; self.shape().len()];
        for (lane, input) in inputs.into_iter().enumerate() {
            for (element, value) in lanes.iter_mut().zip(input?) {
                element[lane] = value;
            }
        }
        Ok(lanes)
    }
}

/// The labels that were asked for, or those beside the images if they are of use.
fn find_labels(
    folder: &Path,
    asked: Option<&Path>,
    key: &'static str,
    warnings: &mut Vec<String>,
) -> Result<Option<Labels>, Error> {
    let beside: PathBuf = folder.join(LABELS);
    // A link to nowhere is there.
    let is_missing = || beside.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    match asked {
        Some(path) => Labels::read(path, key).map(Some),
        None => match Labels::read(&beside, key) {
            Err(Error::Io { .. }) if is_missing() => Ok(None),
            Err(unfit @ Error::Columns { .. }) => {
                warnings.push(format!("{unfit}; going on without labels"));
                Ok(None)
            }
            read => read.map(Some),
        },
    }
}

/// The files that the labels list, in their order; all files without labels.
fn labelled_files(
    folder: &ImageFolder,
    labels: Option<Labels>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Image>, Error> {
    let Some(labels) = labels else {
        return Ok(folder.names.iter().map(|name| Image { name: name.clone(), label: None }).collect());
    };
    let places = folder.places();
    let mut line_of = vec![None; folder.names.len()];
    let mut images = Vec::new();
    for row in &labels.rows {
        let Some(&place) = places.get(row.image.as_str()) else {
            let expected = "the name of a JPEG or PNG file, relative to the folder of images; remove the line".into();
            return Err(labels.fault(row.line, format!("file `{}`, which is not there", row.image), expected));
        };
        labels.note(row, &mut line_of[place], &format!("`{}`", row.image))?;
        images.push(Image { name: row.image.clone(), label: row.class });
    }
    if images.is_empty() {
        return Err(labels.fault(1, "no image is listed".into(), "one line per image".into()));
    }
    let left_out = folder.names.len() - images.len();
    if left_out > 0 {
        warnings.push(format!("{left_out} of {} images are left out: the labels do not list them", folder.names.len()));
    }
    Ok(images)
}

/// All tensors, with the labels there are.
fn labelled_tensors(n_images: usize, labels: Option<Labels>) -> Result<Vec<Image>, Error> {
    let mut images: Vec<_> = (0..n_images).map(|index| Image { name: index.to_string(), label: None }).collect();
    let Some(labels) = labels else { return Ok(images) };
    let mut line_of = vec![None; n_images];
    for row in &labels.rows {
        let Some(index) = row.image.parse::<usize>().ok().filter(|&index| index < n_images) else {
            let expected = format!("a number from 0 to {}: there are {n_images} tensors", n_images - 1);
            return Err(labels.fault(row.line, format!("index `{}`", row.image), expected));
        };
        labels.note(row, &mut line_of[index], &format!("index {index}"))?;
        images[index].label = row.class;
    }
    Ok(images)
}

#[cfg(test)]
mod tests;
