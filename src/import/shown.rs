//! Text of a file in a message.

use std::fmt;

/// Fields of a line as a message shows them: in backticks, escaped, long ones and many of them cut short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    const FIELDS: usize = 16;
    const CHARS: usize = 40;

    pub(super) fn of<S: AsRef<str>>(fields: &[S]) -> Self {
        let shown = fields.iter().take(Self::FIELDS).map(|field| {
            let field = field.as_ref();
            let more = if field.chars().nth(Self::CHARS).is_some() { "…" } else { "" };
            format!("`{}{more}`", field.chars().take(Self::CHARS).flat_map(escaped).collect::<String>())
        });
        let mut text = shown.collect::<Vec<_>>().join(", ");
        if fields.len() > Self::FIELDS {
            text += &format!(" and {} more", fields.len() - Self::FIELDS);
        }
        Self(text)
    }
}

/// A character that a terminal shows and does not obey.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let escape = c.is_control().then(|| c.escape_default());
    let plain = if c.is_control() { None } else { Some(c) };
    escape.into_iter().flatten().chain(plain)
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
