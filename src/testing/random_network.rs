//! Random small networks.

use super::network::{NetworkBuilder, Round, window};
use crate::net::{Network, Op, PoolKind, Shape, Window};

/// The network that a script describes: one or a few layers per word, as far as sizes allow.
pub(crate) fn network((c, h, w): (usize, usize, usize), script: &[[u8; 8]], dense: bool) -> Network {
    let mut build = NetworkBuilder::input(c, h, w);
    let mut at = 0;
    for word in script {
        let word = word.map(usize::from);
        // Mostly the last tensor, sometimes an earlier one.
        let from = if word[0] % 4 == 0 { word[1] % build.n_layers() } else { at };
        at = step(&mut build, from, &word).unwrap_or(at);
    }
    if dense {
        let flat = build.flatten(at);
        let flat = build.relu(flat);
        let flat = if script[0][7].is_multiple_of(2) { build.add(&[flat, flat]) } else { flat };
        build.dense(flat, 3);
    }
    build.net()
}

fn step(build: &mut NetworkBuilder, from: usize, word: &[usize; 8]) -> Option<usize> {
    let shape = build.shape(from);
    match word[2] % 14 {
        0 | 1 => conv(build, from, word),
        2 => {
            let window = random_window(shape, word)?;
            let kind = [PoolKind::Max, PoolKind::Average][word[3] % 2];
            Some(build.pool(from, kind, window, if word[7].is_multiple_of(2) { Round::Up } else { Round::Down }))
        }
        3 => Some(build.global_pool(from)),
        4 => {
            let c = shape.c;
            let other = conv_same(build, from, c, word);
            Some(build.add(&[from, other]))
        }
        5 => {
            let other = conv_same(build, from, 1 + word[3] % 3, word);
            let inputs = if word[4].is_multiple_of(2) { [from, other] } else { [other, from] };
            (shape.c < 10).then(|| build.concat(&inputs))
        }
        6 => Some(build.shuffle(from, divisor(shape.c, word[3]))),
        7 => {
            let conv = conv(build, from, word)?;
            let norm = build.norm(conv);
            Some(build.shuffle(norm, divisor(build.shape(norm).c, word[3])))
        }
        8 => slice(build, from, word),
        9 => pad(build, from, word),
        10 => Some(build.norm(from)),
        11 => Some(build.scale(from)),
        12 => Some(build.relu(from)),
        _ => {
            let same = |layer: &usize| build.shape(*layer) == shape && !matches!(build.layers[*layer].op, Op::Flatten);
            let other = (0..build.n_layers()).rev().filter(same).nth(word[3] % 3)?;
            Some(build.add(&[from, other, from]))
        }
    }
}

fn conv(build: &mut NetworkBuilder, from: usize, word: &[usize; 8]) -> Option<usize> {
    let shape = build.shape(from);
    let groups = divisor(shape.c, word[6]);
    let out = groups * (1 + word[7] % 3);
    let window = random_window(shape, word)?;
    (out < 13).then(|| build.conv(from, out, window, groups))
}

fn conv_same(build: &mut NetworkBuilder, from: usize, c: usize, word: &[usize; 8]) -> usize {
    let kernel = [1, 3][word[5] % 2];
    build.conv_to(from, Shape { c, ..build.shape(from) }, window(kernel, 1, kernel / 2), 1)
}

fn random_window(shape: Shape, word: &[usize; 8]) -> Option<Window> {
    let two = |byte: usize, n: usize| [byte % n, byte / n % n];
    let window = Window {
        kernel: two(word[3], 3).map(|n| n + 1),
        stride: two(word[4], 3).map(|n| n + 1),
        pad: two(word[5], 3),
        dilation: two(word[6], 2).map(|n| n + 1),
    };
    let fits = |axis: usize, n: usize| n + 2 * window.pad[axis] > window.dilation[axis] * (window.kernel[axis] - 1);
    (fits(0, shape.h) && fits(1, shape.w)).then_some(window)
}

fn slice(build: &mut NetworkBuilder, from: usize, word: &[usize; 8]) -> Option<usize> {
    let shape = build.shape(from);
    let sizes = [shape.c, shape.h, shape.w];
    let begin = [0, 1, 2].map(|axis| (word[3] >> (2 * axis)) % 2 % sizes[axis]);
    let step = [0, 1, 2].map(|axis| (word[4] >> (2 * axis)) % 3 + 1);
    let [c, h, w] = [0, 1, 2].map(|axis| (sizes[axis] - begin[axis]).div_ceil(step[axis]));
    Some(build.slice(from, begin, step, Shape::new(c, h, w)))
}

fn pad(build: &mut NetworkBuilder, from: usize, word: &[usize; 8]) -> Option<usize> {
    let shape = build.shape(from);
    let before = [0, 1, 2].map(|axis| (word[3] >> (2 * axis)) % 3);
    let after = [0, 1, 2].map(|axis| (word[4] >> (2 * axis)) % 2);
    let [c, h, w] = [0, 1, 2].map(|axis| [shape.c, shape.h, shape.w][axis] + before[axis] + after[axis]);
    (c < 12 && h < 10 && w < 10).then(|| build.pad(from, before, Shape::new(c, h, w)))
}

/// Some divisor of a channel count.
fn divisor(c: usize, choice: usize) -> usize {
    let divisors: Vec<_> = (1..=c).filter(|n| c.is_multiple_of(*n)).collect();
    divisors[choice % divisors.len()]
}
