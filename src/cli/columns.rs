//! Tables for people, on stdout.

/// A heading, then one line per row, columns as wide as their widest cell: those named in `texts` begin at the left, numbers
/// end at the right.
pub fn aligned<const N: usize>(heading: [&str; N], texts: &[&str], rows: &[[String; N]]) -> Vec<String> {
    let heading_cells = heading.map(str::to_owned);
    let lines = || std::iter::once(&heading_cells).chain(rows);
    let width = |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let align = |(cell, (name, width)): (&String, (&str, usize))| match texts.contains(&name) {
        true => format!("{cell:<width$}"),
        false => format!("{cell:>width$}"),
    };
    let line = |cells: &[String; N]| {
        let cells = cells.iter().zip(heading.into_iter().zip(widths)).map(align);
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines().map(line).collect()
}

/// A number with so many digits, `-` if there is none.
pub fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}
