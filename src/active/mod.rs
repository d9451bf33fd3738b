//! ACTIVE SUBNETWORKS: what of the graph takes part in the network's answer to an image, and how frustrated that is.
//!
//! # Definition (paper, D.3)
//! An edge from node `j` to a layer is **active** if no ReLU that the value of `j` passes on its route to that layer makes it
//! zero; into a max-pooling layer only if the element of `j` is the maximum (all of them on a tie). Average pooling keeps
//! all its edges. ReLU is every activation that is zero on one side of some number: `max(x, 0)`, and clipping at zero. Values
//! at the other end of a clip are not zero: they stay.
//!
//! Of the output layer only the node of the predicted class stays: the largest logit, the first on a tie. Then nodes go
//! from which no active edges lead there. What stays is the active subnetwork; a node that is only reached by inactive
//! edges stays, as does one whose inputs are all zero.
//!
//! With residual connections (`--residual expand`) the value of an addend passes the activations of all sums between it
//! and its reader; so the condition is one of the edge, not of the node.
//!
//! # A picture
//! A node **lives** in an image if active edges lead from it to the predicted class, or it is the class.
//! Three nodes of a layer `a`, a ReLU, and two nodes of a layer `b`, of which the second reaches the predicted class:
//!
//! ```text
//!   value   ReLU    gate                                edge      gate of the source   target lives   active
//!   a0   2 ─▶ 2     open   ─┬─────────── b0  dead end   a0 → b0   open                 no             no
//!                           └─────────┐                 a0 → b1   open                 yes            yes
//!   a1  −1 ─▶ 0     closed ───────────┼─ b1  lives      a1 → b1   closed               yes            no
//!   a2   3 ─▶ 3     open   ───────────┘                 a2 → b1   open                 yes            yes
//! ```
//!
//! So an edge `j → i` is active in an image if the gates of `j` towards the layer of `i` are open and `i` lives, and a node
//! lives if it is the predicted class or has an active edge. Going from the last layer to the first, "`i` lives" is known
//! when it is needed. `a1` has no active edge and goes; `b0` does too. Into a max-pooling layer a third condition is that of
//! the edge itself: the element of `j` is the maximum of the window. Only these edges have a mask each, the **max mask**.
//!
//! # Representation
//! Sixteen images at a time, one per lane, one bit of a mask each ([`crate::kernel`]). Three kinds of masks say everything,
//! and no edge is listed:
//!
//! ```text
//!  alive   by node: the images in which it lives
//!  open    by layer, the gates on the way to a reader, and node: the images in which they are open   (`wiring`)
//!  max     by edge, into max-pooling layers only: the images in which its element is the maximum     (`max_masks`)
//! ```
//!
//! # Energy
//! `e(s) = ½ (1 − Σ s_i w s_j / Σ|w|)` over active edges. The solver is [`crate::spin`]'s; see [`spin::Problem`](crate::spin::Problem). A
//! subnetwork without edges has energy 0.
//!
//! # Cost
//! A sweep multiplies all edges of the graph, active in some image or not, once in each direction for sixteen images. Memory
//! beyond the graph's: the forward pass's states, `64` bytes an element of any layer's output, until the masks are made;
//! for each node `2` bytes, and `2` for each distinct route on; `4` for each edge into a max-pooling layer.
//!
//! # Determinism
//! An image's result depends on the image, the graph and the method only, with [`Method::Anneal`](crate::spin::Method::Anneal)
//! also on the seed and the number that the image is given: not on the other fifteen, threads, or instruction set.

mod activity;
mod alive;
mod answer;
mod count;
mod error;
mod fields;
mod max_masks;
mod sections;
#[cfg(test)]
mod tests;
mod wiring;

pub use activity::{Active, Activity};
pub use answer::Answer;
pub use error::Error;
pub use wiring::Wiring;
