//! The notation in which [`tables`](super::tables) are declared: everything about a column stands in one line, and the
//! struct with its documentation, the [`Schema`](super::Schema), the writer and the reader are made of that.
//!
//! ```text
//! table! {
//!     NodeRow: "nodes", "one node of an imported graph", "import-graph" writes "DIR.nodes.parquet" {
//!         graph;                                                       a column that several tables share
//!         node: i64, "number of the node, from 0";                     a column of this table alone
//!         weight: f64 [weight], "sum of |w| over its edges";           with a unit
//!         secs: Option<f64> [s], "wall time", null "without --timing"; that may be null, and when
//!     }
//! }
//! ```
//!
//! `shared_columns!` has lines of the same kind for the columns that tables share. `column!` takes one line apart, as its
//! first word says, and looks up a line that is a name only.

macro_rules! shared_columns {
    // A macro that declares a macro has no other way to write the `$` of that than to be given one.
    ($dollar:tt $($column:ident: $Type:ty $([$unit:ident])?, $meaning:literal $(, null $null:literal)?;)*) => {
        macro_rules! shared {
            $(($dollar part:ident, $column) => {
                column!($dollar part, $column: $Type $([$unit])?, $meaning $(, null $null)?)
            };)*
        }
    };
}

macro_rules! table {
    ($(#[$attribute:meta])* $Row:ident: $name:literal, $row:literal, $command:literal writes $file:literal {
        $($column:ident $(: $Type:ty $([$unit:ident])?, $meaning:literal $(, null $null:literal)?)?;)*
    }) => {
        #[doc = concat!("A row of the table `", $name, "`: ", $row, ".\n")]
        #[doc = concat!("`pipeline ", $command, "` writes it as `", $file, "`.")]
        #[derive(Clone, Debug, Default, PartialEq)]
        $(#[$attribute])*
        pub struct $Row {
            $(
                #[doc = column!(doc, $column $(: $Type $([$unit])?, $meaning $(, null $null)?)?)]
                pub $column: column!(type, $column $(: $Type $([$unit])?, $meaning $(, null $null)?)?),
            )*
        }

        impl TableRow for $Row {
            const SCHEMA: &'static Schema = &Schema {
                name: $name,
                row: $row,
                command: $command,
                file: $file,
                columns: &[$(column!(entry, $column $(: $Type $([$unit])?, $meaning $(, null $null)?)?)),*],
            };

            fn columns(rows: &[Self]) -> Vec<ArrayRef> {
                vec![$(ColumnValue::column(rows.iter().map(|row| Some(&row.$column)))),*]
            }

            fn read(batch: &RecordBatch, index: usize) -> Self {
                let read = |name| batch.column_by_name(name);
                Self { $($column: read(stringify!($column)).map(|c| ColumnValue::read(c, index)).unwrap_or_default()),* }
            }
        }
    };
}

macro_rules! column {
    (type, $column:ident: $Type:ty $([$unit:ident])?, $meaning:literal $(, null $null:literal)?) => { $Type };
    (doc, $column:ident: $Type:ty $([$unit:ident])?, $meaning:literal $(, null $null:literal)?) => {
        concat!($meaning, "." $(, " Unit: ", stringify!($unit), ".")? $(, " Null ", $null, ".")?)
    };
    (entry, $column:ident: $Type:ty $([$unit:ident])?, $meaning:literal $(, null $null:literal)?) => {
        Column::of::<$Type>(stringify!($column), concat!($(stringify!($unit))?), $meaning, column!(null $($null)?))
    };
    (null) => { None };
    (null $null:literal) => { Some($null) };
    ($part:ident, $column:ident) => { shared!($part, $column) };
}
