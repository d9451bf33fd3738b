//! Edge lists as comma-separated text, line by line.

use std::fs::File;
use std::path::Path;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Trim};

use super::error::{Error, Fault};
use super::list::{Columns, EdgeList, weight};

pub(super) fn read(path: &Path) -> Result<EdgeList, Error> {
    let file = File::open(path).map_err(|source| Error::Io { path: path.into(), source })?;
    let reader = ReaderBuilder::new().has_headers(false).trim(Trim::All).from_reader(file);
    let mut list = EdgeList::default();
    fill(reader, &mut list).map_err(|failure| match failure {
        Failure::Line(number, fault) => Error::Line { path: path.into(), unit: "line", number, fault },
        Failure::Csv(source) => match source.kind() {
            ErrorKind::UnequalLengths { pos: Some(pos), expected_len, len } => {
                let fault = Fault::Unequal { found: *len, expected: *expected_len };
                Error::Line { path: path.into(), unit: "line", number: pos.line(), fault }
            }
            _ => Error::Csv { path: path.into(), source },
        },
    })?;
    Ok(list)
}

enum Failure {
    Line(u64, Fault),
    Csv(csv::Error),
}

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        Self::Csv(error)
    }
}

fn fill(mut reader: Reader<File>, list: &mut EdgeList) -> Result<(), Failure> {
    let mut record = StringRecord::new();
    if !reader.read_record(&mut record)? {
        return Ok(());
    }
    let line = |record: &StringRecord| record.position().map_or(0, |position| position.line());
    let columns = Columns::find(record.iter()).map_err(|fault| Failure::Line(line(&record), fault))?;
    if !columns.named && is_edge(&record, &columns) {
        list.notes.push("the first line is taken as an edge, not as column names".into());
        push(list, &record, &columns).map_err(|fault| Failure::Line(line(&record), fault))?;
    } else if !columns.named {
        let names = [Some(columns.source), Some(columns.target), columns.weight];
        let names: Vec<_> = names.into_iter().flatten().map(|column| format!("`{}`", &record[column])).collect();
        list.notes.push(format!("no columns `source` and `target`; taking {} for them", names.join(", ")));
    }
    while reader.read_record(&mut record)? {
        push(list, &record, &columns).map_err(|fault| Failure::Line(line(&record), fault))?;
    }
    Ok(())
}

/// Whether a first line without column names is data: its weight is a number, or, without a weight, both labels are.
fn is_edge(record: &StringRecord, columns: &Columns) -> bool {
    let number = |column: usize| record[column].parse::<f64>().is_ok();
    columns.weight.map_or_else(|| number(columns.source) && number(columns.target), number)
}

fn push(list: &mut EdgeList, record: &StringRecord, columns: &Columns) -> Result<(), Fault> {
    let weight = columns.weight.map_or(Ok(1.0), |column| weight(&record[column]))?;
    list.push(&record[columns.source], &record[columns.target], weight)
}
