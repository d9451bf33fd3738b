//! Where a table comes from: what the footer of its file says of the run that wrote it.

/// What a footer can say: the key behind `frustration.`, which tables have it, and what it says.
pub const FOOTER_KEYS: [(&str, &str, &str); 13] = [
    ("version", "all", "version of the program and the revision it was built from"),
    ("arguments", "all", "the command line, as far as it decides the result"),
    ("seed", "all but nodes and summary", "seed of the run, or of the resamples"),
    (
        "graph",
        "all",
        "fingerprint of the graph; of null models: of the graph that they are of; of lambda: one for each graph",
    ),
    ("graph_path", "replicas, layers, nulls, active, active_layers, omega", "where the graph was"),
    (
        "search",
        "replicas, layers, nulls, active, active_layers, omega with n3",
        "how energies were searched, as JSON: all that decides how low they are, defaults included",
    ),
    ("preprocess", "active, active_layers, omega", "how images became inputs, as JSON"),
    ("source", "nodes", "the edge list"),
    ("replicas_sha256", "omega with real", "hash of the table of replicas whose best state gave the directions"),
    ("omega_sha256", "lambda, lambda_images, lambda_norms", "hash of each table that was read"),
    ("real_sha256", "summary", "hash of the table of the network's replicas"),
    ("null_sha256", "summary with null models", "hash of each of their tables"),
    ("active_sha256", "summary with active subnetworks", "hash of each of their tables"),
];

/// Ordered key/value pairs, written to a file's key-value metadata. All keys begin with `frustration.`;
/// [`FOOTER_KEYS`] are those of the program's own tables.
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
