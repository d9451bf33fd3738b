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

/// Most characters of a message.
const LONGEST: usize = 1200;

/// The text, or its beginning and its end: names, lists and dimensions in files may be of any length.
pub(super) fn brief(text: &str) -> String {
    let n_chars = text.chars().count();
    if n_chars <= LONGEST {
        return text.into();
    }
    let first = text.chars().take(LONGEST / 2);
    let last = text.chars().skip(n_chars - LONGEST / 2);
    first.chain(" […] ".chars()).chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, brief, shown};

    #[test]
    fn a_long_message_keeps_its_ends() {
        assert_eq!(brief(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
        let text = brief(&format!("layer `{}`: expected four numbers", "n".repeat(1 << 20)));
        assert!(text.starts_with("layer `nnn") && text.ends_with("expected four numbers"));
        assert_eq!(text.chars().count(), LONGEST + 5);
    }

    #[test]
    fn names_do_not_act_on_the_terminal() {
        assert_eq!(shown("conv\u{1b}[2J\u{7}\r\u{9b}é\n"), "conv\\u001b[2J\\u0007\\u000d\\u009bé\n");
        assert_eq!(shown("a\u{202e}b"), "a\\u202eb");
    }
}
