//! Dense blocks by tables: the sixteen sums that four columns can have are made once, and looked up by four spins.
//!
//! - [`sums`]: what a table is; [`weights`]: where the weights are that it is made of;
//! - [`add`](mod@add): the loops over tiles and positions;
//! - [`portable`]: how tables are built and looked up, in plain Rust; [`x86`] and `neon`: the same with vectors;
//! - [`direct`]: what is done instead where a table would be looked up only once.

mod add;
#[cfg(target_arch = "x86_64")]
pub(super) mod direct;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
pub(super) mod sums;
pub(super) mod weights;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use add::add;
