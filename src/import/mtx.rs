//! Matrix Market coordinate files. Row i, column j is `A[i][j]`: the edge from node j to node i.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::error::{Error, Fault};
use super::list::{EdgeList, weight};

pub(super) fn read(path: &Path) -> Result<EdgeList, Error> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    parse(BufReader::new(file)).map_err(|failure| match failure {
        Failure::Io(source) => Error::Io { path: path.into(), source },
        Failure::Line(number, fault) => Error::Line { path: path.into(), unit: "line", number, fault },
    })
}

#[derive(Debug)]
pub(super) enum Failure {
    Io(std::io::Error),
    Line(u64, Fault),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Number,
    Pattern,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symmetry {
    General,
    Symmetric,
    Skew,
}

pub(super) fn parse(mut input: impl BufRead) -> Result<EdgeList, Failure> {
    let mut lines = Lines { number: 0, text: String::new() };
    let banner = if lines.next(&mut input)? { banner(&lines.text) } else { Err(Fault::Banner) };
    let (field, symmetry) = lines.located(banner)?;
    let mut matrix = None;
    while lines.next(&mut input)? {
        if lines.text.trim().is_empty() || lines.text.starts_with('%') {
            continue;
        }
        match &mut matrix {
            None => matrix = Some(lines.located(Matrix::sized(&lines.text, field, symmetry))?),
            Some(matrix) => lines.located(matrix.push(&lines.text))?,
        }
    }
    let matrix = lines.located(matrix.ok_or(Fault::Size))?;
    lines.located(matrix.finish())
}

/// The current line and its number, from 1.
struct Lines {
    number: u64,
    text: String,
}

impl Lines {
    fn next(&mut self, input: &mut impl BufRead) -> Result<bool, Failure> {
        self.text.clear();
        let more = input.read_line(&mut self.text).map_err(Failure::Io)? > 0;
        self.number += u64::from(more);
        Ok(more)
    }

    fn located<T>(&self, result: Result<T, Fault>) -> Result<T, Failure> {
        result.map_err(|fault| Failure::Line(self.number.max(1), fault))
    }
}

fn banner(line: &str) -> Result<(Field, Symmetry), Fault> {
    let words: Vec<_> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
    let [magic, object, format, field, symmetry] = &words[..] else { return Err(Fault::Banner) };
    if magic != "%%matrixmarket" || object != "matrix" {
        return Err(Fault::Banner);
    }
    let unsupported = |word: &str, expected| Fault::Unsupported(word.to_owned(), expected);
    if format != "coordinate" {
        return Err(unsupported(format, "`coordinate`"));
    }
    let field = match field.as_str() {
        "real" | "integer" | "double" => Field::Number,
        "pattern" => Field::Pattern,
        other => return Err(unsupported(other, "`real`, `integer` or `pattern`")),
    };
    let symmetry = match symmetry.as_str() {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        "skew-symmetric" => Symmetry::Skew,
        other => return Err(unsupported(other, "`general`, `symmetric` or `skew-symmetric`")),
    };
    Ok((field, symmetry))
}

struct Matrix {
    field: Field,
    symmetry: Symmetry,
    n_nodes: u64,
    expected: u64,
    found: u64,
    list: EdgeList,
}

impl Matrix {
    fn sized(line: &str, field: Field, symmetry: Symmetry) -> Result<Self, Fault> {
        let numbers: Option<Vec<u64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
        let Some(&[n_rows, n_columns, expected]) = numbers.as_deref() else { return Err(Fault::Size) };
        if n_rows != n_columns {
            return Err(Fault::NotSquare(n_rows, n_columns));
        }
        let n_nodes = u32::try_from(n_rows).ok().filter(|&n| n < u32::MAX).ok_or(Fault::TooManyNodes)?;
        let list = EdgeList::numbered(n_nodes);
        Ok(Self { field, symmetry, n_nodes: n_rows, expected, found: 0, list })
    }

    fn push(&mut self, line: &str) -> Result<(), Fault> {
        self.found += 1;
        if self.found > self.expected {
            return Err(Fault::Count { found: self.found, expected: self.expected });
        }
        let wants = match self.field {
            Field::Number => " and a value",
            Field::Pattern => "",
        };
        let malformed = || Fault::Entry(wants, self.n_nodes);
        let mut words = line.split_whitespace();
        let mut index = || {
            let index = words.next().and_then(|word| word.parse::<u64>().ok());
            index.filter(|index| (1..=self.n_nodes).contains(index)).ok_or_else(malformed)
        };
        let (row, column) = (index()?, index()?);
        let value = match self.field {
            Field::Number => weight(words.next().ok_or_else(malformed)?)?,
            Field::Pattern => 1.0,
        };
        if words.next().is_some() {
            return Err(malformed());
        }
        self.add(row, column, value)
    }

    /// A symmetric file stores one half of the matrix; the other half is the same matrix's.
    fn add(&mut self, row: u64, column: u64, value: f64) -> Result<(), Fault> {
        let (target, source) = ((row - 1) as u32, (column - 1) as u32);
        if self.symmetry != Symmetry::General && row < column {
            return Err(Fault::Above(row, column));
        }
        self.list.push_numbered(source, target, value)?;
        match self.symmetry {
            Symmetry::General => Ok(()),
            Symmetry::Symmetric => self.list.push_numbered(target, source, value),
            Symmetry::Skew => self.list.push_numbered(target, source, -value),
        }
    }

    fn finish(self) -> Result<EdgeList, Fault> {
        match self.found == self.expected {
            true => Ok(self.list),
            false => Err(Fault::Count { found: self.found, expected: self.expected }),
        }
    }
}
