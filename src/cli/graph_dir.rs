//! The graph that a subcommand reads.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::builder::{MapValueParser, PathBufValueParser, TypedValueParser as _, ValueParserFactory};

use crate::shard::Shards;

/// `DIR`: `#[arg(value_name = "DIR")] graph: GraphDir` under a line of help that says where it is from.
#[derive(Clone, Debug)]
pub struct GraphDir(PathBuf);

impl ValueParserFactory for GraphDir {
    type Parser = MapValueParser<PathBufValueParser, fn(PathBuf) -> Self>;

    fn value_parser() -> Self::Parser {
        PathBufValueParser::new().map(Self)
    }
}

impl GraphDir {
    /// Opens the graph.
    ///
    /// # Errors
    /// If it is none.
    pub fn open(&self) -> anyhow::Result<Shards> {
        Shards::open(&self.0).with_context(|| format!("cannot open graph {self}"))
    }

    /// The directory's own name, by which tables call the graph.
    pub fn name(&self) -> String {
        let dir = self.0.canonicalize().unwrap_or_else(|_| self.0.clone());
        dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What the footer of a table says of the graph: its fingerprint, and where it was.
    pub fn footer(&self, graph: &Shards) -> [(&'static str, String); 2] {
        [("graph", graph.fingerprint().to_owned()), ("graph_path", self.to_string())]
    }
}

impl fmt::Display for GraphDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}
