//! PERTURBATIONS: do the outputs follow the partial order that the ground state predicts?
//!
//! If a network had no frustrated edge, a sign for each node would make all its weights positive: pushing the inputs up along
//! their signs could only push every output up along its own. Trained networks have frustrated edges, but fewer than chance
//! would leave, and their ground state still gives the inputs and the outputs signs. So images are pushed along the
//! inputs' signs, and what is tested is whether more of the outputs follow theirs than the half that chance would give.
//!
//! ```text
//!   image x₁ ─────────────────────────▶ network ─▶ logits y₁ ──┐
//!      │  + S_x δ   δ > 0 at random                            ├─▶ sign of y₂ − y₁, output by output
//!      ▼            S_x: spins of the inputs                   │          against S_y: spins of the outputs
//!   image x₂ ─────────────────────────▶ network ─▶ logits y₂ ──┘
//!
//!   S_y          +    −    −    +    +
//!   y₂ − y₁     0.3 −0.1  0.2  0.9  0.1
//!   follows     yes  yes   no  yes  yes      Ω = 4/5
//! ```
//!
//! # Definitions
//! After the paper, sections "Near-monotonicity" of the results and eq. (10). `S_x` and `S_y` are the spins of a low state on
//! the nodes of the input and of the output layer ([`Signs`]). An image `x₁` is pushed along the order of the inputs,
//! `x₂ = x₁ + S_x δ` with `δ > 0`: every element uniform in (0, 1), then all scaled to a chosen `‖δ‖₂`, in the units of the
//! network's input. The **output alignment fraction** is the share of the logits `y` (before softmax) that follow,
//! `Ω = (1/n_h) #{i : s_y,i (y₂,i − y₁,i) ≥ 0}`: 1 or, moving against the order, 0 for a monotone network, near ½ if the
//! order means nothing. [`lambda()`] says in one number how far from ½ a sample is.
//!
//! A logit that does not change at all follows, by this definition. Trained networks have none; of a network with new weights
//! that ends in a ReLU a sixth can be dead, which lifts Ω by a twelfth. So their share is recorded, and [`omega_of_moved`]
//! leaves them out.
//!
//! # Null cases
//! [`Case::N3`] has new weights and the signs of a low state of its own graph; [`Case::RandomDirection`] the network's
//! weights, with random signs in place of `S_x` and `S_y`, other ones for every perturbation.
//!
//! How low the state of new weights is matters. Descents keep some of the order of the all +1 state they begin from, and the
//! outputs of a ReLU, none of which is negative, follow that: on SqueezeNet Ω of the logits that move was 0.47 to 0.65, by
//! model, along states of `sweep`, and 0.49 to 0.51 along states of `anneal`.
//!
//! # The global sign
//! A state and its opposite have the same energy, and push an image in opposite directions. [`Signs::of_state`] takes the
//! one in which most inputs are +1; if as many are −1, the one in which the first input is.
//!
//! # Random numbers
//! Element `e` of `δ` is number `e` of a stream of its own (SplitMix64; `src/random.rs` defines it, a few lines) whose
//! words are the seed, the case (0 real, 1 n3, 2 random-direction), the image and the perturbation. The random signs of the
//! inputs, and of the outputs, are the topmost bits of two more, with 3 and 4 in place of the case. So they do not depend on
//! threads, shards, batches, or the other images.
//!
//! # Cost
//! One forward pass for each image and each of its perturbations, sixteen at a time. Memory: `4 · 16` bytes per element of
//! the largest layers for each thread, and the logits of the images under way.

mod case;
mod error;
mod experiment;
mod lambda;
mod reweighted;
mod signs;
#[cfg(test)]
mod tests;

pub use case::Case;
pub use error::Error;
pub use experiment::{Arm, Experiment, Outcome, norms, omega_of_moved};
pub use lambda::{Bootstrap, Estimate, lambda};
pub use reweighted::reweighted;
pub use signs::Signs;
