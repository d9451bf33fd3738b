//! Rows as plain structs, and how they become columns. Meanings and units are in [`schema`].

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, UInt64Array};

use super::schema::{self, Table};

/// A row of one table.
pub trait Row: Sized {
    /// The table.
    const TABLE: &'static Table;
    /// The columns of some rows, in the table's order.
    fn columns(rows: &[Self]) -> Vec<ArrayRef>;
}

/// A row of [`schema::REPLICAS`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::REPLICAS documents each column once")]
pub struct ReplicaRow {
    pub graph: String,
    pub method: String,
    pub replica: i64,
    pub seed: u64,
    pub initial_flips: i64,
    pub energy: f64,
    pub satisfied_weight: f64,
    pub frustrated_weight: f64,
    pub n_nodes: i64,
    pub n_edges: i64,
    pub sum_abs: f64,
    pub flips: i64,
    pub sweeps: i64,
    pub secs: Option<f64>,
    pub local_minimum: bool,
    pub state: Vec<u8>,
}

impl Row for ReplicaRow {
    const TABLE: &'static Table = &schema::REPLICAS;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.method),
            ints(rows, |r| r.replica),
            seeds(rows, |r| r.seed),
            ints(rows, |r| r.initial_flips),
            floats(rows, |r| r.energy),
            floats(rows, |r| r.satisfied_weight),
            floats(rows, |r| r.frustrated_weight),
            ints(rows, |r| r.n_nodes),
            ints(rows, |r| r.n_edges),
            floats(rows, |r| r.sum_abs),
            ints(rows, |r| r.flips),
            ints(rows, |r| r.sweeps),
            some_floats(rows, |r| r.secs),
            flags(rows, |r| r.local_minimum),
            bytes(rows, |r| &r.state),
        ]
    }
}

/// A row of [`schema::LAYERS`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::LAYERS documents each column once")]
pub struct LayerRow {
    pub graph: String,
    pub replica: i64,
    pub source: String,
    pub target: String,
    pub n_edges: i64,
    pub weight: f64,
    pub frustrated_edges: i64,
    pub frustrated_weight: f64,
}

impl Row for LayerRow {
    const TABLE: &'static Table = &schema::LAYERS;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            ints(rows, |r| r.replica),
            texts(rows, |r| &r.source),
            texts(rows, |r| &r.target),
            ints(rows, |r| r.n_edges),
            floats(rows, |r| r.weight),
            ints(rows, |r| r.frustrated_edges),
            floats(rows, |r| r.frustrated_weight),
        ]
    }
}

/// A row of [`schema::NODES`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::NODES documents each column once")]
pub struct NodeRow {
    pub node: i64,
    pub label: String,
    pub class: i64,
}

impl Row for NodeRow {
    const TABLE: &'static Table = &schema::NODES;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![ints(rows, |r| r.node), texts(rows, |r| &r.label), ints(rows, |r| r.class)]
    }
}

/// A row of [`schema::NULLS`].
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[expect(missing_docs, reason = "schema::NULLS documents each column once")]
pub struct NullRow {
    pub graph: String,
    pub kind: String,
    pub distribution: Option<String>,
    pub index: i64,
    pub instance: i64,
    pub method: String,
    pub seed: u64,
    pub initial_flips: i64,
    pub energy: f64,
    pub satisfied_weight: f64,
    pub frustrated_weight: f64,
    pub n_nodes: i64,
    pub n_edges: i64,
    pub sum_abs: f64,
    pub flips: i64,
    pub sweeps: i64,
    pub secs: Option<f64>,
    pub local_minimum: bool,
}

impl Row for NullRow {
    const TABLE: &'static Table = &schema::NULLS;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.kind),
            some_texts(rows, |r| r.distribution.as_ref()),
            ints(rows, |r| r.index),
            ints(rows, |r| r.instance),
            texts(rows, |r| &r.method),
            seeds(rows, |r| r.seed),
            ints(rows, |r| r.initial_flips),
            floats(rows, |r| r.energy),
            floats(rows, |r| r.satisfied_weight),
            floats(rows, |r| r.frustrated_weight),
            ints(rows, |r| r.n_nodes),
            ints(rows, |r| r.n_edges),
            floats(rows, |r| r.sum_abs),
            ints(rows, |r| r.flips),
            ints(rows, |r| r.sweeps),
            some_floats(rows, |r| r.secs),
            flags(rows, |r| r.local_minimum),
        ]
    }
}

/// A row of [`schema::SUMMARY`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::SUMMARY documents each column once")]
pub struct SummaryRow {
    pub graph: String,
    pub method: String,
    pub case: String,
    pub reference: Option<String>,
    pub n: i64,
    pub mean: f64,
    pub sd: Option<f64>,
    pub least: f64,
    pub welch_t: Option<f64>,
    pub degrees_of_freedom: Option<f64>,
    pub log10_p: Option<f64>,
    pub cohens_d: Option<f64>,
}

impl Row for SummaryRow {
    const TABLE: &'static Table = &schema::SUMMARY;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.method),
            texts(rows, |r| &r.case),
            some_texts(rows, |r| r.reference.as_ref()),
            ints(rows, |r| r.n),
            floats(rows, |r| r.mean),
            some_floats(rows, |r| r.sd),
            floats(rows, |r| r.least),
            some_floats(rows, |r| r.welch_t),
            some_floats(rows, |r| r.degrees_of_freedom),
            some_floats(rows, |r| r.log10_p),
            some_floats(rows, |r| r.cohens_d),
        ]
    }
}

/// A row of [`schema::ACTIVE`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::ACTIVE documents each column once")]
pub struct ActiveRow {
    pub graph: String,
    pub image_index: i64,
    pub image: String,
    pub label: i64,
    pub class: i64,
    pub logit: f64,
    pub method: String,
    pub seed: u64,
    pub energy: f64,
    pub satisfied_weight: f64,
    pub frustrated_weight: f64,
    pub active_nodes: i64,
    pub active_edges: i64,
    pub sum_abs: f64,
    pub flips: i64,
    pub sweeps: i64,
    pub secs: Option<f64>,
    pub local_minimum: bool,
    pub active: Vec<u8>,
    pub spins: Vec<u8>,
}

impl Row for ActiveRow {
    const TABLE: &'static Table = &schema::ACTIVE;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            ints(rows, |r| r.image_index),
            texts(rows, |r| &r.image),
            ints(rows, |r| r.label),
            ints(rows, |r| r.class),
            floats(rows, |r| r.logit),
            texts(rows, |r| &r.method),
            seeds(rows, |r| r.seed),
            floats(rows, |r| r.energy),
            floats(rows, |r| r.satisfied_weight),
            floats(rows, |r| r.frustrated_weight),
            ints(rows, |r| r.active_nodes),
            ints(rows, |r| r.active_edges),
            floats(rows, |r| r.sum_abs),
            ints(rows, |r| r.flips),
            ints(rows, |r| r.sweeps),
            some_floats(rows, |r| r.secs),
            flags(rows, |r| r.local_minimum),
            bytes(rows, |r| &r.active),
            bytes(rows, |r| &r.spins),
        ]
    }
}

/// A row of [`schema::ACTIVE_LAYERS`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::ACTIVE_LAYERS documents each column once")]
pub struct ActiveLayerRow {
    pub graph: String,
    pub image_index: i64,
    pub layer: String,
    pub n_nodes: i64,
    pub active_nodes: i64,
    pub n_edges: i64,
    pub active_edges: i64,
    pub active_weight: f64,
}

impl Row for ActiveLayerRow {
    const TABLE: &'static Table = &schema::ACTIVE_LAYERS;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            ints(rows, |r| r.image_index),
            texts(rows, |r| &r.layer),
            ints(rows, |r| r.n_nodes),
            ints(rows, |r| r.active_nodes),
            ints(rows, |r| r.n_edges),
            ints(rows, |r| r.active_edges),
            floats(rows, |r| r.active_weight),
        ]
    }
}

fn bytes<R>(rows: &[R], of: impl Fn(&R) -> &Vec<u8>) -> ArrayRef {
    Arc::new(BinaryArray::from_iter_values(rows.iter().map(of)))
}

/// A row of [`schema::OMEGA`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::OMEGA documents each column once")]
pub struct OmegaRow {
    pub graph: String,
    pub case: String,
    pub model: i64,
    pub image_index: i64,
    pub image: String,
    pub label: i64,
    pub perturbation: i64,
    pub seed: u64,
    pub norm: f64,
    pub omega: f64,
    pub unmoved: f64,
    pub mean_change: f64,
    pub greatest_change: f64,
    pub class_before: i64,
    pub class_after: i64,
    pub same_class: bool,
}

impl Row for OmegaRow {
    const TABLE: &'static Table = &schema::OMEGA;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.case),
            ints(rows, |r| r.model),
            ints(rows, |r| r.image_index),
            texts(rows, |r| &r.image),
            ints(rows, |r| r.label),
            ints(rows, |r| r.perturbation),
            seeds(rows, |r| r.seed),
            floats(rows, |r| r.norm),
            floats(rows, |r| r.omega),
            floats(rows, |r| r.unmoved),
            floats(rows, |r| r.mean_change),
            floats(rows, |r| r.greatest_change),
            ints(rows, |r| r.class_before),
            ints(rows, |r| r.class_after),
            flags(rows, |r| r.same_class),
        ]
    }
}

/// A row of [`schema::LAMBDA`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::LAMBDA documents each column once")]
pub struct LambdaRow {
    pub graph: String,
    pub case: String,
    pub n_images: i64,
    pub n: i64,
    pub lambda: f64,
    pub lambda_low: Option<f64>,
    pub lambda_high: Option<f64>,
    pub resamples: i64,
    pub seed: u64,
    pub mean_omega: f64,
    pub mean_distance: f64,
    pub mean_unmoved: f64,
    pub lambda_moved: f64,
    pub same_class: f64,
    pub one_sided: f64,
}

impl Row for LambdaRow {
    const TABLE: &'static Table = &schema::LAMBDA;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.case),
            ints(rows, |r| r.n_images),
            ints(rows, |r| r.n),
            floats(rows, |r| r.lambda),
            some_floats(rows, |r| r.lambda_low),
            some_floats(rows, |r| r.lambda_high),
            ints(rows, |r| r.resamples),
            seeds(rows, |r| r.seed),
            floats(rows, |r| r.mean_omega),
            floats(rows, |r| r.mean_distance),
            floats(rows, |r| r.mean_unmoved),
            floats(rows, |r| r.lambda_moved),
            floats(rows, |r| r.same_class),
            floats(rows, |r| r.one_sided),
        ]
    }
}

/// A row of [`schema::LAMBDA_IMAGES`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::LAMBDA_IMAGES documents each column once")]
pub struct LambdaImageRow {
    pub graph: String,
    pub case: String,
    pub image_index: i64,
    pub image: String,
    pub label: i64,
    pub n: i64,
    pub above_half: f64,
    pub mean_omega: f64,
    pub same_class: f64,
}

impl Row for LambdaImageRow {
    const TABLE: &'static Table = &schema::LAMBDA_IMAGES;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.case),
            ints(rows, |r| r.image_index),
            texts(rows, |r| &r.image),
            ints(rows, |r| r.label),
            ints(rows, |r| r.n),
            floats(rows, |r| r.above_half),
            floats(rows, |r| r.mean_omega),
            floats(rows, |r| r.same_class),
        ]
    }
}

/// A row of [`schema::LAMBDA_NORMS`].
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "schema::LAMBDA_NORMS documents each column once")]
pub struct LambdaNormRow {
    pub graph: String,
    pub case: String,
    pub norm_least: f64,
    pub norm_greatest: f64,
    pub n: i64,
    pub same_class: f64,
    pub lambda: f64,
    pub mean_omega: f64,
    pub mean_distance: f64,
    pub mean_change: f64,
}

impl Row for LambdaNormRow {
    const TABLE: &'static Table = &schema::LAMBDA_NORMS;

    fn columns(rows: &[Self]) -> Vec<ArrayRef> {
        vec![
            texts(rows, |r| &r.graph),
            texts(rows, |r| &r.case),
            floats(rows, |r| r.norm_least),
            floats(rows, |r| r.norm_greatest),
            ints(rows, |r| r.n),
            floats(rows, |r| r.same_class),
            floats(rows, |r| r.lambda),
            floats(rows, |r| r.mean_omega),
            floats(rows, |r| r.mean_distance),
            floats(rows, |r| r.mean_change),
        ]
    }
}

fn texts<R>(rows: &[R], of: impl Fn(&R) -> &String) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
}

fn ints<R>(rows: &[R], of: impl Fn(&R) -> i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(rows.iter().map(of)))
}

fn floats<R>(rows: &[R], of: impl Fn(&R) -> f64) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(rows.iter().map(of)))
}

fn seeds<R>(rows: &[R], of: impl Fn(&R) -> u64) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(rows.iter().map(of)))
}

fn flags<R>(rows: &[R], of: impl Fn(&R) -> bool) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(of(row))).collect::<BooleanArray>())
}

fn some_texts<R>(rows: &[R], of: impl Fn(&R) -> Option<&String>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<StringArray>())
}

fn some_floats<R>(rows: &[R], of: impl Fn(&R) -> Option<f64>) -> ArrayRef {
    Arc::new(rows.iter().map(of).collect::<Float64Array>())
}
