//! Plain loops that are compiled once for every instruction set.

/// Plain code to be compiled once for every instruction set: [`Isa::run`](super::isa::Isa::run) chooses.
///
/// Mark [`run`](Task::run) `#[inline(always)]`, and everything below it that matters: only what is inlined gets the wider
/// vectors. (Loops over lanes instead of `array::from_fn`, which the compiler may leave a function of its own.)
pub trait Task {
    /// What it computes.
    type Output;
    /// Computes it.
    fn run(self) -> Self::Output;
}
