//! Convolutions and dense layers: the blocks of the layer's own graph, as strips of pixels.
//!
//! A strip is consecutive pixels (of a dense layer: consecutive outputs). Its row groups that have the same taps form a
//! **alike**: their columns differ by a shift only. For every tile of rows a strip meets all its items before the next tile,
//! so that a tile's weights are read once per strip and the strip's images stay in the second-level cache.
//!
//! A convolution that is only pooled keeps one strip at a time ([`Windowed::run_pooled`]).

use std::ops::Range;

use super::error::Error;
use super::pool::Maxima;
use super::tensor::{Buffer, Slot, Strips};
use crate::graph::PanelKind;
use crate::kernel::images::{ColumnSpan, Finish, OutputPixel, Product, Strides, Vector, multiply_add, tiles};
use crate::kernel::{Isa, Task};
use crate::net::{Layer, Op, Shape, Window};
use crate::unroll::{LayerAlone, ParameterOrder};

/// Images of a strip that should stay in the second-level cache, in vectors.
const STRIP_COLUMNS: usize = 6 << 10;
/// Fewest multiply-adds of a strip, in vectors.
const STRIP_EDGES: usize = 1 << 18;
/// Fewest strips, where image rows are long enough to be cut: so that threads end at about the same time.
const STRIPS: usize = 8;
/// Fewest pixels of a part of an image row.
const STRIP_PIXELS: usize = 6;
/// Most outputs of a strip of whole image rows, in vectors: they stay in the second-level cache.
const STRIP_OUTPUT: usize = 8 << 10;
/// Fewest rows of maxima of a part.
const POOLED_ROWS: usize = 4;
/// Outputs of a strip of a dense layer; whole tiles.
const STRIP_OUTPUTS: usize = 64;

/// A convolution or dense layer, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Windowed {
    /// Channels and pixels of the output.
    pub shape: Shape,
    kind: PanelKind,
    groups: usize,
    group_inputs: usize,
    group_outputs: usize,
    /// Columns of a row.
    fan_in: usize,
    /// Dense: tile after tile `[column][row]`; the tile that begins with row `r` at `r · fan_in`. Depthwise: `[channel][tap]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    strips: Vec<Strip>,
}

/// Consecutive pixels and rows of one group at these pixels.
#[derive(Clone, Debug)]
struct Strip {
    pixels: Range<usize>,
    channels: Range<usize>,
    alike_pixels: Vec<AlikePixels>,
}

/// Pixels with the same taps.
#[derive(Clone, Debug)]
struct AlikePixels {
    spans: Vec<ColumnSpan>,
    /// Groups are numbered from the strip's first pixel.
    items: Vec<OutputPixel>,
}

/// What a layer reads besides its weights, and what follows it at once.
pub(super) struct Operands<'a, const L: usize> {
    /// The input, whole.
    pub input: &'a [Vector<L>],
    /// A tensor of the output's shape, whole, that is added.
    pub addend: Option<&'a [Vector<L>]>,
    /// What else happens to a sum.
    pub finish: &'a Finish,
}

impl Windowed {
    /// Unrolls one layer over an input whose elements have the order `input`.
    pub fn new(layer: &Layer, input: Shape) -> Result<Self, Error> {
        let graph = LayerAlone::new(layer, input)?;
        let (groups, weights, bias, order) = match &layer.op {
            Op::Conv(conv) => (conv.groups, &conv.weight, &conv.bias, ParameterOrder::of_kernel(conv, input.c)),
            Op::Dense(dense) => (1, &dense.weight, &dense.bias, ParameterOrder::of_dense(input)),
            _ => unreachable!("only convolutions and dense layers are windowed"),
        };
        let bias = bias.clone().unwrap_or_default();
        if !bias.is_empty() {
            crate::unroll::check::count(layer, "biases", bias.len(), layer.shape.c)?;
        }
        let is_dense = matches!(layer.op, Op::Dense(_));
        let mut windowed = Self {
            shape: layer.shape,
            kind: PanelKind::Dense,
            groups,
            group_inputs: input.c / groups,
            group_outputs: layer.shape.c / groups,
            fan_in: order.fan_in(),
            weights: Vec::new(),
            bias,
            strips: Vec::new(),
        };
        if groups > 1 && windowed.group_inputs == 1 && windowed.group_outputs == 1 {
            windowed.kind = PanelKind::Diagonal;
        }
        let cuts = if is_dense { dense_cuts(layer.shape.c) } else { windowed.cuts(input) };
        windowed.strips = cuts.into_iter().map(|cut| windowed.strip(&graph, input, cut)).collect();
        windowed.weights = windowed.packed(weights, order);
        Ok(windowed)
    }

    /// The weights, of which every group's rows come tile after tile.
    fn packed(&self, weights: &[f32], order: ParameterOrder) -> Vec<f32> {
        if self.kind == PanelKind::Diagonal {
            return weights.to_vec(); // one input channel: both orders are the same
        }
        let mut packed = vec![0.0; weights.len()];
        let mut first = 0;
        for (_, n_rows) in (0..self.groups).flat_map(|_| tiles(self.group_outputs)) {
            let tile = first..first + n_rows * self.fan_in;
            for (r, unit) in weights[tile.clone()].chunks_exact(self.fan_in).enumerate() {
                let slots = packed[tile.clone()].iter_mut().skip(r).step_by(n_rows);
                order.taps(unit).flatten().zip(slots).for_each(|((_, weight), slot)| *slot = weight);
            }
            first = tile.end;
        }
        packed
    }

    /// Pixels and channels of every strip of a convolution.
    fn cuts(&self, input: Shape) -> Vec<Extent> {
        let Shape { c, h, w } = self.shape;
        let taps = self.fan_in / self.group_inputs;
        let rows_of_taps = (taps as f64).sqrt().ceil() as usize;
        let columns = rows_of_taps * input.w * input.c;
        let edges = w * self.fan_in * c;
        let parts = columns.div_ceil(STRIP_COLUMNS).max(STRIPS.div_ceil(h)).clamp(1, w.div_ceil(STRIP_PIXELS));
        if parts > 1 {
            let cut =
                |y: usize, part: usize| Extent { y: y..y + 1, x: part * w / parts..(part + 1) * w / parts, c: 0..c };
            return (0..h).flat_map(|y| (0..parts).map(move |part| cut(y, part))).collect();
        }
        let most = (STRIP_OUTPUT / (w * c).max(1)).clamp(1, h.div_ceil(8));
        let rows = STRIP_EDGES.div_ceil(edges.max(1)).clamp(1, most);
        (0..h).step_by(rows).map(|y| Extent { y: y..h.min(y + rows), x: 0..w, c: 0..c }).collect()
    }

    /// The alike_pixels of one strip: of the first group, which the others repeat.
    fn strip(&self, graph: &LayerAlone, input: Shape, cut: Extent) -> Strip {
        let [y, x, c] = [&cut.y, &cut.x, &cut.c].map(|range| range.start as u32..range.end as u32);
        let blocks = graph.blocks([y, x, c]);
        let first_node = input.len() as u32;
        let first_pixel = cut.y.start * self.shape.w + cut.x.start;
        let n_pixels = (cut.y.len() - 1) * self.shape.w + cut.x.len();
        let group_values = (self.group_outputs * self.fan_in) as u64;
        let mut alike_pixels = Vec::new();
        let mut bare = vec![true; n_pixels];
        for block in &blocks.blocks {
            let intervals = blocks.intervals(block);
            if intervals[0].values >= group_values {
                continue;
            }
            let (mut items, mut spans) = (Vec::new(), Vec::new());
            for interval in intervals {
                let len = if self.kind == PanelKind::Dense { interval.len } else { 1 };
                let k = (interval.values % self.fan_in as u64) as u32;
                spans.push(ColumnSpan { column: interval.first_col, k, len });
            }
            for group in block.groups() {
                let pixel = (group.first_row - first_node) / self.shape.c as u32 - first_pixel as u32;
                bare[pixel as usize] = false;
                items.push(OutputPixel { shift: group.col_shift, index: pixel });
            }
            alike_pixels.push(AlikePixels { spans, items });
        }
        let items = (0..n_pixels as u32).filter(|&index| bare[index as usize]);
        let items: Vec<_> = items.map(|index| OutputPixel { shift: 0, index }).collect();
        if !items.is_empty() {
            alike_pixels.push(AlikePixels { spans: Vec::new(), items });
        }
        Strip { pixels: first_pixel..first_pixel + n_pixels, channels: cut.c, alike_pixels }
    }

    /// Computes the layer into `out`, the whole buffer that holds it at `slot`.
    pub fn run<const L: usize>(&self, isa: Isa, operands: &Operands<'_, L>, slot: Slot, out: &mut [Vector<L>]) {
        let starts = self.strips.iter().map(|strip| slot.at(strip.pixels.start, strip.channels.start));
        Strips::cut(out, starts).each(|index, first, out| {
            let strip = &self.strips[index];
            let first = slot.at(strip.pixels.start, strip.channels.start) - first;
            self.compute(isa, strip, operands, (slot, first), out);
        });
    }

    /// Computes the layer and maxima over windows of it, strip by strip, into `out`, the whole buffer that holds the maxima, a
    /// tensor of shape `output`, at `slot`.
    ///
    /// Threads have some rows of maxima each; what two need both compute.
    pub fn run_pooled<const L: usize>(
        &self,
        isa: Isa,
        operands: &Operands<'_, L>,
        (window, output): (&Window, Shape),
        slot: Slot,
        out: &mut [Vector<L>],
    ) {
        let Shape { c, h, w } = self.shape;
        let n_parts = match rayon::current_num_threads() {
            1 => 1,
            threads => 2 * threads,
        };
        let step = output.h.div_ceil(n_parts).max(POOLED_ROWS);
        let start = |y: usize| slot.at(y * output.w, 0);
        let starts = (0..output.h).step_by(step).map(start);
        let alone = Slot { buffer: 0, channels: c, offset: 0 };
        let n_pixels = self.strips.iter().map(|strip| strip.pixels.len()).max().unwrap_or(0);
        // Pixels of the layer before which row `y` of the maxima needs none, and from which on.
        let reach = (window.kernel[0] - 1) * window.dilation[0] + 1;
        let before = |y: usize| (y * window.stride[0]).saturating_sub(window.pad[0]) * w;
        let after = |y: usize| (y * window.stride[0] + reach).saturating_sub(window.pad[0]).min(h) * w;
        Strips::cut(out, starts).each(|index, first, out| {
            let rows = index * step..output.h.min((index + 1) * step);
            let first = start(rows.start) - first;
            for pixel in 0..rows.len() * output.w {
                out[first + pixel * slot.channels..][..c].fill([f32::NEG_INFINITY; L]);
            }
            let needed = before(rows.start)..after(rows.end - 1);
            let is_needed = |strip: &&Strip| strip.pixels.start < needed.end && needed.start < strip.pixels.end;
            let mut buffer = Buffer::default();
            buffer.reserve::<L>(n_pixels * c);
            for strip in self.strips.iter().filter(is_needed) {
                let pixels = strip.pixels.clone();
                self.compute(isa, strip, operands, (alone, 0), buffer.vectors_mut());
                let (shape, rows, width, values, out) =
                    (self.shape, rows.clone(), output.w, buffer.vectors(), &mut *out);
                isa.run(Maxima { window, shape, pixels, values, rows, width, slot, first, out });
            }
        });
    }

    /// True if every strip has all channels of some pixels.
    pub fn is_convolution(&self) -> bool {
        self.strips.iter().all(|strip| strip.channels.len() == self.shape.c)
    }

    /// Computes one strip, which begins at vector `first` of `out`.
    fn compute<const L: usize>(
        &self,
        isa: Isa,
        strip: &Strip,
        operands: &Operands<'_, L>,
        (slot, first): (Slot, usize),
        out: &mut [Vector<L>],
    ) {
        for group in 0..self.groups {
            match self.kind {
                PanelKind::Dense => self.dense(isa, strip, group, operands, (slot, first), out),
                PanelKind::Diagonal if group > 0 => {}
                PanelKind::Diagonal => isa.run(Depthwise { layer: self, strip, operands, slot, first, out: &mut *out }),
            }
        }
    }

    fn dense<const L: usize>(
        &self,
        isa: Isa,
        strip: &Strip,
        group: usize,
        operands: &Operands<'_, L>,
        (slot, first): (Slot, usize),
        out: &mut [Vector<L>],
    ) {
        let n_rows = self.group_outputs.min(strip.channels.len());
        let first_channel = strip.channels.start + group * self.group_outputs;
        for (tile, n_rows) in tiles(n_rows) {
            let row = first_channel + tile;
            for alike in &strip.alike_pixels {
                let of_tile = |first: usize, pixel: usize| Strides { first: first + row, pixel, row: 1 };
                let product = Product {
                    weights: &self.weights[row * self.fan_in..][..n_rows * self.fan_in],
                    n_rows,
                    spans: &alike.spans,
                    columns: &operands.input[group * self.group_inputs..],
                    out: Strides { first: first + row - strip.channels.start, pixel: slot.channels, row: 1 },
                    first_row: row,
                    bias: &self.bias,
                    finish: operands.finish,
                    addend: operands.addend.map(|a| (a, of_tile(strip.pixels.start * self.shape.c, self.shape.c))),
                };
                product.add(isa, &alike.items, out);
            }
        }
    }
}

/// Pixels and channels of a strip.
#[derive(Clone, Debug)]
struct Extent {
    y: Range<usize>,
    x: Range<usize>,
    c: Range<usize>,
}

fn dense_cuts(n_outputs: usize) -> Vec<Extent> {
    let cut = |c: usize| Extent { y: 0..1, x: 0..1, c: c..n_outputs.min(c + STRIP_OUTPUTS) };
    (0..n_outputs).step_by(STRIP_OUTPUTS).map(cut).collect()
}

/// A strip of a depthwise convolution.
struct Depthwise<'a, const L: usize> {
    layer: &'a Windowed,
    strip: &'a Strip,
    operands: &'a Operands<'a, L>,
    slot: Slot,
    first: usize,
    out: &'a mut [Vector<L>],
}

impl<const L: usize> Task for Depthwise<'_, L> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Windowed { weights, bias, fan_in, shape, .. } = self.layer;
        let Operands { input, addend, finish } = self.operands;
        for alike in &self.strip.alike_pixels {
            for item in &alike.items {
                let pixel = self.strip.pixels.start + item.index as usize;
                let out = &mut self.out[self.first + item.index as usize * self.slot.channels..][..shape.c];
                for (channel, out) in out.iter_mut().enumerate() {
                    let mut sum = [bias.get(channel).copied().unwrap_or(0.0); _];
                    for span in &alike.spans {
                        let x = &input[(span.column + item.shift) as usize + channel];
                        multiply_add(&mut sum, weights[channel * fan_in + span.k as usize], x);
                    }
                    let addend = addend.map(|addend| &addend[pixel * shape.c + channel]);
                    for (lane, (out, sum)) in out.iter_mut().zip(sum).enumerate() {
                        *out = finish.apply(channel, sum, addend.map(|addend| addend[lane]));
                    }
                }
            }
        }
    }
}
