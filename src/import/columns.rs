//! Which columns of an edge list are source, target and weight.
//!
//! One rule for text and Parquet. What a [`Choice`] leaves open is recognised by name; what is neither chosen nor recognised
//! is refused, never taken by its place. Only a line without names (of two whole numbers, or of three fields, the last a
//! number) has places.

use super::error::Fault;
use super::shown::Shown;

/// Names of source and target that are recognised, written as [`plain`] does.
const ENDS: [[&str; 2]; 6] =
    [["source", "target"], ["from", "to"], ["src", "dst"], ["u", "v"], ["i", "j"], ["fromnodeid", "tonodeid"]];

/// Names of the weight that are recognised.
const WEIGHTS: [&str; 5] = ["weight", "sign", "polarity", "rating", "w"];

/// What a user says of the columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Source and target.
    pub ends: Option<[String; 2]>,
    /// The weight.
    pub weight: Weight,
    /// Whether the first line of a text file has names.
    pub header: Header,
}

/// Where weights are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// In the column whose name is recognised; every weight is +1 if there is no column besides source and target.
    #[default]
    Recognised,
    /// In these columns: their product, e.g. of a size and a sign.
    Product(Vec<String>),
    /// Nowhere: every weight is +1.
    One,
}

/// What the first line of a text file is. Parquet always has names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Header {
    /// Whatever it clearly is.
    #[default]
    Recognised,
    /// An edge; columns are chosen by their numbers, from 1.
    Absent,
}

/// Positions of source, target and weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EdgeColumns {
    pub source: usize,
    pub target: usize,
    /// Their product is the weight; +1 if there is none.
    pub weights: Vec<usize>,
}

/// What a first line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstLine {
    Names,
    Edge,
}

impl EdgeColumns {
    /// Among columns with names.
    pub(super) fn named<S: AsRef<str>>(names: &[S], choice: &Choice) -> Result<Self, Fault> {
        let ends = match &choice.ends {
            Some([source, target]) => Some([chosen(names, source)?, chosen(names, target)?]),
            None => recognised_ends(names)?,
        };
        let [source, target] = ends.ok_or_else(|| Fault::NoEnds(Shown::of(names)))?;
        let weights = match &choice.weight {
            Weight::One => Vec::new(),
            Weight::Product(columns) => columns.iter().map(|name| chosen(names, name)).collect::<Result<_, _>>()?,
            Weight::Recognised => recognised_weight(names, [source, target])?,
        };
        Self { source, target, weights }.distinct(names)
    }

    /// Among columns without names, which are chosen by number.
    pub(super) fn numbered<S: AsRef<str>>(first: &[S], choice: &Choice) -> Result<Self, Fault> {
        let n = first.len();
        let column = |number: &String| {
            let place = number.parse::<usize>().ok().filter(|number| (1..=n).contains(number));
            place.map(|number| number - 1).ok_or_else(|| Fault::NoSuchNumber(number.clone(), n))
        };
        let unclear = || Fault::Unclear(Shown::of(first));
        let ends = choice.ends.as_ref().map(|[source, target]| Ok([column(source)?, column(target)?])).transpose()?;
        let [source, target] = match ends {
            Some(ends) => ends,
            None if n >= 2 => [0, 1],
            None => return Err(Fault::Fields(n)),
        };
        let weights = match &choice.weight {
            Weight::One => Vec::new(),
            Weight::Product(columns) => columns.iter().map(column).collect::<Result<_, _>>()?,
            Weight::Recognised if n == 2 => Vec::new(),
            Weight::Recognised if n == 3 && ends.is_none() => vec![2],
            Weight::Recognised => return Err(unclear()),
        };
        Self { source, target, weights }.distinct(first)
    }

    /// By the first line of a text file, which may be an edge or names.
    pub(super) fn of_first_line<S: AsRef<str>>(first: &[S], choice: &Choice) -> Result<(Self, FirstLine), Fault> {
        if choice.header == Header::Absent {
            return Ok((Self::numbered(first, choice)?, FirstLine::Edge));
        }
        let is_chosen = choice.ends.is_some();
        let has_ends = recognised_ends(first)?.is_some();
        let has_number = first.iter().any(|field| is_number(field.as_ref()));
        match is_chosen || has_ends && !has_number {
            true => Ok((Self::named(first, choice)?, FirstLine::Names)),
            false if !has_ends && is_edge(first) && !matches!(choice.weight, Weight::Product(_)) => {
                Ok((Self::numbered(first, choice)?, FirstLine::Edge))
            }
            false => Err(Fault::Unclear(Shown::of(first))),
        }
    }

    /// Whether columns have names that say which are source and target.
    pub(super) fn are_named<S: AsRef<str>>(names: &[S], choice: &Choice) -> bool {
        match &choice.ends {
            _ if choice.header == Header::Absent => false,
            Some([source, target]) => chosen(names, source).is_ok() && chosen(names, target).is_ok(),
            None => matches!(recognised_ends(names), Ok(Some(_))),
        }
    }

    /// What a user should know: columns that are not called `source`, `target` and `weight`, and those that are ignored.
    pub(super) fn notes<S: AsRef<str>>(&self, names: &[S], first: FirstLine) -> Vec<String> {
        let used: Vec<_> = [self.source, self.target].into_iter().chain(self.weights.iter().copied()).collect();
        let taken: Vec<_> = used.iter().map(|&column| names[column].as_ref()).collect();
        let ignored: Vec<_> = (0..names.len()).filter(|column| !used.contains(column)).map(|at| &names[at]).collect();
        let mut notes = Vec::new();
        let is_usual = || taken.iter().zip(["source", "target", "weight"]).all(|(a, b)| a.eq_ignore_ascii_case(b));
        let roles = if self.weights.is_empty() { "source and target" } else { "source, target and weight" };
        match first {
            FirstLine::Edge => notes.push(format!("the first line is taken as an edge: {roles} {}", Shown::of(&taken))),
            FirstLine::Names if taken.len() > 3 || !is_usual() => notes.push(format!("{roles}: {}", Shown::of(&taken))),
            FirstLine::Names => (),
        }
        if self.weights.is_empty() {
            notes.push("no weights, each is +1".into());
        }
        if !ignored.is_empty() {
            notes.push(format!("columns that are ignored: {}", Shown::of(&ignored)));
        }
        notes
    }

    /// No column may be two things.
    fn distinct<S: AsRef<str>>(self, names: &[S]) -> Result<Self, Fault> {
        let mut all = vec![self.source, self.target];
        all.extend(&self.weights);
        let twice = (1..all.len()).find(|&at| all[..at].contains(&all[at])).map(|at| all[at]);
        twice.map_or(Ok(self), |column| Err(Fault::ChosenTwice(Shown::of(&names[column..=column]))))
    }
}

/// The one column with that name: written the same, or else but for case.
fn chosen<S: AsRef<str>>(names: &[S], wanted: &str) -> Result<usize, Fault> {
    let same = |name: &str| name == wanted;
    let alike = |name: &str| name.to_lowercase() == wanted.to_lowercase();
    let exact = matching(names, same);
    let found = if exact.is_empty() { matching(names, alike) } else { exact };
    match found[..] {
        [column] => Ok(column),
        [] => Err(Fault::NoSuchColumn(wanted.to_owned(), Shown::of(names))),
        _ => Err(Fault::SameName(wanted.to_owned(), Shown::of(names))),
    }
}

/// The one pair of columns whose names are those of source and target.
fn recognised_ends<S: AsRef<str>>(names: &[S]) -> Result<Option<[usize; 2]>, Fault> {
    let places = |wanted: &str| matching(names, |name| plain(name) == wanted);
    let pairs = ENDS.iter().flat_map(|[source, target]| {
        let targets = places(target);
        places(source)
            .into_iter()
            .flat_map(move |source| targets.clone().into_iter().map(move |target| [source, target]))
    });
    let pairs: Vec<_> = pairs.collect();
    match pairs[..] {
        [] => Ok(None),
        [pair] => Ok(Some(pair)),
        _ => Err(Fault::SeveralEnds(Shown::of(names))),
    }
}

/// The one column whose name is that of a weight; none if there is no other column.
fn recognised_weight<S: AsRef<str>>(names: &[S], ends: [usize; 2]) -> Result<Vec<usize>, Fault> {
    let mut found = matching(names, |name| WEIGHTS.contains(&plain(name).as_str()));
    found.retain(|column| !ends.contains(column));
    match found.len() {
        0 if names.len() > 2 => Err(Fault::NoWeight(Shown::of(names))),
        0 | 1 => Ok(found),
        _ => Err(Fault::SeveralWeights(Shown::of(names))),
    }
}

fn matching<S: AsRef<str>>(names: &[S], is_wanted: impl Fn(&str) -> bool) -> Vec<usize> {
    (0..names.len()).filter(|&column| is_wanted(names[column].as_ref().trim())).collect()
}

/// In lower case, without what separates words.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !" _-.".contains(*c)).flat_map(char::to_lowercase).collect()
}

fn is_number(field: &str) -> bool {
    // `inf` and `nan` are numbers to Rust, and names to people.
    field.parse::<f64>().is_ok() && field.contains(|c: char| c.is_ascii_digit())
}

/// Whether a line without known names is clearly an edge. `0,1,2` may be one, or the names that pandas gives to columns
/// without names.
fn is_edge<S: AsRef<str>>(fields: &[S]) -> bool {
    let is_whole = |field: &S| field.as_ref().parse::<u64>().is_ok();
    match fields {
        [source, target] => is_whole(source) && is_whole(target),
        [zero, one, two] if [zero, one, two].map(AsRef::as_ref) == ["0", "1", "2"] => false,
        [_, _, weight] => is_number(weight.as_ref()),
        _ => false,
    }
}
