//! `S_x` and `S_y`: directions for inputs and outputs.

use super::error::Error;
use crate::graph::{BlockStream, Layer};
use crate::kernel::state;
use crate::net::{Network, Op};
use crate::random::Stream;

/// A sign, +1 or −1, for every element of the input and of the output, channels-last as the nodes of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    /// `S_x`.
    pub input: Vec<i8>,
    /// `S_y`.
    pub output: Vec<i8>,
}

impl Signs {
    /// The parts of a [state] on the first and the last of its graph's layers.
    /// Its global sign is chosen: see [`crate::perturb`].
    ///
    /// # Errors
    /// If the state is not as long as the graph's.
    pub fn of_state(layers: &[Layer], state: &[u8]) -> Result<Self, Error> {
        let n_nodes = layers.last().map_or(0, |layer| layer.nodes.end);
        let expected = state::n_bytes(n_nodes);
        if state.len() != expected {
            return Err(Error::State { found: state.len(), expected, n_nodes });
        }
        let spin = |node: u32| if state::is_up(state, node) { 1 } else { -1 };
        let spins = |layer: Option<&Layer>| layer.map_or_else(Vec::new, |l| l.nodes.clone().map(spin).collect());
        let [input, output] = [layers.first(), layers.last()].map(spins);
        Ok(Self { input, output }.upright())
    }

    /// `n` random signs in place of `S_x`, for one perturbation of one image.
    pub fn random_input(seed: u64, of: [u64; 2], n: usize) -> Vec<i8> {
        draw(seed, 3, of, n)
    }

    /// `n` random signs in place of `S_y`.
    pub fn random_output(seed: u64, of: [u64; 2], n: usize) -> Vec<i8> {
        draw(seed, 4, of, n)
    }

    /// These signs or their opposite, so that most inputs are +1.
    fn upright(mut self) -> Self {
        let sum: i64 = self.input.iter().map(|&sign| i64::from(sign)).sum();
        if sum < 0 || sum == 0 && self.input.first() == Some(&-1) {
            self.input.iter_mut().chain(&mut self.output).for_each(|sign| *sign = -*sign);
        }
        self
    }
}

fn draw(seed: u64, purpose: u64, [image, perturbation]: [u64; 2], n: usize) -> Vec<i8> {
    let stream = Stream::new(&[seed, purpose, image, perturbation]);
    (0..n as u64).map(|element| if stream.bits(element) >> 63 == 1 { 1 } else { -1 }).collect()
}

/// That the logits, the output of layer `logits` of `net`, are the nodes of the last layer of its graph, in their order.
///
/// # Errors
/// [`Error::Output`] if they are not.
pub(super) fn check_output(net: &Network, graph: &dyn BlockStream, logits: usize) -> Result<(), Error> {
    let last = graph.layers().last().map_or("", |layer| &layer.name);
    let mut at = logits;
    while net.layers[at].name != last {
        let layer = &net.layers[at];
        match (&layer.op, layer.inputs.first()) {
            (Op::Activation(_) | Op::BatchNorm(_) | Op::Scale(_) | Op::Flatten | Op::Softmax, Some(&input)) => {
                at = input
            }
            _ => {
                let (logits, between) = (net.layers[logits].name.clone(), layer.name.clone());
                return Err(Error::Output { logits, layer: last.to_owned(), between });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_inputs_are_positive() {
        let signs = |input: &[i8]| Signs { input: input.to_vec(), output: vec![1, -1] };
        let opposite = |input: &[i8]| Signs { input: input.to_vec(), output: vec![-1, 1] };
        assert_eq!(signs(&[1, 1, -1]).upright(), signs(&[1, 1, -1]));
        assert_eq!(signs(&[-1, 1, -1]).upright(), opposite(&[1, -1, 1]));
        assert_eq!(signs(&[-1, 1]).upright(), opposite(&[1, -1]));
        assert_eq!(signs(&[1, -1]).upright(), signs(&[1, -1]));
    }

    #[test]
    fn random_signs_are_fresh_for_every_perturbation() {
        let signs = |image, perturbation| Signs::random_input(7, [image, perturbation], 1000);
        let agreement = |a: &[i8], b: &[i8]| a.iter().zip(b).filter(|(a, b)| a == b).count();
        let one = signs(0, 0);
        assert_eq!(one, signs(0, 0));
        for other in [signs(0, 1), signs(1, 0), Signs::random_output(7, [0, 0], 1000), vec![1; 1000]] {
            assert!((440..560).contains(&agreement(&one, &other)), "{}", agreement(&one, &other));
        }
    }
}
