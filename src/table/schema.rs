//! Every table and column: the one place that says what they mean.
//!
//! Rules: long format, one row means one thing, columns in the order given here, no nulls but in columns that say when.
//! Adding a column is a minor change; renaming one is a new version. Quantities are signed integers or doubles and only
//! seeds are unsigned, so that pandas, Polars and DuckDB agree on every type; only doubles may be null, for pandas turns
//! other numbers with nulls into doubles.
//!
//! Energies are dimensionless. Weights are in the units of the graph's own weights.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// 64-bit signed integer.
    Int,
    /// 64-bit unsigned integer, for seeds.
    Seed,
    /// 64-bit float, never NaN.
    Float,
    /// True or false.
    Bool,
    /// Bytes.
    Bytes,
}

impl Kind {
    /// The Arrow type.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int => DataType::Int64,
            Self::Seed => DataType::UInt64,
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Bytes => DataType::Binary,
        }
    }

    /// The Arrow type in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "utf8",
            Self::Int => "int64",
            Self::Seed => "uint64",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Bytes => "binary",
        }
    }
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Unit; empty for names and dimensionless quantities.
    pub unit: &'static str,
    /// What it holds.
    pub meaning: &'static str,
    /// When it is null; empty for a column that never is.
    pub null: &'static str,
}

impl Column {
    /// Whether it may be null.
    pub fn is_nullable(&self) -> bool {
        !self.null.is_empty()
    }

    const fn null(self, when: &'static str) -> Self {
        Self { null: when, ..self }
    }
}

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name, by convention also the file's.
    pub name: &'static str,
    /// What one row is.
    pub row: &'static str,
    /// Columns in order.
    pub columns: &'static [Column],
}

impl Table {
    /// The Arrow schema.
    pub fn arrow(&self) -> Arc<Schema> {
        let field = |column: &Column| Field::new(column.name, column.kind.data_type(), column.is_nullable());
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }
}

/// All tables.
pub const TABLES: [&Table; 3] = [&REPLICAS, &LAYERS, &NODES];

/// One run of the solver from one start.
pub const REPLICAS: Table = Table {
    name: "replicas",
    row: "one replica: one run of the solver from one start",
    columns: &[
        column("graph", Kind::Text, "", "name of the graph"),
        column("method", Kind::Text, "", "solver: sweep, steepest or anneal"),
        column("replica", Kind::Int, "", "number of the replica, from 0"),
        column(
            "seed",
            Kind::Seed,
            "",
            "seed of the whole run; the replica's generator depends on it and `replica` only",
        ),
        column("initial_flips", Kind::Int, "flips", "random single-node flips of the all +1 state, with replacement"),
        column("energy", Kind::Float, "", "frustration found: frustrated weight / sum_abs, in [0, 1]"),
        column("satisfied_weight", Kind::Float, "weight", "sum of |w| over satisfied edges"),
        column("frustrated_weight", Kind::Float, "weight", "sum of |w| over frustrated edges"),
        column("n_nodes", Kind::Int, "nodes", "nodes of the graph"),
        column("n_edges", Kind::Int, "edges", "edges of the graph, stored entries of A"),
        column("sum_abs", Kind::Float, "weight", "sum of |w| over all edges"),
        column("flips", Kind::Int, "flips", "flips made by the solver, initial ones not counted"),
        column("sweeps", Kind::Int, "sweeps", "passes of the solver over the nodes"),
        column("secs", Kind::Float, "s", "wall time; replicas solved together share it equally")
            .null("without --timing, so that equal runs give equal files"),
        column("local_minimum", Kind::Bool, "", "whether no single flip lowers the energy, verified at the end"),
        column(
            "state",
            Kind::Bytes,
            "",
            "spins: node i is bit i % 8 (least significant first) of byte i / 8, set = +1; ceil(n_nodes / 8) bytes",
        ),
    ],
};

/// Where the frustrated edges are.
pub const LAYERS: Table = Table {
    name: "layers",
    row: "one block of A (all edges from one layer to another) in the best state of one graph",
    columns: &[
        column("graph", Kind::Text, "", "name of the graph"),
        column("replica", Kind::Int, "", "replica that the state is of"),
        column("source", Kind::Text, "", "layer that the edges leave"),
        column("target", Kind::Text, "", "layer that the edges enter"),
        column("n_edges", Kind::Int, "edges", "edges of the block"),
        column("weight", Kind::Float, "weight", "sum of |w| over them"),
        column("frustrated_edges", Kind::Int, "edges", "those that are frustrated"),
        column("frustrated_weight", Kind::Float, "weight", "sum of |w| over those"),
    ],
};

/// Names of an imported graph's nodes.
pub const NODES: Table = Table {
    name: "nodes",
    row: "one node of an imported graph",
    columns: &[
        column("node", Kind::Int, "", "number of the node in the graph directory, from 0, ascending"),
        column("label", Kind::Text, "", "its name in the imported file"),
        column("class", Kind::Int, "", "independent class that holds it, from 0"),
    ],
};

const fn column(name: &'static str, kind: Kind, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind, unit, meaning, null: "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_unique() {
        for table in TABLES {
            let mut names: Vec<_> = table.columns.iter().map(|c| c.name).collect();
            assert!(names.iter().all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        }
    }

    #[test]
    fn only_doubles_are_nullable() {
        let nullable = TABLES.iter().flat_map(|table| table.columns).filter(|column| column.is_nullable());
        assert!(nullable.clone().all(|column| column.kind == Kind::Float));
        assert_eq!(nullable.map(|column| column.name).collect::<Vec<_>>(), ["secs"]);
    }
}
