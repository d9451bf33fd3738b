//! Output files: opened before the long work, complete or absent after it.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::builder::{PathBufValueParser, TypedValueParser};
use tempfile::NamedTempFile;

use super::flags::Force;
use crate::staging;
use crate::staging::temporary::{self, Locked};
use crate::staging::together::{self, Staged};
use crate::table::{Provenance, Sink, TableRow};

/// A file that appears under its name only when [`commit`](Output::commit)ted.
///
/// Until then the bytes go to a hidden file beside it whose name ends in `.tmp`, so that a program that reads every
/// `*.parquet` of a folder does not meet half a table. Dropping an `Output` removes that file, and creating one those that
/// killed processes have left.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    temp: Locked<NamedTempFile>,
    force: Force,
}

impl Output {
    /// Opens an output, so that a bad path fails before any work is done.
    ///
    /// # Errors
    /// If `path` exists (unless `--force`, and then if it is not a regular file), or if its folder does not exist or
    /// cannot be written to.
    pub fn create(path: &Path, force: Force) -> anyhow::Result<Self> {
        let name = path.file_name().with_context(|| format!("{} is not a file name", path.display()))?;
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() => bail!("{} exists and is not a regular file", path.display()),
            Ok(_) if !force.force => bail!("{} exists; --force replaces it", path.display()),
            Err(_) if path.is_symlink() && !force.force => {
                bail!("{} exists, as a link that leads nowhere; --force replaces it", path.display())
            }
            _ => {}
        }
        let folder = folder(path)?;
        let temp = temporary::file(folder, name);
        let temp = temp.with_context(|| format!("cannot write to the folder of {}", path.display()))?;
        Ok(Self { path: path.to_owned(), temp, force })
    }

    /// Where the file will be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the file, gives it its name and syncs that.
    ///
    /// # Errors
    /// If the storage fails, or if the path came into existence meanwhile and `--force` was not given.
    pub fn commit(self) -> anyhow::Result<()> {
        commit(vec![self.stage()?])
    }

    /// Syncs the file, which is then to get its name by [`commit`].
    ///
    /// # Errors
    /// If the storage fails.
    pub(crate) fn stage(self) -> anyhow::Result<Staged> {
        let Self { path, temp, force } = self;
        Staged::file(temp, path.clone(), force.force).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Gives files and directories their names, all together: a run that is killed leaves those that were there before, or new
/// ones that the next run in that folder finishes.
///
/// # Errors
/// If the storage fails, or if something that may not be replaced came into existence meanwhile.
pub(crate) fn commit(staged: Vec<Staged>) -> anyhow::Result<()> {
    Ok(together::commit(&staged)?)
}

/// What a run may replace: with `--force` every one of its outputs, otherwise those of a run that was killed while they got
/// their names.
#[derive(Debug)]
pub struct Replaceable {
    force: Force,
    finished: Vec<PathBuf>,
}

impl Replaceable {
    /// Finishes what killed runs have left in the folder of the first output.
    pub fn beside(path: &Path, force: Force) -> Self {
        let finished = folder(path).map(together::finish).unwrap_or_default();
        Self { force, finished }
    }

    /// Whether this output may be replaced.
    pub fn force(&self, path: &Path) -> Force {
        let place = |path: &Path| Some((folder(path).ok()?.canonicalize().ok()?, path.file_name()?.to_owned()));
        let path = place(path);
        let is_own = || path.is_some() && self.finished.iter().any(|finished| place(finished) == path);
        Force { force: self.force.force || is_own() }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temp.item.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.item.as_file_mut().flush()
    }
}

impl io::Seek for Output {
    fn seek(&mut self, position: io::SeekFrom) -> io::Result<u64> {
        self.temp.item.as_file_mut().seek(position)
    }
}

/// Writes a whole table and gives it its name.
///
/// # Errors
/// If the storage fails, or as [`Output::commit`].
pub fn write_rows<R: TableRow>(out: Output, provenance: &Provenance, rows: &[R]) -> anyhow::Result<()> {
    commit(vec![stage_rows(out, provenance, [rows])?])
}

/// Writes a whole table, some rows at a time, which is then to get its name by [`commit`].
///
/// # Errors
/// If the storage fails.
pub(crate) fn stage_rows<R: TableRow, B: AsRef<[R]>>(
    out: Output,
    provenance: &Provenance,
    batches: impl IntoIterator<Item = B>,
) -> anyhow::Result<Staged> {
    let path = out.path().to_owned();
    let context = || format!("cannot write {}", path.display());
    let mut sink = Sink::new(out, provenance).with_context(context)?;
    for rows in batches {
        sink.append(rows.as_ref()).with_context(context)?;
    }
    sink.finish().with_context(context)?.stage()
}

/// Parses the path of an output file, whose name must end in `.<suffix>`: other programs go by the name, and what is written
/// does not.
pub fn file(suffix: &'static str) -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(move |path| {
        let is_named = path.extension().is_some_and(|found| found.eq_ignore_ascii_case(suffix));
        let stem = path.file_stem().filter(|stem| *stem != "-").unwrap_or_else(|| OsStr::new("out"));
        let better = path.with_file_name([stem, OsStr::new("."), OsStr::new(suffix)].into_iter().collect::<OsString>());
        if is_named { Ok(path) } else { Err(format!("its name must end in .{suffix}, e.g. {}", better.display())) }
    })
}

/// Parses the path of an output directory; `-` is no stdout here.
pub fn directory() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str() == "-" {
        true => Err("a directory is written, which needs a name; ./- for this one"),
        false => Ok(path),
    })
}

/// `<FILE>.<name>` for `<FILE>.parquet`, or whatever `path` ends in.
pub fn beside(path: &Path, name: &str) -> PathBuf {
    let mut file = path.file_stem().unwrap_or_default().to_owned();
    file.push(".");
    file.push(name);
    path.with_file_name(file)
}

/// The folder that will hold `path`, which must exist.
///
/// # Errors
/// If it is no folder.
pub fn folder(path: &Path) -> anyhow::Result<&Path> {
    let folder = staging::parent(path);
    if !folder.is_dir() {
        bail!("{}: the folder {} does not exist", path.display(), folder.display());
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORCE: Force = Force { force: true };
    const KEEP: Force = Force { force: false };

    #[test]
    fn a_file_appears_only_when_committed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.parquet");
        let mut out = Output::create(&path, KEEP).unwrap();
        out.write_all(b"abc").unwrap();
        let names = || std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
        assert!(names().iter().all(|name| name.to_str().unwrap().ends_with(".tmp")));
        out.commit().unwrap();
        assert_eq!(names(), ["x.parquet"]);
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");

        assert!(Output::create(&path, KEEP).unwrap_err().to_string().contains("--force"));
        drop(Output::create(&path, FORCE).unwrap());
        assert_eq!(names(), ["x.parquet"]);
        Output::create(&path, FORCE).unwrap().commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn an_output_that_is_being_written_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let (mut one, mut two) = (Output::create(&path, FORCE).unwrap(), Output::create(&path, FORCE).unwrap());
        one.write_all(b"one").unwrap();
        two.write_all(b"two").unwrap();
        one.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        two.commit().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
    }

    #[test]
    fn files_are_called_what_they_are() {
        let parse = |name: &str| {
            let command = clap::Command::new("x").arg(clap::Arg::new("o").short('o').value_parser(file("parquet")));
            command.try_get_matches_from(["x", "-o", name]).map_err(|error| error.to_string())
        };
        for good in ["a.parquet", "b/a.b.PARQUET"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        let wrong =
            [("a.csv", "e.g. a.parquet"), ("-", "e.g. out.parquet"), ("b/a", "e.g. b/a.parquet"), (".parquet", "")];
        for (name, better) in wrong {
            assert!(parse(name).unwrap_err().contains(better), "{name}");
        }
    }

    #[test]
    fn a_bad_path_fails_at_once() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Output::create(&dir.path().join("no/x"), KEEP).is_err());
        assert!(Output::create(dir.path(), FORCE).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_nowhere_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::os::unix::fs::symlink("none", &path).unwrap();
        assert!(Output::create(&path, KEEP).unwrap_err().to_string().contains("a link that leads nowhere"));
        Output::create(&path, FORCE).unwrap().commit().unwrap();
        assert!(path.symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn a_file_made_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let out = Output::create(&path, KEEP).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert!(out.commit().is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
