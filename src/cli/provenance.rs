//! Where a table comes from, as its footer states it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory as _};
use sha2::{Digest as _, Sha256};

use crate::regular;
use crate::table::{FOOTER_KEYS, Provenance};

/// Version and git revision, as `--version` and the tables state it.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("FRUSTRATION_REVISION"), ")");

/// Version, the command line as far as it decides the result, the seed if there is one, then the caller's pairs, each key behind `frustration.`:
/// `provenance(Some(7), &[("graph", fingerprint)])`.
pub fn provenance(seed: Option<u64>, pairs: &[(&str, String)]) -> Provenance {
    let mut all = Provenance::default();
    all.push("version", VERSION);
    all.push("arguments", command_line());
    if let Some(seed) = seed {
        all.push("seed", seed.to_string());
    }
    for (key, value) in pairs {
        debug_assert!(FOOTER_KEYS.iter().any(|(known, ..)| known == key), "docs/tables.md does not have {key}");
        all.push(key, value.as_str());
    }
    all
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// If it cannot be read.
pub(super) fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    let read = regular::open(path).and_then(|mut file| std::io::copy(&mut file, &mut Updates(&mut hasher)));
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Those of several files, with a space between.
///
/// # Errors
/// If one cannot be read.
pub(super) fn sha256_of_all(paths: &[PathBuf]) -> anyhow::Result<String> {
    Ok(paths.iter().map(|path| sha256(path)).collect::<anyhow::Result<Vec<_>>>()?.join(" "))
}

/// A hasher as a writer.
struct Updates<'a>(&'a mut Sha256);

impl std::io::Write for Updates<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Flags of all subcommands that do not change what is computed.
const NOT_DECIDING: [&str; 10] =
    ["checkpoint_every", "force", "keep", "memory", "output", "quiet", "resume", "threads", "timing", "repeats"];

/// The process's command line as a shell would take it, in the order of declaration, without the flags above and without
/// what is said and would be so anyway: equal runs state equal command lines. Empty if the process is another program.
fn command_line() -> String {
    // A circle: each subcommand states the command line in its tables, and all of them together declare it.
    let mut cli = super::Cli::command();
    let matches = cli.try_get_matches_from_mut(std::env::args_os());
    matches.map_or(String::new(), |matches| deciding(&cli, &matches))
}

fn deciding(cli: &Command, matches: &ArgMatches) -> String {
    let Some((name, matches)) = matches.subcommand() else { return String::new() };
    let mut words = vec![cli.get_name().to_owned(), name.to_owned()];
    let arguments = cli.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
    // Positional ones first.
    let (positional, flags): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.is_positional());
    for argument in positional.into_iter().chain(flags) {
        let id = argument.get_id().as_str();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        if is_given && !NOT_DECIDING.contains(&id) {
            words.extend(said(argument, matches));
        }
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The words of an argument that was given; none if they are its default.
fn said(argument: &Arg, matches: &ArgMatches) -> Vec<String> {
    let id = argument.get_id().as_str();
    let flag = stated_name(argument).map(|name| format!("--{name}"));
    if !argument.get_action().takes_values() {
        return flag.into_iter().collect();
    }
    let text = |value: &OsStr| value.to_string_lossy().into_owned();
    let values: Vec<_> = matches.get_raw(id).into_iter().flatten().map(text).collect();
    let defaults = argument.get_default_values().iter().map(|value| text(value)).collect::<Vec<_>>();
    match !defaults.is_empty() && values.join(",") == defaults.join(",") {
        true => Vec::new(),
        false => values.into_iter().flat_map(|value| flag.clone().into_iter().chain([value])).collect(),
    }
}

/// What a flag is called in tables: by its first name, if it was renamed and keeps the old one as an alias. So tables stay the
/// same, and a run that was begun under the old name is recognised.
fn stated_name(argument: &Arg) -> Option<&str> {
    argument.get_all_aliases().and_then(|aliases| aliases.first().copied()).or(argument.get_long())
}

/// A word in single quotes, unless it is plain.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_=+./,:@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_prefixed_and_in_order() {
        let pairs = provenance(Some(7), &[("graph", "abc".into())]);
        let keys: Vec<_> = pairs.pairs().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["frustration.version", "frustration.arguments", "frustration.seed", "frustration.graph"]);
    }

    fn stated(line: &str) -> String {
        let mut cli = super::super::Cli::command();
        let matches = cli.try_get_matches_from_mut(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        deciding(&cli, &matches)
    }

    #[test]
    fn equal_runs_state_equal_command_lines() {
        let expected = "pipeline solve g --method anneal --seed 3";
        for line in [
            "pipeline solve g --seed 3 --method=anneal -o x.parquet",
            "pipeline solve -o x.parquet g --seed 3 --quiet --method=anneal --replicas 80",
            "pipeline solve g --output x.parquet --seed 3 --method=anneal --threads=2 --timing --sweeps 100",
            "pipeline solve --output=x.parquet g --seed 3 -q --method=anneal --resume --checkpoint-every 0",
            "pipeline solve --force --threads 2 g -ox.parquet --seed=3 --memory 8GiB --method anneal",
            "pipeline solve -qo x.parquet --method anneal --random-flips 1000000 --seed 3 -- g",
        ] {
            assert_eq!(stated(line), expected, "{line}");
        }
        let perturb = "pipeline perturb g --images i -o o.parquet";
        let said = format!("{perturb} --seed 0 --method anneal --cases real,n3,random-direction");
        assert_eq!(stated(&said), stated(perturb));
        assert_eq!(
            stated(&format!("{perturb} --cases n3 --method sweep")),
            format!("pipeline perturb g --images i --cases n3 --method sweep")
        );
        let compare = "pipeline compare --real r --null a --null b -o s.parquet --allow-different-search";
        assert_eq!(stated(compare), "pipeline compare --real r --null a --null b --allow-different-search");
    }

    #[test]
    fn a_renamed_flag_keeps_its_name_in_tables() {
        let expected = "pipeline null g --kind n1 --shard 2/4";
        for name in ["part", "shard"] {
            assert_eq!(stated(&format!("pipeline null g -o x.parquet --kind n1 --{name} 2/4")), expected);
            assert_eq!(
                stated(&format!("pipeline null g -o x.parquet --kind n1 --{name}=1/1")),
                expected[..expected.len() - 12]
            );
        }
    }

    #[test]
    fn every_flag_that_is_left_out_is_declared() {
        let cli = super::super::Cli::command();
        let ids: Vec<_> = cli.get_subcommands().flat_map(Command::get_arguments).map(Arg::get_id).collect();
        assert!(NOT_DECIDING.iter().all(|name| ids.iter().any(|id| id.as_str() == *name)));
    }

    #[test]
    fn words_with_spaces_are_quoted() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("--rows=1..2"), "--rows=1..2");
    }

    #[test]
    fn hashes_are_those_of_other_tools() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(sha256(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
