//! Run metadata for a table's footer.

/// Ordered key/value pairs, written to a file's key-value metadata. All keys begin with `frustration.`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance(Vec<(String, String)>);

impl Provenance {
    /// What every key begins with.
    pub(super) const PREFIX: &str = "frustration.";

    /// Appends a pair under `frustration.<key>`.
    pub fn push(&mut self, key: &str, value: impl Into<String>) {
        self.0.push((format!("{}{key}", Self::PREFIX), value.into()));
    }

    /// The value of `frustration.<key>`, the first if there are several.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(full, _)| full.strip_prefix(Self::PREFIX) == Some(key));
        found.map(|(_, value)| value.as_str())
    }

    /// The pairs, in order, with their full keys.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}
