//! Batch normalisation and constant scaling: factors per channel, and what ignoring them leaves out.

use super::options::BatchNormRule;
use crate::net::{Network, Op};

/// What an operator multiplies each channel by under a rule; nothing for other operators and with `Ignore`.
pub(super) fn factors(op: &Op, rule: BatchNormRule) -> Option<Vec<f32>> {
    let sign = |x: &f32| if *x < 0.0 { -1.0 } else { 1.0 };
    match (op, rule) {
        (_, BatchNormRule::Ignore) => None,
        (Op::BatchNorm(norm), BatchNormRule::Sign) => Some(norm.gamma.iter().map(sign).collect()),
        (Op::BatchNorm(norm), BatchNormRule::Fold) => {
            let factor = |(gamma, var): (&f32, &f32)| {
                (f64::from(*gamma) / (f64::from(*var) + f64::from(norm.epsilon)).sqrt()) as f32
            };
            Some(norm.gamma.iter().zip(&norm.var).map(factor).collect())
        }
        (Op::Scale(scale), BatchNormRule::Sign) => Some(scale.mul.iter().map(sign).collect()),
        (Op::Scale(scale), BatchNormRule::Fold) => Some(scale.mul.clone()),
        _ => None,
    }
}

/// One line each for the negative scales that `Ignore` leaves out.
pub(super) fn warnings(net: &Network) -> Vec<String> {
    let scales = |pick: fn(&Op) -> Option<&[f32]>| {
        let all = || net.layers.iter().filter_map(move |layer| pick(&layer.op)).flatten();
        (all().filter(|scale| **scale < 0.0).count(), all().count())
    };
    let norms = scales(|op| if let Op::BatchNorm(norm) = op { Some(&norm.gamma) } else { None });
    let muls = scales(|op| if let Op::Scale(scale) = op { Some(&scale.mul) } else { None });
    let line = |what: &str, (negative, total): (usize, usize)| {
        let text = format!(
            "{what}: {negative} of {total} scales are negative; their signs are ignored, see --batch-norm sign"
        );
        (negative > 0).then_some(text)
    };
    [line("batch normalisation", norms), line("constant scaling", muls)].into_iter().flatten().collect()
}
