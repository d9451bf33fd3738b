//! `docs/tables.md` is made of the tables' declarations.

use std::fmt::Write as _;
use std::path::Path;

use frustration::table::{Column, FOOTER_KEYS, SCHEMAS, Schema};

const HEAD: &str = "\
# Tables

What the columns of the tables mean. This file is made of `src/table/tables.rs`; after a change there,
`UPDATE=1 cargo test --test docs_tables` writes it anew.

Every table is a Parquet file in long format: one row means one thing. Energies are dimensionless; weights are in the units
of the graph's own weights. A column is null when its last field says so, and otherwise never. Doubles are never NaN.
pandas, Polars, DuckDB and pyarrow agree on every type. `FILE` and `DIR` are what follows `-o`.

| table | written by | as | one row is |
| --- | --- | --- | --- |
";

const FOOTER: &str = "
## Footer

The key-value metadata of each file says where it comes from, under keys that begin with `frustration.`. Several values
under one key have a space between them.

| key | tables | what it says |
| --- | --- | --- |
";

#[test]
fn tables_md_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tables.md");
    let expected = document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == expected, "docs/tables.md is not what the tables say: UPDATE=1 cargo test --test docs_tables");
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    for Schema { name, row, command, file, .. } in SCHEMAS {
        writeln!(text, "| [`{name}`](#{name}) | `{command}` | `{file}` | {} |", cell(row)).unwrap();
    }
    for schema in SCHEMAS {
        writeln!(text, "\n## {}\n\nOne row is {}.\n", schema.name, schema.row).unwrap();
        text += "| column | type | unit | meaning | null |\n| --- | --- | --- | --- | --- |\n";
        for column in schema.columns {
            let Column { name, unit, meaning, null, .. } = column;
            let (meaning, null) = (cell(meaning), cell(null.unwrap_or_default()));
            writeln!(text, "| `{name}` | {} | {unit} | {meaning} | {null} |", column.type_name()).unwrap();
        }
    }
    text += FOOTER;
    for (key, tables, meaning) in FOOTER_KEYS {
        writeln!(text, "| `frustration.{key}` | {tables} | {} |", cell(meaning)).unwrap();
    }
    text
}

/// A text inside a table of Markdown.
fn cell(text: &str) -> String {
    text.replace('|', r"\|")
}
