//! Where a table comes from, as its footer states it.

use std::path::Path;

use crate::table::Provenance;

/// Version, the whole command line, the seed if there is one, then the caller's pairs, each key behind `frustration.`:
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

/// The process's command line as a shell would take it, without the program's folder.
fn command_line() -> String {
    let mut words = std::env::args_os();
    let program = words.next().unwrap_or_default();
    let program = Path::new(&program).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
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
    fn words_with_spaces_are_quoted() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("--rows=1..2"), "--rows=1..2");
    }
}
