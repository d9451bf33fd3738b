//! The choice of instruction set.

#[cfg(target_arch = "aarch64")]
use super::neon;
use super::portable;
use super::product::{OutputPixel, Product, Vector};
#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::kernel::lanes::isa::Isa;

impl<const L: usize> Product<'_, L> {
    /// Computes the rows of all pixels.
    ///
    /// # Panics
    /// If a pixel, a span or a row reaches outside its vectors.
    pub fn add(&self, isa: Isa, pixels: &[OutputPixel], fields: &mut [Vector<L>]) {
        self.check(pixels, fields.len());
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => x86::avx512(self, pixels, fields),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => x86::avx2(self, pixels, fields),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => neon::add(self, pixels, fields),
            Isa::Portable => portable::add(self, pixels, fields),
        }
    }
}
