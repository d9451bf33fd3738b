//! How the energies of a table were searched, as its footer states it under `frustration.search`: all that decides how good
//! they are, defaults included, as JSON.

use std::path::Path;

use crate::spin::Effort;
use crate::table::Provenance;

const KEY: &str = "search";

/// What the footer of a table says of the search.
pub(super) fn footer(effort: &Effort) -> (&'static str, String) {
    (KEY, serde_json::to_string(effort).expect("a search is names and numbers"))
}

/// What the footer of a table says, if it was written by this version, and not by another program from such tables.
fn read(footer: &Provenance) -> Option<Effort> {
    serde_json::from_str(footer.get(KEY)?).ok()
}

/// What keeps tables from being compared.
pub(super) struct Differences {
    /// Sentences without their end, one for each table that was searched in another way than the first.
    pub different: Vec<String>,
    /// The tables that do not say how.
    pub unknown: Vec<String>,
}

/// Compares the searches of tables.
pub(super) fn differences<'a>(tables: impl Iterator<Item = (&'a Path, &'a Provenance)>) -> Differences {
    let (known, unknown): (Vec<_>, Vec<_>) =
        tables.map(|(path, footer)| (path.display(), read(footer))).partition(|(_, effort)| effort.is_some());
    let known: Vec<_> = known.into_iter().filter_map(|(path, effort)| Some((path, effort?))).collect();
    let sentence = |(path, effort): &(_, Effort)| {
        let (first, expected) = known.first().filter(|(_, expected)| !effort.is_comparable(expected))?;
        Some(format!("{path} was searched by {effort}, {first} by {expected}"))
    };
    let different = known.iter().filter_map(sentence).collect();
    Differences { different, unknown: unknown.into_iter().map(|(path, _)| path.to_string()).collect() }
}
