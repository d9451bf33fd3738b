//! Which images, and how they become inputs: the flags that `active`, `forward`, `images` and `perturb` share.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::flags::Quiet;
use crate::image::{Images, Preprocess};
use crate::net::Shape;
use crate::regular;

/// Longer files of preprocessing are not read.
const MAX_TOML: u64 = 1 << 20;

/// `--images`, `--labels`, `--preprocess`, `--limit`
#[derive(Clone, Debug, clap::Args)]
pub struct ImageArgs {
    /// Folder of JPEG and PNG files, perhaps in one level of subfolders, or one .npy file of tensors, N x C x H x W.
    ///
    /// Their order is that of `labels.csv`, or else by file name, byte by byte.
    #[arg(long, value_name = "PATH")]
    pub images: PathBuf,
    /// Classes of the images: columns `file` (for tensors `index`) and `class_index`, or `label` if it is a number.
    /// `labels.csv` beside the images is found without this flag. Files that it does not list are left out.
    #[arg(long, value_name = "CSV")]
    pub labels: Option<PathBuf>,
    /// What the network was trained on: none, imagenet, caffe, squeezenet1_1-caffe, cifar10, matlab, or a file (see
    /// docs/images.md). Tensors need none.
    #[arg(long, value_name = "NAME|FILE.toml")]
    pub preprocess: Option<String>,
    /// Only the first N images.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

impl ImageArgs {
    /// Opens the images for a network with input `shape`, and says what is odd about them.
    ///
    /// # Errors
    /// If there are none, or they do not fit the network.
    pub fn open(&self, shape: Shape, quiet: Quiet) -> anyhow::Result<Images> {
        let preprocess = self.preprocess()?;
        let mut images = Images::open(&self.images, self.labels.as_deref(), preprocess, shape)?;
        if let Some(limit) = self.limit {
            images.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        }
        for warning in images.warnings() {
            super::note(quiet, format_args!("warning: {warning}"));
        }
        Ok(images)
    }

    /// Everything that decides the inputs of a run with that many images.
    pub fn identity(&self, n_images: usize) -> String {
        let preprocess = self.preprocess.as_deref().unwrap_or("none");
        format!("{n_images} images of {}, preprocessing {preprocess}", self.images.display())
    }

    /// What the flag says, for the footer of a table.
    ///
    /// # Errors
    /// If it names neither a preset nor a sound file, or is missing where it must not be.
    pub fn preprocess(&self) -> anyhow::Result<Preprocess> {
        let names = || Preprocess::NAMES.join(", ");
        let Some(name) = &self.preprocess else {
            if !self.images.is_dir() {
                return Ok(Preprocess::default());
            }
            bail!("files of images need --preprocess: one of {}, or a file", names());
        };
        if let Some(preset) = Preprocess::named(name) {
            return Ok(preset);
        }
        if !Path::new(name).exists() {
            bail!("--preprocess {name} is neither a file nor one of {}", names());
        }
        let text = regular::read_text(Path::new(name), MAX_TOML).with_context(|| format!("cannot read {name}"))?;
        Preprocess::from_toml(&text).with_context(|| name.clone())
    }
}
