//! Every table and every column, each said once: name, type, unit, meaning, and when it is null.
//!
//! Rules: long format, one row means one thing, columns in the order given here. Adding a column is a minor change;
//! renaming one is a new version. Quantities are signed integers or doubles, never NaN, and only seeds are unsigned, so that
//! pandas, Polars and DuckDB agree on every type. Energies are dimensionless. Weights are in the units of the graph's own
//! weights.
//!
//! `docs/tables.md` is made of this file. How to read it is said in `declare.rs`.

use arrow_array::{ArrayRef, RecordBatch};

use super::schema::{Column, Schema, TableRow};
use super::value::ColumnValue;

/// All tables.
pub const SCHEMAS: [&Schema; 11] = [
    ReplicaRow::SCHEMA,
    LayerRow::SCHEMA,
    NodeRow::SCHEMA,
    NullRow::SCHEMA,
    SummaryRow::SCHEMA,
    ActiveRow::SCHEMA,
    ActiveLayerRow::SCHEMA,
    OmegaRow::SCHEMA,
    LambdaRow::SCHEMA,
    LambdaImageRow::SCHEMA,
    LambdaNormRow::SCHEMA,
];

// Columns that mean the same in several tables.
shared_columns! { $
    graph: String, "name of the graph";
    method: String, "solver: sweep, steepest or anneal";
    initial_flips: i64 [flips], "random single-node flips of the all +1 state, with replacement";
    energy: f64, "frustration found: frustrated weight / sum_abs, in [0, 1]";
    satisfied_weight: f64 [weight], "sum of |w| over satisfied edges";
    frustrated_weight: f64 [weight], "sum of |w| over frustrated edges";
    n_nodes: i64 [nodes], "nodes of the graph";
    n_edges: i64 [edges], "edges of the graph, stored entries of A";
    sum_abs: f64 [weight], "sum of |w| over all edges";
    flips: i64 [flips], "flips made by the solver, initial ones not counted";
    sweeps: i64 [sweeps], "passes of the solver over the nodes";
    secs: Option<f64> [s], "wall time; what is solved together shares it equally",
        null "without `--timing`, so that equal runs give equal files";
    local_minimum: bool, "whether no single flip lowers the energy, verified at the end";
    image_index: i64, "number of the image in its set, from 0";
    image: String, "its file name in the set; for tensors its number";
    label: i64 [class], "its class, by the set; -1 if unknown";
    case: String, "real, n3 (new weights, their own directions) or random-direction (real weights, random signs)";
    mean_omega: f64, "mean of omega";
    mean_distance: f64, "mean of |omega - 0.5|";
    mean_change: f64 [logit], "mean of the logits' absolute changes";
    same_class: f64, "share of the perturbations that leave the class as it is";
    n: i64 [rows], "perturbations";
}

table! {
    ReplicaRow: "replicas", "one replica: one run of the solver from one start",
    "solve" writes "FILE.parquet" {
        graph;
        method;
        replica: i64, "number of the replica, from 0";
        seed: u64, "seed of the whole run; the replica's generator depends on it and `replica` only";
        initial_flips;
        energy;
        satisfied_weight;
        frustrated_weight;
        n_nodes;
        n_edges;
        sum_abs;
        flips;
        sweeps;
        secs;
        local_minimum;
        state: Vec<u8>,
            "spins: node i is bit i % 8 (least significant first) of byte i / 8, set = +1; ceil(n_nodes / 8) bytes";
    }
}

table! {
    LayerRow: "layers", "one layer pair (all edges from one layer to another) in the best state of one graph",
    "solve" writes "FILE.layers.parquet" {
        graph;
        replica: i64, "replica that the state is of";
        source: String, "layer that the edges leave";
        target: String, "layer that the edges enter";
        n_edges: i64 [edges], "edges of the pair";
        weight: f64 [weight], "sum of |w| over them";
        frustrated_edges: i64 [edges], "those that are frustrated";
        frustrated_weight: f64 [weight], "sum of |w| over those";
    }
}

table! {
    NodeRow: "nodes", "one node of an imported graph",
    "import-graph" writes "DIR.nodes.parquet" {
        node: i64, "number of the node in the graph directory, from 0, ascending";
        label: String, "its name in the imported file";
        class: i64, "independent class that holds it, from 0";
    }
}

table! {
    #[derive(serde::Serialize, serde::Deserialize)]
    NullRow: "nulls", "one run of the solver on one null model of a graph",
    "null" writes "FILE.parquet" {
        graph: String, "name of the graph that the null model is of";
        kind: String, "null model: n1, n2 or n3";
        distribution: Option<String>, "what new parameters were drawn from: he or xavier", null "for n1 and n2";
        index: i64, "number of the null model among those of its kind and distribution, from 0";
        instance: i64, "number of the run on this null model, from 0";
        method;
        seed: u64, "seed of the whole run; a null model depends on it, its kind and `index` only";
        initial_flips;
        energy;
        satisfied_weight;
        frustrated_weight;
        n_nodes;
        n_edges;
        sum_abs;
        flips;
        sweeps;
        secs;
        local_minimum;
    }
}

table! {
    SummaryRow: "summary",
    "one case (the network, one kind of null model, or the active subnetworks) against a reference; \
     every case has exactly one row whose `reference` is null or `real`",
    "compare" writes "FILE.parquet" {
        graph;
        method: String, "solver of the energies of `case`: sweep, steepest or anneal";
        case: String, "whose energies: real, n1, n2, n3-he, n3-xavier, or active (one for each image)";
        reference: Option<String>, "the case that it is compared with: real or n1", null "if `case` is real";
        n: i64 [runs], "energies of `case`";
        mean: f64, "their mean";
        sd: Option<f64>, "their standard deviation, divisor n - 1", null "if n is 1";
        least: f64, "the least of them";
        welch_t: Option<f64>, "Welch's t of `case` less `reference`: positive if `case` is more frustrated",
            null "without a reference, if either n is 1, or if neither case varies and their means differ";
        degrees_of_freedom: Option<f64>, "of t, by Welch and Satterthwaite", null "as `welch_t`";
        log10_p: Option<f64>, "decimal logarithm of the two-sided p-value of t", null "as `welch_t`";
        cohens_d: Option<f64>,
            "Cohen's d: difference of the means, `case` less `reference`, in pooled standard deviations",
            null "as `welch_t`";
    }
}

table! {
    ActiveRow: "active", "the active subnetwork of one image, and one run of the solver on it",
    "active" writes "FILE.parquet" {
        graph;
        image_index;
        image;
        label;
        class: i64 [class], "greatest logit, the first on a tie, from 0: the output that is active";
        logit: f64 [logit], "that logit";
        method: String, "solver: sweep or anneal";
        seed: u64, "seed of the whole run; the image's generator depends on it and `image_index` only";
        energy: f64, "frustration found: frustrated weight / sum_abs, in [0, 1]; 0 without edges";
        satisfied_weight: f64 [weight], "sum of |w| over satisfied active edges";
        frustrated_weight: f64 [weight], "sum of |w| over frustrated active edges";
        active_nodes: i64 [nodes], "nodes of the active subnetwork";
        active_edges: i64 [edges], "its edges";
        sum_abs: f64 [weight], "sum of |w| over its edges";
        flips: i64 [flips], "flips made by the solver, from all +1";
        sweeps;
        secs;
        local_minimum;
        active: Option<Vec<u8>>,
            "nodes of the active subnetwork: node i is bit i % 8 (least significant first) of byte i / 8",
            null "without `--keep-masks`";
        spins: Option<Vec<u8>>, "their spins, in the same order, set = +1", null "without `--keep-masks`";
    }
}

table! {
    ActiveLayerRow: "active_layers", "one layer of the graph in the active subnetwork of one image",
    "active" writes "FILE.layers.parquet" {
        graph;
        image_index;
        layer: String, "name of the layer";
        n_nodes: i64 [nodes], "nodes of the layer";
        active_nodes: i64 [nodes], "those that are active";
        n_edges: i64 [edges], "edges into the layer";
        active_edges: i64 [edges], "those that are active";
        active_weight: f64 [weight], "sum of |w| over those";
    }
}

table! {
    OmegaRow: "omega", "one perturbation of one image in one case",
    "perturb" writes "FILE.parquet" {
        graph;
        case;
        model: i64, "number of the n3 model whose weights these are, from 0; 0 in the other cases";
        image_index;
        image;
        label;
        perturbation: i64, "number of the perturbation of this image in this case, from 0";
        seed: u64, "seed of the whole run; the perturbation depends on it and the numbers before only";
        norm: f64 [input], "Euclidean norm of the perturbation";
        omega: f64, "output alignment fraction, in [0, 1]: the logits that follow the order";
        unmoved: f64, "share of the logits that did not change at all; omega counts them as following";
        mean_change;
        greatest_change: f64 [logit], "the greatest of them";
        class_before: i64 [class], "greatest logit of the image, the first on a tie, from 0";
        class_after: i64 [class], "greatest logit of the perturbed image";
        same_class: bool, "whether they are the same";
    }
}

table! {
    LambdaRow: "lambda", "one case of one graph",
    "lambda" writes "FILE.parquet" {
        graph;
        case;
        n_images: i64 [images], "images";
        n;
        lambda: f64, "greatest number in [0, 0.5] with P(|omega - 0.5| >= lambda) >= 2 lambda";
        lambda_low: Option<f64>, "2.5th percentile of lambda over resamples of the images",
            null "if there is one image, or no resample";
        lambda_high: Option<f64>, "97.5th percentile", null "as `lambda_low`";
        resamples: i64, "resamples of the images";
        seed: u64, "seed of the resamples";
        mean_omega;
        mean_distance;
        mean_unmoved: f64, "mean of unmoved";
        lambda_moved: f64, "lambda without the logits that did not change";
        same_class;
        one_sided: f64, "share of the images whose omegas are all, or none of them, above 0.5";
    }
}

table! {
    LambdaImageRow: "lambda_images", "one image in one case of one graph",
    "lambda" writes "FILE.images.parquet" {
        graph;
        case;
        image_index;
        image;
        label;
        n;
        above_half: f64, "share of the perturbations whose omega is greater than 0.5";
        mean_omega;
        same_class;
    }
}

table! {
    LambdaNormRow: "lambda_norms", "the perturbations of one range of norms in one case of one graph",
    "lambda" writes "FILE.norms.parquet" {
        graph;
        case;
        norm_least: f64 [input], "least norm of these perturbations";
        norm_greatest: f64 [input], "greatest norm of them";
        n;
        same_class;
        lambda: f64, "lambda of these perturbations alone";
        mean_omega;
        mean_distance;
        mean_change;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_unique() {
        for table in SCHEMAS {
            let mut names: Vec<_> = table.columns.iter().map(|c| c.name).collect();
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(names.iter().all(|n| n.starts_with(|c: char| c.is_ascii_lowercase()) && n.chars().all(plain)));
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        }
    }
}
