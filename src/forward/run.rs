//! Running a schedule: one stage after the other, each on all threads.

use super::elementwise::{self, Elementwise};
use super::pool;
use super::schedule::{Computation, PlacedTensor, Schedule, Stage};
use super::tensor::{Buffer, Slot, Strips};
use super::windowed::Operands;
use crate::kernel::Isa;
use crate::kernel::images::Vector;

/// Vectors of a strip of an elementwise stage.
const STRIP: usize = 1 << 13;

/// Tensors that a stage reads; one that it changes in place has no vectors here.
type Inputs<'a, const L: usize> = [(&'a [Vector<L>], &'a PlacedTensor)];

/// Computes all stages of a schedule in `buffers`, which are made large enough.
pub(super) fn run<const L: usize>(isa: Isa, schedule: &Schedule, buffers: &mut Vec<Buffer>, images: &[Vector<L>]) {
    buffers.resize_with(buffers.len().max(schedule.buffers.len()), Buffer::default);
    for (buffer, &size) in buffers.iter_mut().zip(&schedule.buffers) {
        buffer.reserve::<L>(size);
    }
    let input = &schedule.tensors[0];
    let out = &mut buffers[input.slot.buffer].vectors_mut()[..images.len()];
    Strips::of_pixels(out, 1, STRIP).each(|_, first, out| out.copy_from_slice(&images[first..][..out.len()]));
    for stage in &schedule.stages {
        let output = &schedule.tensors[stage.output];
        // The output's buffer is taken out of the list for as long as the others are read.
        let mut out = std::mem::take(&mut buffers[output.slot.buffer]);
        let size = output.slot.channels * output.order.h * output.order.w;
        let inputs: Vec<(&[Vector<L>], &PlacedTensor)> = stage
            .inputs
            .iter()
            .map(|&input| {
                let tensor = &schedule.tensors[input];
                let buffer: &[Vector<L>] =
                    if input == stage.output { &[] } else { buffers[tensor.slot.buffer].vectors() };
                (&buffer[..buffer.len().min(tensor.order.len())], tensor)
            })
            .collect();
        compute(isa, stage, &inputs, (output, &mut out.vectors_mut()[..size]));
        buffers[output.slot.buffer] = out;
    }
}

/// Computes one stage into `out`, the whole buffer that holds its output.
fn compute<const L: usize>(
    isa: Isa,
    stage: &Stage,
    inputs: &Inputs<'_, L>,
    (output, out): (&PlacedTensor, &mut [Vector<L>]),
) {
    let (slot, c) = (output.slot, output.order.c);
    let input = inputs[0].0;
    match &stage.computation {
        Computation::Windowed { layer, finish } => {
            let operands = Operands { input, addend: inputs.get(1).map(|input| input.0), finish };
            layer.run(isa, &operands, slot, out);
        }
        Computation::Pooled { layer, finish, window } => {
            let operands = Operands { input, addend: inputs.get(1).map(|input| input.0), finish };
            layer.run_pooled(isa, &operands, (window, output.order), slot, out);
        }
        Computation::Pool { pool, input: shape } => pool::run(isa, pool, (input, *shape), output.order, slot, out),
        Computation::Lrn(lrn) => Strips::of_pixels(out, c, STRIP).each(|_, first, out| {
            pool::normalise(isa, lrn, c, input, first, out);
        }),
        Computation::Elementwise(f) => {
            let copied = (stage.inputs[0] != stage.output).then_some(input);
            apply(isa, f, copied, (c, slot), out);
        }
        Computation::Sum => {
            let inputs: Vec<&[Vector<L>]> = inputs.iter().map(|input| input.0).collect();
            Strips::of_pixels(out, c, STRIP).each(|_, first, out| elementwise::sum(isa, &inputs, first, out));
        }
        Computation::Concat(firsts) => Strips::of_pixels(out, slot.channels, STRIP).each(|_, first, out| {
            for ((input, tensor), &channel) in inputs.iter().zip(firsts) {
                let slot = Slot { offset: slot.offset + channel, ..slot };
                elementwise::copy(input, tensor.order.c, slot, first, out);
            }
        }),
        Computation::Gather(gather) => {
            Strips::of_pixels(out, c, STRIP).each(|_, first, out| gather.run(input, first, out));
        }
        Computation::Softmax => Strips::of_pixels(out, c, STRIP).each(|_, first, out| {
            elementwise::copy(input, c, slot, first, out);
            pool::softmax(c, out);
        }),
    }
}

/// Applies a function to a tensor of `c` channels: to a copy of `input`, or to what its slot in `out` holds.
fn apply<const L: usize>(
    isa: Isa,
    f: &Elementwise,
    input: Option<&[Vector<L>]>,
    (c, slot): (usize, Slot),
    out: &mut [Vector<L>],
) {
    Strips::of_pixels(out, slot.channels, STRIP).each(|_, first, out| {
        if let Some(input) = input {
            elementwise::copy(input, c, slot, first, out);
        }
        if slot.channels == c {
            return f.apply(isa, first, out);
        }
        // The tensor lies inside a concatenation: between its pixels are other channels, which stay.
        let first_pixel = first / slot.channels;
        for (pixel, out) in out.chunks_mut(slot.channels).enumerate() {
            f.apply(isa, (first_pixel + pixel) * c, &mut out[slot.offset..][..c]);
        }
    });
}
