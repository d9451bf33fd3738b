//! What is wrong with a command line that is declared right.

use std::ffi::OsStr;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// Tips that are further from what was typed mislead.
const FARTHEST: usize = 2;

/// Refuses flags that are given where nothing uses them.
pub(super) fn check(cli: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some((name, matches)) = matches.subcommand() else { return Ok(()) };
    let command = cli.find_subcommand_mut(name).expect("it was parsed");
    // Matches know in debug builds alone which flags there are.
    let exists = |id: &str| command.get_arguments().any(|argument| argument.get_id() == id);
    let is_given = |id: &str| exists(id) && matches.value_source(id) == Some(ValueSource::CommandLine);
    let method = exists("method").then(|| matches.get_raw("method")?.next()?.to_str()).flatten();
    let message = match method {
        Some(method) if method != "anneal" && is_given("sweeps") => {
            format!("--sweeps is for --method anneal, whose schedule it is; {method} has none")
        }
        _ if exists("init") && is_given("seed") && !is_given("init") => {
            "--seed is for --init; trained parameters have none".to_owned()
        }
        _ => match input_that_is_output(command, matches) {
            Some(flag) => format!("--output is the file of {flag}, which it would replace; choose another name"),
            None => return Ok(()),
        },
    };
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

/// The flag, or the name of the argument, that names the same file as `--output`, if that exists.
fn input_that_is_output(command: &Command, matches: &ArgMatches) -> Option<String> {
    let values = |id: &str| matches.get_raw(id).into_iter().flatten();
    let is_argument = |id: &str| command.get_arguments().any(|argument| argument.get_id() == id);
    let output = is_argument("output").then(|| values("output").next()).flatten()?;
    let output = std::fs::canonicalize(output).ok()?;
    let is_same = |value: &OsStr| std::fs::canonicalize(value).is_ok_and(|path| path == output);
    let inputs = command.get_arguments().filter(|argument| argument.get_id() != "output");
    let mut clashing = inputs.filter(|argument| values(argument.get_id().as_str()).any(is_same));
    clashing.next().map(|argument| match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.get_id().as_str().to_uppercase(),
    })
}

/// Takes away tips that mislead: flags that are spelled otherwise, and that a flag could be a value.
pub(super) fn without_far_tips(mut usage: clap::Error) -> clap::Error {
    let text = |kind| match usage.get(kind) {
        Some(ContextValue::String(text)) => Some(text.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let tip = text(ContextKind::InvalidArg).zip(text(ContextKind::SuggestedArg));
    if tip.is_some_and(|(given, tip)| distance(&given, &tip) > FARTHEST) {
        usage.remove(ContextKind::SuggestedArg);
    }
    usage.remove(ContextKind::TrailingArg);
    usage
}

/// Levenshtein's distance, by characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.chars().collect();
    let mut row: Vec<_> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.iter().enumerate() {
            let least = (diagonal + usize::from(a != *b)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], least);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances_count_characters_that_differ() {
        for (a, b, expected) in [("sweep", "sweeps", 1), ("format", "force", 3), ("", "ab", 2), ("seed", "seed", 0)] {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
