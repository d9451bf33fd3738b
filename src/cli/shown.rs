//! Text from files on its way to a terminal: names of layers, nodes, columns and files may be any text.

use std::path::PathBuf;

/// Paths, with commas between.
pub(super) fn listed<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> String {
    paths.into_iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The text with control characters, and those that turn the direction of writing, as escapes like `\u001b`, which JSON
/// has, too. Line feeds stay.
pub(super) fn shown(text: &str) -> String {
    let acts = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match acts(c) {
            true => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn names_do_not_act_on_the_terminal() {
        assert_eq!(shown("conv\u{1b}[2J\u{7}\r\u{9b}é\n"), "conv\\u001b[2J\\u0007\\u000d\\u009bé\n");
        assert_eq!(shown("a\u{202e}b"), "a\\u202eb");
    }
}
