//! Where a table comes from, as its footer states it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::regular;
use crate::table::Provenance;

/// Version, the command line as far as it decides the result, the seed if there is one, then the caller's pairs, each key behind `frustration.`:
/// `provenance(Some(7), &[("graph", fingerprint)])`.
pub fn provenance(seed: Option<u64>, pairs: &[(&str, String)]) -> Provenance {
    let mut all = Provenance::default();
    all.push("version", super::VERSION);
    all.push("arguments", command_line());
    if let Some(seed) = seed {
        all.push("seed", seed.to_string());
    }
    for (key, value) in pairs {
        all.push(key, value.as_str());
    }
    all
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// If it cannot be read.
pub fn sha256(path: &Path) -> anyhow::Result<String> {
    let mut hasher = Sha256::new();
    let read = regular::open(path).and_then(|mut file| std::io::copy(&mut file, &mut Updates(&mut hasher)));
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Those of several files, with a space between.
///
/// # Errors
/// If one cannot be read.
pub fn sha256_of_all(paths: &[PathBuf]) -> anyhow::Result<String> {
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

/// Flags of all subcommands that do not change what is computed, and that take a value.
const VALUED: [&str; 6] = ["--checkpoint-every", "--keep", "--memory", "--output", "--threads", "-o"];
/// Those that take none.
const PLAIN: [&str; 5] = ["--force", "--quiet", "--resume", "--timing", "-q"];

/// The process's command line as a shell would take it, without the program's folder and the flags above.
fn command_line() -> String {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let words = deciding(words.map(|word| word.to_string_lossy().into_owned()));
    std::iter::once(program).chain(words.iter().map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
}

/// The words without the flags above and their values, so that equal runs state equal command lines.
fn deciding(mut words: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        // `-qo FILE` is `-q -o FILE`.
        let rest = word.strip_prefix("-q").filter(|rest| !rest.is_empty());
        let word = rest.map(|rest| format!("-{rest}")).unwrap_or(word);
        let has_value = |flag: &&str| {
            let value = word.strip_prefix(flag);
            value.is_some_and(|value| value.starts_with('=') || !(flag.starts_with("--") || value.is_empty()))
        };
        if word == "--" {
            kept.push(word);
            kept.extend(words);
            break;
        } else if VALUED.contains(&word.as_str()) {
            words.next();
        } else if !PLAIN.contains(&word.as_str()) && !VALUED.iter().any(has_value) {
            kept.push(word);
        }
    }
    kept
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

    #[test]
    fn flags_that_do_not_change_the_result_are_left_out() {
        let kept = |line: &str| deciding(line.split(' ').map(str::to_owned)).join(" ");
        let expected = "solve g --seed 3 --method=anneal";
        for line in [
            "solve g --seed 3 --method=anneal",
            "solve g -o x.parquet --seed 3 --quiet --method=anneal",
            "solve g --output x.parquet --seed 3 --method=anneal --threads=2 --timing",
            "solve --output=x.parquet g --seed 3 -q --method=anneal --resume --checkpoint-every 0",
            "--force solve --threads 2 g -ox.parquet --seed 3 --memory 8GiB --method=anneal",
            "solve -o=x.parquet g --seed 3 --checkpoint-every=0 --method=anneal --memory=8GiB",
            "solve -qo x.parquet g -qox --seed 3 --method=anneal -qo=x -o",
        ] {
            assert_eq!(kept(line), expected, "{line}");
        }
        assert_eq!(kept("solve --outputs x --threads-9 -- -o --quiet"), "solve --outputs x --threads-9 -- -o --quiet");
    }

    #[test]
    fn every_flag_that_is_left_out_is_declared_as_it_is_parsed() {
        let cli = <super::super::Cli as clap::CommandFactory>::command();
        let name = |flag: &str| flag.trim_start_matches('-').to_owned();
        let (valued, plain) = (VALUED.map(name), PLAIN.map(name));
        for argument in cli.get_subcommands().flat_map(|command| command.get_arguments()) {
            let names = [argument.get_long().map(str::to_owned), argument.get_short().map(String::from)];
            for name in names.into_iter().flatten() {
                let takes_value = argument.get_action().takes_values();
                assert!(!valued.contains(&name) || takes_value, "{name}");
                assert!(!plain.contains(&name) || !takes_value, "{name}");
            }
        }
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
