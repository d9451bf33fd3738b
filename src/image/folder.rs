//! Folders of image files, perhaps with one level of subfolders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::decode::decode;
use super::error::Error;
use super::recipe::Recipe;
use crate::regular;

/// Endings of image files, lower case; files with other endings are not looked at.
const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];
/// Longer files are not read.
const MAX_BYTES: u64 = 1 << 28;

/// The image files of a folder.
#[derive(Debug)]
pub(super) struct ImageFolder {
    path: PathBuf,
    /// Names relative to the folder, with `/` between folders.
    pub names: Vec<String>,
}

impl ImageFolder {
    /// Lists a folder and its subfolders, without hidden files, sorted by name, byte by byte.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut names = Vec::new();
        for (name, kind) in entries(path)? {
            if kind.is_dir() {
                let inner = entries(&path.join(&name))?.into_iter().filter(|(_, kind)| !kind.is_dir());
                names.extend(inner.map(|(file, _)| format!("{name}/{file}")));
            } else {
                names.push(name);
            }
        }
        names.retain(|name| is_image(name));
        names.sort_unstable();
        if names.is_empty() {
            let found = "no image in the folder or its subfolders".into();
            let expected = format!("files that end in {}", ENDINGS.map(|ending| format!(".{ending}")).join(", "));
            return Err(Error::Unfit { path: path.into(), found, expected });
        }
        Ok(Self { path: path.into(), names })
    }

    /// Where each file is in `names`.
    pub(super) fn places(&self) -> HashMap<&str, usize> {
        self.names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect()
    }

    /// The network's input.
    pub(super) fn load(&self, name: &str, recipe: &Recipe) -> Result<Vec<f32>, Error> {
        let path = self.path.join(name);
        let bytes = read(&path)?;
        let picture = decode(&bytes, recipe.shape.c).map_err(|fault| Error::Image { path: path.clone(), fault })?;
        recipe.input(picture).map_err(|(found, expected)| Error::Unfit { path, found, expected })
    }
}

/// Names and kinds of what is in a folder, hidden files left out. Links are followed; those that lead nowhere are left out.
fn entries(folder: &Path) -> Result<Vec<(String, std::fs::FileType)>, Error> {
    let io = |source| Error::Io { path: folder.into(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let Ok(kind) = std::fs::metadata(entry.path()) else { continue };
        match entry.file_name().into_string() {
            Ok(name) if !name.starts_with('.') => found.push((name, kind.file_type())),
            Err(name) if is_image(&name.to_string_lossy()) => {
                let found = "a name that is not UTF-8".into();
                return Err(Error::Unfit { path: folder.join(name), found, expected: "one that is; rename it".into() });
            }
            _ => {}
        }
    }
    Ok(found)
}

fn is_image(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = regular::read(path, MAX_BYTES).map_err(|source| Error::Io { path: path.into(), source })?;
    if bytes.is_empty() {
        return Err(Error::Unfit { path: path.into(), found: "an empty file".into(), expected: "an image".into() });
    }
    Ok(bytes)
}
