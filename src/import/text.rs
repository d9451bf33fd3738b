//! Edge lists as text, line by line: fields separated by commas, semicolons, tabs or spaces, which the first line tells.
//!
//! - Lines in front of everything else that begin with `#` or `%` are comments, as in the files of SNAP and KONECT. If the
//!   last of them has the names of the columns, they hold; so does what the first says of the format of KONECT.
//! - A field may be in double quotes, in which a doubled quote is one, and ends on the line on which it begins: an edge list
//!   has no text of several lines, and a quote that is not closed would swallow edges.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::columns::{Choice, EdgeColumns, FirstLine};
use super::error::{Error, Failure, Fault};
use super::list::{EdgeList, weight};
use crate::regular;

/// Reads an edge list whose fields are separated by the first of `order` that its first line has, otherwise by blanks.
pub(super) fn read(path: &Path, choice: &Choice, order: &[Separator]) -> Result<EdgeList, Error> {
    let file = regular::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    let mut lines = TextLines { reader: BufReader::new(file), number: 0, line: Vec::new() };
    let mut list = EdgeList::default();
    fill(&mut lines, choice, order, &mut list).map_err(|failure| failure.in_line(path, lines.number))?;
    Ok(list)
}

/// What is between two fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Char(char),
    /// Any blanks, also in front of the first field.
    Blanks,
}

/// Separators of `.csv`, in the order of preference.
pub(super) const CSV: [Separator; 3] = [Separator::Char(','), Separator::Char(';'), Separator::Char('\t')];
/// Of other text.
pub(super) const TEXT: [Separator; 3] = [Separator::Char('\t'), Separator::Char(','), Separator::Char(';')];

fn fill(
    lines: &mut TextLines<impl BufRead>,
    choice: &Choice,
    order: &[Separator],
    list: &mut EdgeList,
) -> Result<(), Failure> {
    let Some((comments, first)) = comments(lines)? else {
        return Ok(());
    };
    let separator = Separator::of(&first, order);
    let fields = separator.split(&first)?;
    let n_fields = fields.len();
    let Dialect { columns, first, notes } = Dialect::find(&comments, &fields, separator, choice)?;
    comments.note(list);
    list.notes.extend(notes);
    if first == FirstLine::Edge {
        push(list, &fields, &columns)?;
    }
    while let Some(line) = lines.next()? {
        if line.trim().is_empty() {
            continue;
        }
        let fields = separator.split(line)?;
        if fields.len() != n_fields {
            return Err(Fault::Unequal(fields.len(), n_fields).into());
        }
        push(list, &fields, &columns)?;
    }
    Ok(())
}

fn push(list: &mut EdgeList, fields: &[Cow<'_, str>], columns: &EdgeColumns) -> Result<(), Fault> {
    let mut product = 1.0;
    for &column in &columns.weights {
        product *= weight(&fields[column])?;
    }
    list.push(&fields[columns.source], &fields[columns.target], product)
}

/// The lines in front of all others that begin with `#` or `%`.
#[derive(Default)]
struct Comments {
    n: u64,
    first: String,
    last: String,
}

/// Comments, and the first line that is none; `None` if there is no such line.
fn comments(lines: &mut TextLines<impl BufRead>) -> Result<Option<(Comments, String)>, Failure> {
    let mut comments = Comments::default();
    while let Some(line) = lines.next()? {
        let line = line.trim_end();
        if line.starts_with(['#', '%']) {
            if comments.n == 0 {
                line.clone_into(&mut comments.first);
            }
            comments.n += 1;
            line.clone_into(&mut comments.last);
        } else if !line.trim().is_empty() {
            let line = line.to_owned();
            return Ok(Some((comments, line)));
        }
    }
    Ok(None)
}

impl Comments {
    /// The names of columns in the last one, if it has as many fields as an edge and they are understood.
    fn names(&self, n_fields: usize, separator: Separator, choice: &Choice) -> Option<Vec<String>> {
        let text = self.last.trim_start_matches(['#', '%']).trim();
        let names = separator.split(text).ok()?;
        let is_header = names.len() == n_fields && EdgeColumns::are_named(&names, choice);
        is_header.then(|| names.into_iter().map(Cow::into_owned).collect())
    }

    /// Whether the first one is that of KONECT: `% sym signed`. Columns are then source, target, weight and time. In networks of
    /// two sides, `bip`, the sides are numbered each by itself.
    fn konect(&self) -> Result<bool, Fault> {
        let mut words = self.first.strip_prefix('%').unwrap_or_default().split_whitespace();
        let (structure, kind) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let is_kind = ["unweighted", "positive", "posweighted", "signed", "multisigned", "weighted", "multiweighted"]
            .contains(&kind)
            || ["dynamic", "multiposweighted"].contains(&kind);
        match structure {
            "sym" | "asym" => Ok(is_kind),
            "bip" if is_kind => Err(Fault::Bipartite),
            _ => Ok(false),
        }
    }

    fn note(&self, list: &mut EdgeList) {
        if self.n > 0 {
            list.notes.push(format!("lines at the beginning that are comments (# or %): {}", self.n));
        }
    }
}

/// How the lines are to be understood.
struct Dialect {
    columns: EdgeColumns,
    first: FirstLine,
    notes: Vec<String>,
}

impl Dialect {
    fn find(
        comments: &Comments,
        fields: &[Cow<'_, str>],
        separator: Separator,
        choice: &Choice,
    ) -> Result<Self, Fault> {
        let (columns, first, names) = match comments.names(fields.len(), separator, choice) {
            Some(names) => (EdgeColumns::named(&names, choice)?, FirstLine::Edge, Some(names)),
            None if *choice == Choice::default() && comments.konect()? && fields.len() >= 2 => {
                let weights = if fields.len() > 2 { vec![2] } else { Vec::new() };
                (EdgeColumns { source: 0, target: 1, weights }, FirstLine::Edge, None)
            }
            None => {
                let (columns, first) = EdgeColumns::of_first_line(fields, choice)?;
                (columns, first, None)
            }
        };
        let notes = match names {
            Some(names) => columns.notes(&names, FirstLine::Names),
            None => columns.notes(fields, first),
        };
        Ok(Self { columns, first, notes })
    }
}

impl Separator {
    /// The first that occurs in a line, otherwise blanks.
    fn of(line: &str, order: &[Self]) -> Self {
        let occurs = |separator: &&Self| matches!(separator, Self::Char(c) if line.contains(*c));
        *order.iter().find(occurs).unwrap_or(&Self::Blanks)
    }

    fn is(self, c: char) -> bool {
        match self {
            Self::Char(separator) => c == separator,
            Self::Blanks => c.is_whitespace(),
        }
    }

    /// The fields of a line, without blanks around them.
    fn split(self, line: &str) -> Result<Vec<Cow<'_, str>>, Fault> {
        let is_blank = |c: char| c.is_whitespace() && (self == Self::Blanks || !self.is(c));
        let (mut fields, mut rest) = (Vec::new(), line);
        if self == Self::Blanks {
            rest = rest.trim();
        }
        loop {
            rest = rest.trim_start_matches(is_blank);
            let after = match rest.strip_prefix('"') {
                Some(quoted) => {
                    let (field, after) = unquoted(quoted)?;
                    fields.push(field);
                    if self == Self::Blanks { after } else { after.trim_start_matches(is_blank) }
                }
                None => {
                    let end = rest.find(|c| self.is(c)).unwrap_or(rest.len());
                    fields.push(rest[..end].trim_end().into());
                    &rest[end..]
                }
            };
            if after.is_empty() {
                return Ok(fields);
            }
            rest = after.strip_prefix(|c| self.is(c)).ok_or(Fault::AfterQuote)?;
        }
    }
}

/// What is in quotes, given what follows the first; and what follows the second.
fn unquoted(text: &str) -> Result<(Cow<'_, str>, &str), Fault> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find('"').ok_or(Fault::OpenQuote)?;
        if text[at + 1..].starts_with('"') {
            from = at + 2;
            continue;
        }
        let field = text[..at].trim();
        let field = if field.contains('"') { field.replace("\"\"", "\"").into() } else { field.into() };
        return Ok((field, &text[at + 1..]));
    }
}

/// A file, line by line; they end in LF, CR LF or CR.
struct TextLines<R> {
    reader: R,
    /// Of the line last read, from 1.
    number: u64,
    line: Vec<u8>,
}

/// No edge takes more bytes.
const LINE: usize = 1 << 24;

impl<R: BufRead> TextLines<R> {
    fn next(&mut self) -> Result<Option<&str>, Failure> {
        let is_first = self.number == 0;
        self.number += 1;
        self.line.clear();
        if !self.read()? {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.line).map_err(|_| Fault::NotUtf8)?;
        // Excel begins a file with a byte order mark.
        Ok(Some(if is_first { text.trim_start_matches('\u{feff}') } else { text }))
    }

    /// Reads a line, without its end; false at the end of the file.
    fn read(&mut self) -> Result<bool, Failure> {
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok(!self.line.is_empty());
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            let (n, is_return) = (end.map_or(bytes.len(), |end| end + 1), end.is_some_and(|end| bytes[end] == b'\r'));
            self.reader.consume(n);
            if is_return && self.reader.fill_buf()?.first() == Some(&b'\n') {
                self.reader.consume(1);
            }
            if self.line.len() > LINE {
                return Err(Fault::LongLine(LINE).into());
            }
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}
