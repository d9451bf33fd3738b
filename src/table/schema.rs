//! Every table and column: the one place that says what they mean.
//!
//! Rules: long format, one row means one thing, columns in the order given here. Texts, doubles and bytes are null where
//! their column says so, everything else never. Adding a column is a minor change; renaming one is a new version. Quantities
//! are signed integers or doubles and only seeds are unsigned, so that pandas, Polars and DuckDB agree on every type.
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
    /// All of them.
    pub(super) const ALL: [Self; 6] = [Self::Text, Self::Int, Self::Seed, Self::Float, Self::Bool, Self::Bytes];

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
    /// When it is null; `None` if never.
    pub null: Option<&'static str>,
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
        let field = |column: &Column| Field::new(column.name, column.kind.data_type(), column.null.is_some());
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }
}

/// All tables.
pub const TABLES: [&Table; 11] = [
    &REPLICAS,
    &LAYERS,
    &NODES,
    &NULLS,
    &SUMMARY,
    &ACTIVE,
    &ACTIVE_LAYERS,
    &OMEGA,
    &LAMBDA,
    &LAMBDA_IMAGES,
    &LAMBDA_NORMS,
];

/// One run of the solver from one start.
pub const REPLICAS: Table = Table {
    name: "replicas",
    row: "one replica: one run of the solver from one start",
    columns: &[
        GRAPH,
        METHOD,
        column("replica", Kind::Int, "", "number of the replica, from 0"),
        column(
            "seed",
            Kind::Seed,
            "",
            "seed of the whole run; the replica's generator depends on it and `replica` only",
        ),
        INITIAL_FLIPS,
        ENERGY,
        SATISFIED_WEIGHT,
        FRUSTRATED_WEIGHT,
        N_NODES,
        N_EDGES,
        SUM_ABS,
        FLIPS,
        SWEEPS,
        SECS,
        LOCAL_MINIMUM,
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
        GRAPH,
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

/// Energies of null models. The footer's `graph` is the fingerprint of the graph that they are null models of.
pub const NULLS: Table = Table {
    name: "nulls",
    row: "one run of the solver on one null model of a graph",
    columns: &[
        column("graph", Kind::Text, "", "name of the graph that the null model is of"),
        column("kind", Kind::Text, "", "null model: n1, n2 or n3"),
        nullable("distribution", Kind::Text, "", "what new parameters were drawn from: he or xavier", "for n1 and n2"),
        column("index", Kind::Int, "", "number of the null model among those of its kind and distribution, from 0"),
        column("instance", Kind::Int, "", "number of the run on this null model, from 0"),
        METHOD,
        column("seed", Kind::Seed, "", "seed of the whole run; a null model depends on it, its kind and `index` only"),
        INITIAL_FLIPS,
        ENERGY,
        SATISFIED_WEIGHT,
        FRUSTRATED_WEIGHT,
        N_NODES,
        N_EDGES,
        SUM_ABS,
        FLIPS,
        SWEEPS,
        SECS,
        LOCAL_MINIMUM,
    ],
};

/// Cases of one graph, compared. Every case has exactly one row whose `reference` is null or `real`.
pub const SUMMARY: Table = Table {
    name: "summary",
    row: "one case (the network, one kind of null model, or the active subnetworks) against a reference",
    columns: &[
        GRAPH,
        column("method", Kind::Text, "", "solver of the energies of `case`: sweep, steepest or anneal"),
        column(
            "case",
            Kind::Text,
            "",
            "whose energies: real, n1, n2, n3-he, n3-xavier, or active (one for each image)",
        ),
        nullable("reference", Kind::Text, "", "the case that it is compared with: real or n1", "if `case` is real"),
        column("n", Kind::Int, "runs", "energies of `case`"),
        column("mean", Kind::Float, "", "their mean"),
        nullable("sd", Kind::Float, "", "their standard deviation, divisor n - 1", "if n is 1"),
        column("least", Kind::Float, "", "the least of them"),
        nullable(
            "welch_t",
            Kind::Float,
            "",
            "Welch's t of `case` less `reference`: positive if `case` is more frustrated",
            UNDEFINED,
        ),
        nullable("degrees_of_freedom", Kind::Float, "", "of t, by Welch and Satterthwaite", UNDEFINED),
        nullable("log10_p", Kind::Float, "", "decimal logarithm of the two-sided p-value of t", UNDEFINED),
        nullable(
            "cohens_d",
            Kind::Float,
            "",
            "Cohen's d: difference of the means, `case` less `reference`, in pooled standard deviations",
            UNDEFINED,
        ),
    ],
};

/// Active subnetworks of images. The footer's `graph` is the fingerprint of the whole graph.
pub const ACTIVE: Table = Table {
    name: "active",
    row: "the active subnetwork of one image, and one run of the solver on it",
    columns: &[
        GRAPH,
        IMAGE_INDEX,
        IMAGE,
        LABEL,
        column("class", Kind::Int, "class", "greatest logit, the first on a tie, from 0: the output that is active"),
        column("logit", Kind::Float, "logit", "that logit"),
        column("method", Kind::Text, "", "solver: sweep or anneal"),
        column(
            "seed",
            Kind::Seed,
            "",
            "seed of the whole run; the image's generator depends on it and `image_index` only",
        ),
        column("energy", Kind::Float, "", "frustration found: frustrated weight / sum_abs, in [0, 1]; 0 without edges"),
        column("satisfied_weight", Kind::Float, "weight", "sum of |w| over satisfied active edges"),
        column("frustrated_weight", Kind::Float, "weight", "sum of |w| over frustrated active edges"),
        column("active_nodes", Kind::Int, "nodes", "nodes of the active subnetwork"),
        column("active_edges", Kind::Int, "edges", "its edges"),
        column("sum_abs", Kind::Float, "weight", "sum of |w| over its edges"),
        column("flips", Kind::Int, "flips", "flips made by the solver, from all +1"),
        SWEEPS,
        SECS,
        LOCAL_MINIMUM,
        nullable(
            "active",
            Kind::Bytes,
            "",
            "nodes of the active subnetwork: node i is bit i % 8 (least significant first) of byte i / 8",
            "without --keep-masks",
        ),
        nullable("spins", Kind::Bytes, "", "their spins, in the same order, set = +1", "without --keep-masks"),
    ],
};

/// Where the active edges are.
pub const ACTIVE_LAYERS: Table = Table {
    name: "active_layers",
    row: "one layer of the graph in the active subnetwork of one image",
    columns: &[
        GRAPH,
        IMAGE_INDEX,
        column("layer", Kind::Text, "", "name of the layer"),
        column("n_nodes", Kind::Int, "nodes", "nodes of the layer"),
        column("active_nodes", Kind::Int, "nodes", "those that are active"),
        column("n_edges", Kind::Int, "edges", "edges into the layer"),
        column("active_edges", Kind::Int, "edges", "those that are active"),
        column("active_weight", Kind::Float, "weight", "sum of |w| over those"),
    ],
};

/// Perturbed images. The footer's `graph` is the fingerprint of the graph whose directions were taken.
pub const OMEGA: Table = Table {
    name: "omega",
    row: "one perturbation of one image in one case",
    columns: &[
        GRAPH,
        CASE,
        column("model", Kind::Int, "", "number of the n3 model whose weights these are, from 0; 0 in the other cases"),
        IMAGE_INDEX,
        IMAGE,
        LABEL,
        column("perturbation", Kind::Int, "", "number of the perturbation of this image in this case, from 0"),
        column(
            "seed",
            Kind::Seed,
            "",
            "seed of the whole run; the perturbation depends on it and the numbers before only",
        ),
        column("norm", Kind::Float, "input", "Euclidean norm of the perturbation"),
        column("omega", Kind::Float, "", "output alignment fraction, in [0, 1]: the logits that follow the order"),
        column(
            "unmoved",
            Kind::Float,
            "",
            "share of the logits that did not change at all; omega counts them as following",
        ),
        MEAN_CHANGE,
        column("greatest_change", Kind::Float, "logit", "the greatest of them"),
        column("class_before", Kind::Int, "class", "greatest logit of the image, the first on a tie, from 0"),
        column("class_after", Kind::Int, "class", "greatest logit of the perturbed image"),
        column("same_class", Kind::Bool, "", "whether they are the same"),
    ],
};

/// λ of each case of each graph.
pub const LAMBDA: Table = Table {
    name: "lambda",
    row: "one case of one graph",
    columns: &[
        GRAPH,
        CASE,
        column("n_images", Kind::Int, "images", "images"),
        N_PERTURBATIONS,
        column("lambda", Kind::Float, "", "greatest number in [0, 0.5] with P(|omega - 0.5| >= lambda) >= 2 lambda"),
        nullable("lambda_low", Kind::Float, "", "2.5th percentile of lambda over resamples of the images", NO_INTERVAL),
        nullable("lambda_high", Kind::Float, "", "97.5th percentile", NO_INTERVAL),
        column("resamples", Kind::Int, "", "resamples of the images"),
        column("seed", Kind::Seed, "", "seed of the resamples"),
        MEAN_OMEGA,
        MEAN_DISTANCE,
        column("mean_unmoved", Kind::Float, "", "mean of unmoved"),
        column("lambda_moved", Kind::Float, "", "lambda without the logits that did not change"),
        SAME_CLASS,
        column("one_sided", Kind::Float, "", "share of the images whose omegas are all, or none of them, above 0.5"),
    ],
};

/// Each image by itself.
pub const LAMBDA_IMAGES: Table = Table {
    name: "lambda_images",
    row: "one image in one case of one graph",
    columns: &[
        GRAPH,
        CASE,
        IMAGE_INDEX,
        IMAGE,
        LABEL,
        N_PERTURBATIONS,
        column("above_half", Kind::Float, "", "share of the perturbations whose omega is greater than 0.5"),
        MEAN_OMEGA,
        SAME_CLASS,
    ],
};

/// What the size of a perturbation does.
pub const LAMBDA_NORMS: Table = Table {
    name: "lambda_norms",
    row: "the perturbations of one range of norms in one case of one graph",
    columns: &[
        GRAPH,
        CASE,
        column("norm_least", Kind::Float, "input", "least norm of these perturbations"),
        column("norm_greatest", Kind::Float, "input", "greatest norm of them"),
        N_PERTURBATIONS,
        SAME_CLASS,
        column("lambda", Kind::Float, "", "lambda of these perturbations alone"),
        MEAN_OMEGA,
        MEAN_DISTANCE,
        MEAN_CHANGE,
    ],
};

// Columns that mean the same in several tables.
const GRAPH: Column = column("graph", Kind::Text, "", "name of the graph");
const METHOD: Column = column("method", Kind::Text, "", "solver: sweep, steepest or anneal");
const INITIAL_FLIPS: Column =
    column("initial_flips", Kind::Int, "flips", "random single-node flips of the all +1 state, with replacement");
const ENERGY: Column = column("energy", Kind::Float, "", "frustration found: frustrated weight / sum_abs, in [0, 1]");
const SATISFIED_WEIGHT: Column = column("satisfied_weight", Kind::Float, "weight", "sum of |w| over satisfied edges");
const FRUSTRATED_WEIGHT: Column =
    column("frustrated_weight", Kind::Float, "weight", "sum of |w| over frustrated edges");
const N_NODES: Column = column("n_nodes", Kind::Int, "nodes", "nodes of the graph");
const N_EDGES: Column = column("n_edges", Kind::Int, "edges", "edges of the graph, stored entries of A");
const SUM_ABS: Column = column("sum_abs", Kind::Float, "weight", "sum of |w| over all edges");
const FLIPS: Column = column("flips", Kind::Int, "flips", "flips made by the solver, initial ones not counted");
const SWEEPS: Column = column("sweeps", Kind::Int, "sweeps", "passes of the solver over the nodes");
const SECS: Column = nullable(
    "secs",
    Kind::Float,
    "s",
    "wall time; what is solved together shares it equally",
    "without --timing, so that equal runs give equal files",
);
const LOCAL_MINIMUM: Column =
    column("local_minimum", Kind::Bool, "", "whether no single flip lowers the energy, verified at the end");
const IMAGE_INDEX: Column = column("image_index", Kind::Int, "", "number of the image in its set, from 0");
const IMAGE: Column = column("image", Kind::Text, "", "its file name in the set; for tensors its number");
const LABEL: Column = column("label", Kind::Int, "class", "its class, by the set; -1 if unknown");
const CASE: Column = column(
    "case",
    Kind::Text,
    "",
    "real, n3 (new weights, their own directions) or random-direction (real weights, random signs)",
);
const MEAN_OMEGA: Column = column("mean_omega", Kind::Float, "", "mean of omega");
const MEAN_DISTANCE: Column = column("mean_distance", Kind::Float, "", "mean of |omega - 0.5|");
const MEAN_CHANGE: Column = column("mean_change", Kind::Float, "logit", "mean of the logits' absolute changes");
const SAME_CLASS: Column =
    column("same_class", Kind::Float, "", "share of the perturbations that leave the class as it is");
const N_PERTURBATIONS: Column = column("n", Kind::Int, "rows", "perturbations");

/// When λ has no interval.
const NO_INTERVAL: &str = "if there is one image, or no resample";

/// When a comparison has no numbers.
const UNDEFINED: &str = "without a reference, if either n is 1, or if neither case varies and their means differ";

const fn column(name: &'static str, kind: Kind, unit: &'static str, meaning: &'static str) -> Column {
    Column { name, kind, unit, meaning, null: None }
}

const fn nullable(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    meaning: &'static str,
    null: &'static str,
) -> Column {
    Column { null: Some(null), ..column(name, kind, unit, meaning) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_unique() {
        for table in TABLES {
            let mut names: Vec<_> = table.columns.iter().map(|c| c.name).collect();
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(names.iter().all(|n| n.starts_with(|c: char| c.is_ascii_lowercase()) && n.chars().all(plain)));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        }
    }

    #[test]
    fn no_column_that_can_be_null_changes_its_type_by_that() {
        // pandas turns a nullable integer into a double.
        for column in TABLES.iter().flat_map(|table| table.columns).filter(|column| column.null.is_some()) {
            assert!(matches!(column.kind, Kind::Text | Kind::Float | Kind::Bytes), "{}", column.name);
        }
    }
}
