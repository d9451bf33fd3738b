//! Matrix Market coordinate files. The entry in row i, column j is `A[i][j]`: the edge from node j to node i.
//!
//! Every stored entry is one edge, whatever the symmetry: a symmetric file with value v at (i, j) is the undirected graph
//! whose `Au[i][j]` is v, as is a general file with that one entry. Symmetric and skew-symmetric files store the lower
//! triangle, i > j, so there each edge runs from the lower node to the higher one, with the weight as it is stored; the
//! mirrored entry, v or −v, is not an edge.
//!
//! Nodes are the rows and columns that occur in an entry, in ascending order; nothing is allocated for the others.

use std::io::{BufRead, BufReader};
use std::path::Path;

use super::error::{Error, Failure, Fault};
use super::list::{Edge, EdgeList, check_weight, weight};
use crate::graph::NodeId;
use crate::regular;

pub(super) fn read(path: &Path) -> Result<EdgeList, Error> {
    let file = regular::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    let mut lines = MtxLines::new(BufReader::new(file));
    parse(&mut lines).map_err(|failure| failure.in_line(path, lines.number.max(1)))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ValueField {
    Number,
    Pattern,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symmetry {
    General,
    /// Symmetric or skew-symmetric: the lower triangle is stored.
    Lower,
}

pub(super) fn parse(lines: &mut MtxLines<impl BufRead>) -> Result<EdgeList, Failure> {
    let (field, symmetry) = if lines.next()? { banner(&lines.text)? } else { return Err(Fault::Banner.into()) };
    let mut matrix = None;
    while lines.next()? {
        if lines.text.trim().is_empty() || lines.text.starts_with('%') {
            continue;
        }
        match &mut matrix {
            None => matrix = Some(Matrix::sized(&lines.text, field, symmetry)?),
            Some(matrix) => matrix.push(&lines.text)?,
        }
    }
    Ok(matrix.ok_or(Fault::Size)?.finish()?)
}

/// The current line and its number, from 1.
pub(super) struct MtxLines<R> {
    input: R,
    number: u64,
    text: String,
}

impl<R: BufRead> MtxLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, number: 0, text: String::new() }
    }

    fn next(&mut self) -> Result<bool, Failure> {
        self.text.clear();
        let more = self.input.read_line(&mut self.text)? > 0;
        self.number += u64::from(more);
        Ok(more)
    }
}

fn banner(line: &str) -> Result<(ValueField, Symmetry), Fault> {
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
        "real" | "integer" | "double" => ValueField::Number,
        "pattern" => ValueField::Pattern,
        other => return Err(unsupported(other, "`real`, `integer` or `pattern`")),
    };
    let symmetry = match symmetry.as_str() {
        "general" => Symmetry::General,
        "symmetric" | "skew-symmetric" => Symmetry::Lower,
        other => return Err(unsupported(other, "`general`, `symmetric` or `skew-symmetric`")),
    };
    Ok((field, symmetry))
}

struct Matrix {
    field: ValueField,
    symmetry: Symmetry,
    n_nodes: u64,
    /// Entries announced.
    expected: u64,
    /// Between rows and columns as the file numbers them, from 1.
    edges: Vec<Edge>,
}

impl Matrix {
    fn sized(line: &str, field: ValueField, symmetry: Symmetry) -> Result<Self, Fault> {
        let numbers: Option<Vec<u64>> = line.split_whitespace().map(|word| word.parse().ok()).collect();
        let Some(&[n_rows, n_columns, expected]) = numbers.as_deref() else { return Err(Fault::Size) };
        if n_rows != n_columns {
            return Err(Fault::NotSquare(n_rows, n_columns));
        }
        if n_rows >= u64::from(u32::MAX) {
            return Err(Fault::TooManyNodes);
        }
        Ok(Self { field, symmetry, n_nodes: n_rows, expected, edges: Vec::new() })
    }

    fn push(&mut self, line: &str) -> Result<(), Fault> {
        let found = self.edges.len() as u64 + 1;
        if found > self.expected {
            return Err(Fault::Count(found, self.expected));
        }
        let wants = match self.field {
            ValueField::Number => " and a value",
            ValueField::Pattern => "",
        };
        let malformed = || Fault::Entry(wants, self.n_nodes);
        let mut words = line.split_whitespace();
        let mut index = || {
            let index = words.next().and_then(|word| word.parse::<u64>().ok());
            index.filter(|index| (1..=self.n_nodes).contains(index)).ok_or_else(malformed)
        };
        let (row, column) = (index()?, index()?);
        let value = match self.field {
            ValueField::Number => weight(words.next().ok_or_else(malformed)?)?,
            ValueField::Pattern => 1.0,
        };
        if words.next().is_some() {
            return Err(malformed());
        }
        self.add(row, column, value)
    }

    fn add(&mut self, row: u64, column: u64, weight: f64) -> Result<(), Fault> {
        if self.symmetry == Symmetry::Lower && row < column {
            return Err(Fault::Above(row, column));
        }
        if row == column {
            return Err(Fault::Loop(row.to_string()));
        }
        check_weight(weight)?;
        self.edges.push(Edge { source: column as NodeId, target: row as NodeId, weight });
        Ok(())
    }

    fn finish(self) -> Result<EdgeList, Fault> {
        let found = self.edges.len() as u64;
        if found != self.expected {
            return Err(Fault::Count(found, self.expected));
        }
        Ok(EdgeList::of_numbers(self.edges, self.n_nodes))
    }
}
