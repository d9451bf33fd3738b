//! Names of what is not finished yet: `.NAME.XXXXXX.tmp` is what will be called `NAME`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry, File};
use std::io;
use std::path::Path;

/// What a temporary name ends in.
pub(crate) const TEMPORARY: &str = ".tmp";
/// What the name of a directory that was set aside ends in.
pub(crate) const OLD: &str = ".old";
/// Random characters in the name.
pub(super) const RANDOM: usize = 6;

/// Makes the names in a folder durable, where folders can be synced.
///
/// # Errors
/// If the storage fails.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => File::open(folder)?.sync_all(),
        false => Ok(()),
    }
}

/// What is called `.NAME.XXXXXX<suffix>` in `folder`.
pub(super) fn entries(folder: &Path, name: &OsStr, suffix: &str) -> impl Iterator<Item = DirEntry> {
    let prefix = prefix(name);
    let is_meant = move |entry: &DirEntry| is_temporary(&entry.file_name(), &prefix, suffix);
    fs::read_dir(folder).into_iter().flatten().flatten().filter(is_meant)
}

/// `.NAME.`
pub(super) fn prefix(name: &OsStr) -> OsString {
    [OsStr::new("."), name, OsStr::new(".")].into_iter().collect()
}

/// Whether a name is prefix, random characters, suffix: `.a.b.XXXXXX.tmp` is temporary for `a.b`, not for `a`.
fn is_temporary(name: &OsStr, prefix: &OsStr, suffix: &str) -> bool {
    let name = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
    let random = name.and_then(|rest| rest.strip_suffix(suffix.as_bytes()));
    random.is_some_and(is_random)
}

/// Whether these can be the random characters of a name.
pub(super) fn is_random(random: &[u8]) -> bool {
    random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
}

/// The folder that holds what has this path.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
