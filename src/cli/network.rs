//! The network that a graph was built from.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::ValueEnum as _;

use super::build_graph::{BatchNorm, Residual};
use super::flags::Seed;
use super::model_args::{self, ModelArgs, Scheme};
use crate::graph::{BlockStream, Layer};
use crate::net::Network;
use crate::shard::{Description, Shards};
use crate::unroll::{Options, Unrolled};

/// `--model`, `--weights`
#[derive(Clone, Debug, clap::Args)]
pub struct NetworkArgs {
    /// Network that the graph was built from, as an ONNX file.
    #[arg(long, value_name = "FILE.onnx", conflicts_with = "weights")]
    pub model: Option<PathBuf>,
    /// Its parameters, if it was built with --arch and --weights. With --init the graph itself says everything.
    #[arg(long, value_name = "FILE.safetensors")]
    pub weights: Option<PathBuf>,
}

impl NetworkArgs {
    /// Reads the network, unrolls it by the rules that the graph's manifest states, and checks that the graph is that.
    ///
    /// # Errors
    /// If it cannot be read, or unrolls to another graph.
    pub fn open(&self, graph: &Shards) -> anyhow::Result<(Network, Unrolled)> {
        let description = graph.description();
        let net = self.source(description)?.network()?;
        let options = options(description)?;
        let unrolled = Unrolled::new(&net, options).with_context(|| format!("`{}` has no graph", net.name))?;
        check(&unrolled, graph)?;
        Ok((net, unrolled))
    }

    /// Where the network is to be read from: the flags, and the manifest on what the flags leave open.
    fn source(&self, description: &Description) -> anyhow::Result<ModelArgs> {
        let Self { model, weights } = self.clone();
        let entry = |key: &str| description.0.get(key).map(String::as_str);
        let input_size = entry("input_size").map(model_args::input_size).transpose();
        let input_size = input_size.map_err(|error| anyhow!("the graph's input_size: {error}"))?;
        let arch = entry("architecture").map(str::to_owned);
        let scheme = |init| Scheme::from_str(init, true).map_err(|_| anyhow!("unknown init `{init}`"));
        let init = entry("init").map(scheme).transpose()?;
        let seed = entry("seed").map_or(Ok(0), str::parse).context("the graph's seed")?;
        if model.is_none() && arch.is_none() {
            let name = entry("source").map_or(String::new(), |name| format!(", the graph was built from {name}"));
            bail!("the network is needed: --model FILE.onnx{name}");
        }
        if model.is_none() && weights.is_none() && init.is_none() {
            bail!("the network's parameters are needed: --weights FILE.safetensors");
        }
        Ok(ModelArgs { model, arch, weights, init, seed: Seed { seed }, input_size })
    }
}

/// The rules that the graph was built by.
fn options(description: &Description) -> anyhow::Result<Options> {
    let entry = |key: &str| {
        let value = description.0.get(key).map(String::as_str);
        value.with_context(|| format!("the graph does not say its {key}; it must come from pipeline build-graph"))
    };
    let unknown = |error: String| anyhow!("the graph's manifest: {error}");
    let batch_norm = BatchNorm::from_str(entry("batch_norm")?, true).map_err(unknown)?;
    let residual = Residual::from_str(entry("residual")?, true).map_err(unknown)?;
    Ok(Options { batch_norm: batch_norm.into(), residual: residual.into() })
}

/// Layers by what they are, then all weights.
fn check(net: &Unrolled, graph: &Shards) -> anyhow::Result<()> {
    const ADVICE: &str = "expected the network that the graph was built from";
    let (found, expected) = (net.layers(), graph.layers());
    ensure!(
        found.len() == expected.len(),
        "the network has {} layers with nodes, the graph {}; {ADVICE}",
        found.len(),
        expected.len()
    );
    let is_same = |a: &Layer, b: &Layer| {
        (a.kind, &a.nodes, a.shape, a.n_edges, &a.params) == (b.kind, &b.nodes, b.shape, b.n_edges, &b.params)
    };
    for (a, b) in found.iter().zip(expected) {
        ensure!(
            a.name == b.name && is_same(a, b),
            "layer `{}` of the network ({:?}, {} edges) is not layer `{}` of the graph ({:?}, {} edges); {ADVICE}",
            a.name,
            a.shape,
            a.n_edges,
            b.name,
            b.shape,
            b.n_edges
        );
    }
    if let Some(at) = net.values().iter().zip(graph.unverified().values()).position(|(a, b)| a.to_bits() != b.to_bits())
    {
        let layer = expected.iter().find(|layer| layer.params.contains(&(at as u64)));
        bail!(
            "the network and the graph have other weights in layer `{}`; {ADVICE}",
            layer.map_or("?", |layer| &layer.name)
        );
    }
    Ok(())
}
