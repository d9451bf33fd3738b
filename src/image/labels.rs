//! Classes of images, from a CSV file.

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, StringRecord, Trim};

use super::error::Error;
use crate::regular;

/// One line.
#[derive(Debug, PartialEq)]
pub(super) struct LabelRow {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Which image: the cell below `file` or `index`.
    pub image: String,
    /// Its class, if the cell is not empty.
    pub class: Option<u32>,
}

/// A file of labels.
#[derive(Debug)]
pub(super) struct Labels {
    path: PathBuf,
    /// Lines in the order of the file.
    pub rows: Vec<LabelRow>,
}

impl Labels {
    /// Reads the columns `key` (`file` or `index`) and `class_index`, or without that `label`, which must then be numbers.
    ///
    /// # Errors
    /// [`Error::Columns`] if it has not these columns, others if it is damaged.
    pub(super) fn read(path: &Path, key: &'static str) -> Result<Self, Error> {
        let malformed = |source: csv::Error| match source.is_io_error() {
            true => Error::Io { path: path.into(), source: source.into() },
            false => Error::Csv { path: path.into(), source },
        };
        let file = regular::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
        let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
        let names = reader.headers().map_err(malformed)?.clone();
        let column = |wanted: &str| names.iter().position(|name| name == wanted);
        let columns = |found| Error::Columns { path: path.into(), found, key };
        let all = || names.iter().collect::<Vec<_>>().join(",");
        let image = column(key).ok_or_else(|| columns(format!("columns {}", all())))?;
        let named = column("class_index");
        let class = named.or_else(|| column("label")).ok_or_else(|| columns(format!("columns {}", all())))?;
        let mut labels = Self { path: path.into(), rows: Vec::new() };
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(malformed)? {
            let line = record.position().map_or(0, csv::Position::line);
            let class = match &record[class] {
                "" => None,
                text => match (text.parse(), named) {
                    (Ok(class), _) => Some(class),
                    (Err(_), Some(_)) => {
                        return Err(labels.fault(line, format!("class_index `{text}`"), "a number".into()));
                    }
                    (Err(_), None) => return Err(columns(format!("label `{text}`, which is no number"))),
                },
            };
            labels.rows.push(LabelRow { line, image: record[image].into(), class });
        }
        Ok(labels)
    }

    /// Notes the line of a row as the one that lists `image`, which no earlier line may do.
    pub(super) fn note(&self, row: &LabelRow, line_of: &mut Option<u64>, image: &str) -> Result<(), Error> {
        match line_of.replace(row.line) {
            None => Ok(()),
            Some(earlier) => {
                Err(self.fault(row.line, format!("{image} again"), format!("it once, as in line {earlier}")))
            }
        }
    }

    /// What is wrong with a line.
    pub(super) fn fault(&self, line: u64, found: String, expected: String) -> Error {
        Error::Label { path: self.path.clone(), line, found, expected }
    }
}
