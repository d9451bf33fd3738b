//! Rows as plain structs: each is declared once, and becomes columns and comes back by that. Meanings and units are in
//! [`schema`].

use arrow_array::{ArrayRef, RecordBatch};

use super::cell::Cell;
use super::schema::{self, Table};

/// A row of one table.
pub trait Row: Sized {
    /// The table.
    const TABLE: &'static Table;
    /// Names of the fields, which are those of the table's columns, in order.
    const FIELDS: &'static [&'static str];
    /// The columns of some rows, in the table's order.
    fn columns(rows: &[Self]) -> Vec<ArrayRef>;
    /// Row `index` of a batch with columns of the table's types; fields whose columns are absent are empty.
    fn read(batch: &RecordBatch, index: usize) -> Self;
}

/// `row! { pub struct Name: TABLE { column: Type, … } }` declares a struct and its [`Row`].
macro_rules! row {
    ($(#[$attribute:meta])* pub struct $Name:ident: $TABLE:ident { $($column:ident: $Type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[expect(missing_docs, reason = "the schema documents each column once")]
        pub struct $Name {
            $(pub $column: $Type,)*
        }

        impl Row for $Name {
            const TABLE: &'static Table = &schema::$TABLE;
            const FIELDS: &'static [&'static str] = &[$(stringify!($column)),*];

            fn columns(rows: &[Self]) -> Vec<ArrayRef> {
                vec![$(Cell::column(rows.iter().map(|row| Some(&row.$column)))),*]
            }

            fn read(batch: &RecordBatch, index: usize) -> Self {
                let column = |name| batch.column_by_name(name);
                Self { $($column: column(stringify!($column)).map(|c| Cell::read(c, index)).unwrap_or_default()),* }
            }
        }
    };
}

row! {
    /// A row of [`schema::REPLICAS`].
    pub struct ReplicaRow: REPLICAS {
        graph: String,
        method: String,
        replica: i64,
        seed: u64,
        initial_flips: i64,
        energy: f64,
        satisfied_weight: f64,
        frustrated_weight: f64,
        n_nodes: i64,
        n_edges: i64,
        sum_abs: f64,
        flips: i64,
        sweeps: i64,
        secs: Option<f64>,
        local_minimum: bool,
        state: Vec<u8>,
    }
}

row! {
    /// A row of [`schema::LAYERS`].
    pub struct LayerRow: LAYERS {
        graph: String,
        replica: i64,
        source: String,
        target: String,
        n_edges: i64,
        weight: f64,
        frustrated_edges: i64,
        frustrated_weight: f64,
    }
}

row! {
    /// A row of [`schema::NODES`].
    pub struct NodeRow: NODES {
        node: i64,
        label: String,
        class: i64,
    }
}

row! {
    /// A row of [`schema::NULLS`].
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct NullRow: NULLS {
        graph: String,
        kind: String,
        distribution: Option<String>,
        index: i64,
        instance: i64,
        method: String,
        seed: u64,
        initial_flips: i64,
        energy: f64,
        satisfied_weight: f64,
        frustrated_weight: f64,
        n_nodes: i64,
        n_edges: i64,
        sum_abs: f64,
        flips: i64,
        sweeps: i64,
        secs: Option<f64>,
        local_minimum: bool,
    }
}

row! {
    /// A row of [`schema::SUMMARY`].
    pub struct SummaryRow: SUMMARY {
        graph: String,
        method: String,
        case: String,
        reference: Option<String>,
        n: i64,
        mean: f64,
        sd: Option<f64>,
        least: f64,
        welch_t: Option<f64>,
        degrees_of_freedom: Option<f64>,
        log10_p: Option<f64>,
        cohens_d: Option<f64>,
    }
}

row! {
    /// A row of [`schema::ACTIVE`].
    pub struct ActiveRow: ACTIVE {
        graph: String,
        image_index: i64,
        image: String,
        label: i64,
        class: i64,
        logit: f64,
        method: String,
        seed: u64,
        energy: f64,
        satisfied_weight: f64,
        frustrated_weight: f64,
        active_nodes: i64,
        active_edges: i64,
        sum_abs: f64,
        flips: i64,
        sweeps: i64,
        secs: Option<f64>,
        local_minimum: bool,
        active: Option<Vec<u8>>,
        spins: Option<Vec<u8>>,
    }
}

row! {
    /// A row of [`schema::ACTIVE_LAYERS`].
    pub struct ActiveLayerRow: ACTIVE_LAYERS {
        graph: String,
        image_index: i64,
        layer: String,
        n_nodes: i64,
        active_nodes: i64,
        n_edges: i64,
        active_edges: i64,
        active_weight: f64,
    }
}

row! {
    /// A row of [`schema::OMEGA`].
    pub struct OmegaRow: OMEGA {
        graph: String,
        case: String,
        model: i64,
        image_index: i64,
        image: String,
        label: i64,
        perturbation: i64,
        seed: u64,
        norm: f64,
        omega: f64,
        unmoved: f64,
        mean_change: f64,
        greatest_change: f64,
        class_before: i64,
        class_after: i64,
        same_class: bool,
    }
}

row! {
    /// A row of [`schema::LAMBDA`].
    pub struct LambdaRow: LAMBDA {
        graph: String,
        case: String,
        n_images: i64,
        n: i64,
        lambda: f64,
        lambda_low: Option<f64>,
        lambda_high: Option<f64>,
        resamples: i64,
        seed: u64,
        mean_omega: f64,
        mean_distance: f64,
        mean_unmoved: f64,
        lambda_moved: f64,
        same_class: f64,
        one_sided: f64,
    }
}

row! {
    /// A row of [`schema::LAMBDA_IMAGES`].
    pub struct LambdaImageRow: LAMBDA_IMAGES {
        graph: String,
        case: String,
        image_index: i64,
        image: String,
        label: i64,
        n: i64,
        above_half: f64,
        mean_omega: f64,
        same_class: f64,
    }
}

row! {
    /// A row of [`schema::LAMBDA_NORMS`].
    pub struct LambdaNormRow: LAMBDA_NORMS {
        graph: String,
        case: String,
        norm_least: f64,
        norm_greatest: f64,
        n: i64,
        same_class: f64,
        lambda: f64,
        mean_omega: f64,
        mean_distance: f64,
        mean_change: f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<R: Row + Default>() {
        let columns: Vec<_> = R::TABLE.columns.iter().map(|column| column.name).collect();
        assert_eq!(R::FIELDS, columns, "{}", R::TABLE.name);
        let batch = RecordBatch::try_new(R::TABLE.arrow(), R::columns(&[R::default()]));
        assert!(batch.is_ok(), "{}: {batch:?}", R::TABLE.name);
    }

    #[test]
    fn fields_are_the_columns_of_their_table() {
        check::<ReplicaRow>();
        check::<LayerRow>();
        check::<NodeRow>();
        check::<NullRow>();
        check::<SummaryRow>();
        check::<ActiveRow>();
        check::<ActiveLayerRow>();
        check::<OmegaRow>();
        check::<LambdaRow>();
        check::<LambdaImageRow>();
        check::<LambdaNormRow>();
    }
}
