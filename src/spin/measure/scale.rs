//! The size of a layer's local fields: what thresholds, temperatures and integer energies are measured in.

use super::rows::row_sums;
use crate::graph::{self, BlockStream};
use crate::spin::error::Error;

/// Field scales of every layer and of the whole graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Scales {
    /// By layer.
    pub layers: Vec<LayerScale>,
    /// Geometric mean of the layers' `rms`, each weighted by its nodes; layers without weights do not count.
    pub typical: f64,
    /// `Σ_j |Au_ij|` of every row.
    pub rows: Vec<f32>,
    /// What weights are multiplied by before they are added up, and everything here was: a power of two, 1 unless sums
    /// would come near the ends of the range of `f32`.
    pub factor: f64,
}

/// The largest row sum, as a power of two, for which weights are taken as they are.
const USUAL: std::ops::RangeInclusive<i32> = -60..=100;

/// How large `|r_i|` is in one layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LayerScale {
    /// Root mean square over rows of `√(Σ_j Au_ij²)`: the typical field in a random state.
    pub rms: f64,
    /// Largest `Σ_j |Au_ij|`: no field is larger.
    pub max: f64,
}

impl Scales {
    /// Measures a graph. Cost: one read of the frames, their panels' values; 20 bytes a node while it runs, 4 after.
    ///
    /// # Errors
    /// If a frame cannot be read.
    pub fn measure(graph: &dyn BlockStream) -> Result<Self, graph::Error> {
        let rows = row_sums(graph, |w| [f64::from(w) * f64::from(w), f64::from(w).abs()])?;
        let mut layers = vec![LayerScale::default(); graph.layers().len()];
        for (scale, layer) in layers.iter_mut().zip(graph.layers()) {
            // Row after row, so that the sum does not depend on where frames are cut.
            for &[squares, abs] in &rows[layer.nodes.start as usize..layer.nodes.end as usize] {
                scale.rms += squares;
                scale.max = scale.max.max(abs);
            }
            scale.rms = (scale.rms / layer.nodes.len().max(1) as f64).sqrt();
        }
        let factor = factor(layers.iter().map(|scale| scale.max).fold(0.0, f64::max));
        layers.iter_mut().for_each(|scale| (scale.rms, scale.max) = (factor * scale.rms, factor * scale.max));
        let typical = typical(&layers, graph);
        Ok(Self { layers, typical, rows: rows.into_iter().map(|[_, abs]| (factor * abs) as f32).collect(), factor })
    }

    /// Is there an edge whose weight is not zero?
    pub(in crate::spin) fn check_weight(&self) -> Result<(), Error> {
        if self.layers.iter().all(|scale| scale.max == 0.0) { Err(Error::NoWeight) } else { Ok(()) }
    }
}

/// The power of two that brings sums of at most `max` into the range where `f32` has all its places.
fn factor(max: f64) -> f64 {
    let exponent = if max > 0.0 { max.log2().floor() as i32 } else { 0 };
    2f64.powi(exponent.clamp(*USUAL.start(), *USUAL.end()) - exponent)
}

fn typical(scales: &[LayerScale], graph: &dyn BlockStream) -> f64 {
    let (mut logs, mut nodes) = (0.0, 0.0);
    for (scale, layer) in scales.iter().zip(graph.layers()).filter(|(scale, _)| scale.rms > 0.0) {
        logs += scale.rms.ln() * layer.nodes.len() as f64;
        nodes += layer.nodes.len() as f64;
    }
    if nodes > 0.0 { (logs / nodes).exp() } else { 1.0 }
}
