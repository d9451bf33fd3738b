//! The size of a layer's local fields: what thresholds, temperatures and integer energies are measured in.

use rayon::prelude::*;

use super::rows::add_row_sums;
use crate::graph::{self, BlockStream, Frame};

/// Field scales of every layer and of the whole graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Scales {
    /// By layer.
    pub layers: Vec<Scale>,
    /// Geometric mean of the layers' `rms`, each weighted by its nodes; layers without weights do not count.
    pub typical: f64,
    /// `Σ_j |Au_ij|` of every row.
    pub rows: Vec<f32>,
}

/// How large `|r_i|` is in one layer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// Root mean square over rows of `√(Σ_j Au_ij²)`: the typical field in a random state.
    pub rms: f64,
    /// Largest `Σ_j |Au_ij|`: no field is larger.
    pub max: f64,
}

impl Scales {
    /// Measures a graph. Cost: one read of the frames, their panels' values; 12 bytes a node while it runs, 4 after.
    ///
    /// # Errors
    /// If a frame cannot be read.
    pub fn measure(graph: &dyn BlockStream) -> Result<Self, graph::Error> {
        let frames: Vec<_> = (0..graph.frames().len())
            .into_par_iter()
            .map_init(Frame::default, |frame, index| row_scales(graph, index, frame))
            .collect::<Result<_, _>>()?;
        let mut layers = vec![Scale::default(); graph.layers().len()];
        let mut all_rows = Vec::with_capacity(graph.totals().n_nodes as usize);
        for (info, rows) in graph.frames().iter().zip(frames) {
            let layer = &mut layers[info.layer as usize];
            all_rows.extend(rows.iter().map(|&[_, abs]| abs));
            // Row after row, so that the sum does not depend on where frames are cut.
            for [squares, abs] in rows {
                layer.rms += f64::from(squares);
                layer.max = layer.max.max(f64::from(abs));
            }
        }
        for (scale, layer) in layers.iter_mut().zip(graph.layers()) {
            scale.rms = (scale.rms / layer.nodes.len().max(1) as f64).sqrt();
        }
        let typical = typical(&layers, graph);
        Ok(Self { layers, typical, rows: all_rows })
    }
}

fn typical(scales: &[Scale], graph: &dyn BlockStream) -> f64 {
    let (mut logs, mut nodes) = (0.0, 0.0);
    for (scale, layer) in scales.iter().zip(graph.layers()).filter(|(scale, _)| scale.rms > 0.0) {
        logs += scale.rms.ln() * layer.nodes.len() as f64;
        nodes += layer.nodes.len() as f64;
    }
    if nodes > 0.0 { (logs / nodes).exp() } else { 1.0 }
}

/// `Σ_j Au_ij²` and `Σ_j |Au_ij|` of a frame's rows.
fn row_scales(graph: &dyn BlockStream, index: usize, frame: &mut Frame) -> Result<Vec<[f32; 2]>, graph::Error> {
    graph.read(index, frame)?;
    let rows = &graph.frames()[index].rows;
    let mut squares = vec![0.0; rows.len()];
    let mut abs = vec![0.0; rows.len()];
    for blocks in [&frame.inward, &frame.outward] {
        add_row_sums(blocks, graph.values(), rows.start, |w| f64::from(w) * f64::from(w), &mut squares);
        add_row_sums(blocks, graph.values(), rows.start, |w| f64::from(w).abs(), &mut abs);
    }
    Ok(squares.iter().zip(&abs).map(|(&s, &a)| [s as f32, a as f32]).collect())
}
