//! `pipeline inspect`: what a graph directory contains, for people or as JSON. Nothing but the manifest is read, and one frame if
//! it is asked for.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::flags::ByteSize;
use super::print;
use crate::graph::{Block, BlockStream as _, Blocks, Direction, Frame, PanelKind};
use crate::shard::{LayerRecord, Shards};

/// Show what a graph directory contains: totals, layers, files.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Graph directory.
    #[arg(value_name = "DIR")]
    graph: PathBuf,
    /// Everything as one JSON object.
    #[arg(long, conflicts_with_all = ["shards", "frame"])]
    json: bool,
    /// The shard files too.
    #[arg(long)]
    shards: bool,
    /// The blocks of frame N too.
    #[arg(long, value_name = "N")]
    frame: Option<usize>,
}

/// Runs the subcommand.
///
/// # Errors
/// If the graph cannot be opened.
pub fn run(args: Args) -> anyhow::Result<()> {
    let graph = Shards::open(&args.graph)?;
    if args.json {
        return print(serde_json::to_string_pretty(&summary(&graph))?);
    }
    print_totals(&graph)?;
    print("")?;
    print_layers(&graph.manifest().layers)?;
    if args.shards {
        print("")?;
        print_shards(&graph)?;
    }
    if let Some(index) = args.frame {
        print("")?;
        print_frame(&graph, index)?;
    }
    Ok(())
}

fn summary(graph: &Shards) -> serde_json::Value {
    let manifest = graph.manifest();
    json!({
        "format_version": manifest.format_version,
        "fingerprint": manifest.fingerprint,
        "n_nodes": manifest.n_nodes,
        "n_edges": manifest.n_edges,
        "sum_abs": manifest.sum_abs,
        "one_way": manifest.one_way,
        "bytes": graph.bytes(),
        "n_values": manifest.values.n_values,
        "n_frames": graph.frames().len(),
        "description": manifest.description,
        "layers": manifest.layers,
        "shards": manifest.shards,
    })
}

fn print_totals(graph: &Shards) -> anyhow::Result<()> {
    let manifest = graph.manifest();
    print(format_args!("nodes          {}", manifest.n_nodes))?;
    print(format_args!("edges          {}", manifest.n_edges))?;
    print(format_args!("sum |w|        {}", manifest.sum_abs))?;
    print(format_args!("values         {}", manifest.values.n_values))?;
    print(format_args!("frames         {} in {} shards", graph.frames().len(), manifest.shards.len()))?;
    print(format_args!("bytes on disk  {} ({})", graph.bytes(), ByteSize(graph.bytes())))?;
    print(format_args!("format         version {}", manifest.format_version))?;
    print(format_args!("fingerprint    {}", manifest.fingerprint))?;
    for (key, value) in &manifest.description.0 {
        print(format_args!("{key:<14} {value}"))?;
    }
    Ok(())
}

fn print_layers(layers: &[LayerRecord]) -> anyhow::Result<()> {
    let width = layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0).max(5);
    print(format_args!(
        "{:width$}  {:<12} {:>10} {:>9}  {:>14} {:>13} {:>14} {:>6}",
        "layer", "kind", "first node", "nodes", "shape", "edges", "sum |w|", "fan in"
    ))?;
    for layer in layers {
        let [c, h, w] = layer.shape;
        let kind = json!(layer.kind);
        print(format_args!(
            "{:width$}  {:<12} {:>10} {:>9}  {:>14} {:>13} {:>14.6} {:>6}",
            layer.name,
            kind.as_str().unwrap_or_default(),
            layer.first_node,
            layer.n_nodes,
            format!("{c}x{h}x{w}"),
            layer.n_edges,
            layer.sum_abs,
            layer.fan_in,
        ))?;
    }
    for layer in layers.iter().filter(|layer| layer.shuffle_groups > 0) {
        print(format_args!(
            "channels of `{}` are numbered in the order of the shuffle behind it, in {} groups",
            layer.name, layer.shuffle_groups
        ))?;
    }
    Ok(())
}

fn print_shards(graph: &Shards) -> anyhow::Result<()> {
    print(format_args!(
        "{:<20} {:>10} {:>10} {:>8} {:>12}  checksum",
        "shard", "first row", "rows", "frames", "bytes"
    ))?;
    for shard in &graph.manifest().shards {
        print(format_args!(
            "{:<20} {:>10} {:>10} {:>8} {:>12}  {}",
            shard.file, shard.first_row, shard.n_rows, shard.n_frames, shard.bytes, shard.checksum
        ))?;
    }
    Ok(())
}

fn print_frame(graph: &Shards, index: usize) -> anyhow::Result<()> {
    let Some(info) = graph.frames().get(index) else {
        bail!("there is no frame {index}; frames are 0 to {}", graph.frames().len().saturating_sub(1));
    };
    let mut frame = Frame::default();
    graph.unverified().read(index, &mut frame).with_context(|| format!("cannot read frame {index}"))?;
    let layer = &graph.layers()[info.layer as usize].name;
    print(format_args!(
        "frame {index}: rows {}..{} of layer `{layer}`, {} edges in, {} edges out",
        info.rows.start, info.rows.end, info.n_edges_in, info.n_edges_out
    ))?;
    for (name, direction) in [("in", Direction::In), ("out", Direction::Out)] {
        let blocks = frame.direction(direction);
        for block in &blocks.blocks {
            print(format_args!("{name:>3}  {}", line(blocks, block)))?;
        }
    }
    Ok(())
}

/// A block on one line: groups × rows × columns, and where it begins.
fn line(blocks: &Blocks, block: &Block) -> String {
    let [down, across] = block.repeats.map(|repeat| repeat.count);
    let intervals = blocks.intervals(block);
    let columns = block.n_columns(intervals);
    let kind = match block.kind {
        PanelKind::Dense => "dense",
        PanelKind::Diagonal => "diagonal",
    };
    format!(
        "{kind:<8} {down}x{across} groups of {} rows x {columns} columns in {} intervals; first row {}, first column {}",
        block.n_rows, block.n_intervals, block.first_row, intervals[0].first_col
    )
}
