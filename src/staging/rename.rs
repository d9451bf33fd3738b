//! Renames that replace nothing, or exchange two directories in one step where the system can.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Exchanges two directories; where that is not possible the one at `to` goes to `aside` first.
pub(super) fn exchange(from: &Path, to: &Path, aside: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, from, CWD, to, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    fs::rename(to, aside)?;
    if let Err(error) = fs::rename(from, to) {
        let _ = fs::rename(aside, to);
        return Err(error);
    }
    let _ = fs::remove_dir_all(aside);
    Ok(())
}

/// A rename that replaces nothing; where the system has none, what appears between two instructions is not noticed.
pub(super) fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return Ok(done?),
        }
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Removes a file or directory that nobody needs; what cannot be removed is a left-over.
pub(super) fn remove(path: &Path) {
    let _ = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    };
}

/// What tells a file from all others of its file system, as long as it exists.
pub(super) fn inode(path: &Path) -> Option<u64> {
    fs::symlink_metadata(path).ok().and_then(|found| inode_of(&found))
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
pub(super) fn inode_of(found: &fs::Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(found))
}

#[cfg(not(unix))]
pub(super) fn inode_of(_: &fs::Metadata) -> Option<u64> {
    None
}
