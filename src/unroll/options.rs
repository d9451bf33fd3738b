//! The rules that a network becomes a graph by, where there is a choice.

/// What batch normalisation (and scaling by constants) does to the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchNormRule {
    /// Nothing; negative scales are counted in a warning.
    #[default]
    Ignore,
    /// Weights are multiplied by the sign of γ.
    Sign,
    /// Weights are multiplied by `γ / √(var + ε)`.
    Fold,
}

/// What an addition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidualRule {
    /// No node: every addend is a source of the next layer, with the same weights.
    #[default]
    Expand,
    /// A layer of its own, with an edge of weight +1 from each addend.
    Node,
}

/// How a network becomes a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Options {
    /// Batch normalisation.
    pub batch_norm: BatchNormRule,
    /// Additions.
    pub residual: ResidualRule,
}
