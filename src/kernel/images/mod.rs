//! Panels times images: the same sums with any values in the lanes in place of spins, for the forward pass.
//!
//! A vector holds one element of the input in sixteen images (or in eight, or four). One edge is one fused multiply-add for
//! all of them.
//!
//! # Method
//! Rows are taken in tiles of eight (then four, two, one: [`tiles`]) whose weights are packed `[column][row]`. A tile meets up
//! to three row groups at a time, which are **pixels** of the output: their 24 sums stay in registers, and a column costs three
//! loads of images and eight broadcasts of weights.
//!
//! ```text
//!                      x at pixel 0   x at pixel 1   x at pixel 2       three vectors of images
//! weight of row 0          sum            sum            sum
//! weight of row 1          sum            sum            sum            eight weights, one column
//! …                         …              …              …             24 sums: sum += weight · x
//! weight of row 7          sum            sum            sum
//! ```
//!
//! So of 32 registers 24 are sums, three are images, one is a weight. Where there are only sixteen, a tile has four rows and
//! meets two pixels: eight sums. The images are read where they are, without a copy: pixels have the same columns but for a
//! shift ([`OutputPixel`]), and consecutive columns are consecutive vectors ([`ColumnSpan`]).
//!
//! Vectors of eight images are half the registers' width, at half the cost. Vectors of four share a register in pairs, one of
//! each of two pixels.
//!
//! # Order of summation (part of the definition)
//! A sum begins with the row's bias; then `sum = w(row, k) · x[k] + sum`, rounded once, over the columns in the order of their
//! spans; then what follows ([`Finish`]). Every instruction set gives the bits of `portable.rs`, the loop that defines it.
//!
//! - [`product`]: what is multiplied, and where everything lies; [`finish`]: what happens to a sum before it is stored;
//! - [`add`]: the choice of instruction set; `portable`, `x86`, `neon`: the loops.

mod add;
mod finish;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod product;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use finish::{Finish, clamp, multiply_add};
pub(crate) use product::{ColumnSpan, OutputPixel, Product, Strides, Vector, tiles};

#[cfg(test)]
mod tests;
