//! The nodes of a graph, layer by layer.

use std::ops::Range;

/// A node's number. Graphs have fewer than 2³² nodes; edges are counted in `u64`.
pub type NodeId = u32;

/// What produced a layer's nodes. The numbers are part of a stored graph's fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// The network's input tensor.
    Input = 0,
    /// Output of a convolution.
    Conv = 1,
    /// Output of a dense layer.
    Dense = 2,
    /// Output of a max-pooling layer.
    MaxPool = 3,
    /// Output of an average-pooling layer.
    AveragePool = 4,
    /// Output of an addition, with `--residual node`.
    Add = 5,
    /// An independent class of an imported graph.
    Class = 6,
}

/// One layer of the graph. Within a network's layer nodes are channels-last: node = `first + (y·w + x)·c + channel`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Layer {
    /// Name of the network layer, or `class K`.
    pub name: String,
    /// What it is.
    pub kind: LayerKind,
    /// Its nodes.
    pub nodes: Range<NodeId>,
    /// Channels, height, width; `[n, 1, 1]` for an imported class.
    pub shape: [u32; 3],
    /// Edges into the layer.
    pub n_edges: u64,
    /// `Σ|w|` over those edges.
    pub sum_abs: f64,
    /// The layer's own trained parameters in the value store (kernel as `[out][kh][kw][in/groups]`, dense as
    /// `[out][in, channels-last]`); empty for layers without.
    pub params: Range<u64>,
    /// Inputs of one unit (`in/groups · kh · kw`, or dense inputs); 0 for layers without parameters.
    pub fan_in: u32,
    /// Taps of a kernel, `kh · kw`; 1 for dense layers; 0 for layers without parameters, or where nobody knows.
    pub taps: u32,
    /// Groups of the channel shuffle that numbers the layer's channels, if nothing else reads the layer. Of `c` channels in
    /// `g` groups, channel `k` of the tensor is number `(k mod c/g) · g + k div (c/g)` among the nodes of a pixel. 0 where
    /// nodes have the order of the tensor.
    pub shuffle_groups: u32,
}

impl Layer {
    /// Class number `index` of a graph without a network, with no edges yet.
    pub fn class(index: usize, nodes: Range<NodeId>) -> Self {
        Self {
            name: format!("class {index}"),
            kind: LayerKind::Class,
            shape: [nodes.end - nodes.start, 1, 1],
            nodes,
            n_edges: 0,
            sum_abs: 0.0,
            params: 0..0,
            fan_in: 0,
            taps: 0,
            shuffle_groups: 0,
        }
    }
}

/// Node, edge and weight totals of a graph.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Totals {
    /// Number of nodes.
    pub n_nodes: u32,
    /// Number of edges, i.e. stored entries of `A`.
    pub n_edges: u64,
    /// `Σ_ij |A_ij|`.
    pub sum_abs: f64,
}

/// Index of the layer that a node is in; the number of layers if it is behind all of them.
pub fn layer_of(layers: &[Layer], node: NodeId) -> usize {
    layers.partition_point(|layer| layer.nodes.end <= node)
}
