//! Running a plan: one step after the other, each on all threads.

use super::plan::{Kind, Plan, Step, Tensor};
use super::tensor::{Bands, Buffer};
use super::windowed::Operands;
use super::{elementwise, pool};
use crate::kernel::Isa;
use crate::kernel::images::Vector;

/// Vectors of a part of an elementwise step.
const PART: usize = 1 << 13;

/// Computes all steps of a plan in `buffers`, which are made large enough.
pub(super) fn run<const L: usize>(isa: Isa, plan: &Plan, buffers: &mut Vec<Buffer>, images: &[Vector<L>]) {
    buffers.resize_with(buffers.len().max(plan.buffers.len()), Buffer::default);
    for (buffer, &size) in buffers.iter_mut().zip(&plan.buffers) {
        buffer.reserve::<L>(size);
    }
    let input = &plan.tensors[0];
    let out = &mut buffers[input.place.buffer].vectors_mut()[..images.len()];
    Bands::of_pixels(out, 1, PART).each(|_, first, out| out.copy_from_slice(&images[first..][..out.len()]));
    for step in &plan.steps {
        let output = &plan.tensors[step.output];
        let mut out = std::mem::take(&mut buffers[output.place.buffer]);
        let size = output.place.channels * output.order.h * output.order.w;
        let inputs: Vec<(&[Vector<L>], &Tensor)> = step
            .inputs
            .iter()
            .map(|&input| {
                let tensor = &plan.tensors[input];
                let buffer: &[Vector<L>] =
                    if input == step.output { &[] } else { buffers[tensor.place.buffer].vectors() };
                (&buffer[..buffer.len().min(tensor.order.len())], tensor)
            })
            .collect();
        compute(isa, step, &inputs, output, &mut out.vectors_mut()[..size]);
        buffers[output.place.buffer] = out;
    }
}

fn compute<const L: usize>(
    isa: Isa,
    step: &Step,
    inputs: &[(&[Vector<L>], &Tensor)],
    output: &Tensor,
    out: &mut [Vector<L>],
) {
    let (place, c) = (output.place, output.order.c);
    let first_input = inputs[0].0;
    match &step.kind {
        Kind::Windowed { layer, finish } => {
            let operands = Operands { input: first_input, addend: inputs.get(1).map(|input| input.0), finish };
            layer.run(isa, &operands, place, out);
        }
        Kind::Pooled { layer, finish, window } => {
            let operands = Operands { input: first_input, addend: inputs.get(1).map(|input| input.0), finish };
            layer.run_pooled(isa, &operands, (window, output.order), place, out);
        }
        Kind::Pool { pool, input } => pool::run(isa, pool, (first_input, *input), output.order, place, out),
        Kind::Lrn(lrn) => Bands::of_pixels(out, c, PART).each(|_, first, out| {
            pool::normalise(isa, lrn, c, first_input, first, out);
        }),
        Kind::Elementwise(f) => Bands::of_pixels(out, place.channels, PART).each(|_, first, out| {
            let first_pixel = first / place.channels;
            if step.inputs[0] != step.output {
                elementwise::copy(first_input, c, place, first, out);
            }
            if place.channels == c {
                return f.apply(isa, first, out);
            }
            for (pixel, out) in out.chunks_mut(place.channels).enumerate() {
                f.apply(isa, (first_pixel + pixel) * c, &mut out[place.offset..][..c]);
            }
        }),
        Kind::Sum => {
            let inputs: Vec<&[Vector<L>]> = inputs.iter().map(|input| input.0).collect();
            Bands::of_pixels(out, c, PART).each(|_, first, out| elementwise::sum(isa, &inputs, first, out));
        }
        Kind::Concat(firsts) => Bands::of_pixels(out, place.channels, PART).each(|_, first, out| {
            for ((input, tensor), &channel) in inputs.iter().zip(firsts) {
                let mut place = place;
                place.offset += channel;
                elementwise::copy(input, tensor.order.c, place, first, out);
            }
        }),
        Kind::Gather(gather) => {
            Bands::of_pixels(out, c, PART).each(|_, first, out| gather.run(first_input, first, out));
        }
        Kind::Softmax => Bands::of_pixels(out, c, PART).each(|_, first, out| {
            elementwise::copy(first_input, c, place, first, out);
            pool::softmax(c, out);
        }),
    }
}
