//! The coefficients of one block, code by code.

use super::huffman::{Bits, Damage, HuffmanCode};

/// A DC coefficient: how many bits its difference takes, and those.
pub(super) fn difference(code: &HuffmanCode, bits: &mut Bits<'_>) -> Result<(), Damage> {
    let size = bits.symbol(code)?;
    bits.take(u32::from(size.min(16))).map(drop)
}

/// All coefficients of a block.
pub(super) fn baseline(dc: &HuffmanCode, ac: &HuffmanCode, bits: &mut Bits<'_>) -> Result<(), Damage> {
    difference(dc, bits)?;
    let mut k = 1;
    while k < 64 {
        let symbol = bits.symbol(ac)?;
        let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
        if size == 0 && zeros < 15 {
            break;
        }
        k += zeros + 1;
        bits.take(size.into())?;
    }
    if k > 64 { Err("a block has more than 64 coefficients".into()) } else { Ok(()) }
}

/// AC coefficients of a progressive scan.
pub(super) struct Band<'a> {
    pub code: &'a HuffmanCode,
    pub last: usize,
}

impl Band<'_> {
    /// Their first scan.
    pub(super) fn begin(&self, mut k: usize, block: &mut u64, bits: &mut Bits<'_>) -> Result<(), Damage> {
        if bits.run > 0 {
            bits.run -= 1;
            return Ok(());
        }
        while k <= self.last {
            let symbol = bits.symbol(self.code)?;
            let (zeros, size) = (usize::from(symbol >> 4), symbol & 15);
            if size == 0 && zeros < 15 {
                bits.run = (1 << zeros) - 1 + bits.take(zeros as u32)?;
                break;
            }
            k += zeros;
            if size > 0 {
                bits.take(size.into())?;
                *block |= 1u64.checked_shl(k as u32).ok_or("a block has more than 64 coefficients")?;
            }
            k += 1;
        }
        Ok(())
    }

    /// One more bit of those that are not zero, and some that become so.
    pub(super) fn refine(&self, mut k: usize, block: &mut u64, bits: &mut Bits<'_>) -> Result<(), Damage> {
        while bits.run == 0 && k <= self.last {
            let symbol = bits.symbol(self.code)?;
            let (zeros, size) = (u32::from(symbol >> 4), symbol & 15);
            if size == 0 && zeros < 15 {
                bits.run = (1 << zeros) + bits.take(zeros)?;
                break;
            }
            bits.take(u32::from(size > 0))?;
            k = self.pass(k, zeros, *block, bits)?;
            if size > 0 && k < 64 {
                *block |= 1 << k;
            }
            k += 1;
        }
        if bits.run > 0 {
            bits.run -= 1;
            self.pass(k, u32::MAX, *block, bits)?;
        }
        Ok(())
    }

    /// Passes that many zeros, with a bit for everything else on the way. Returns where it ends: at a zero, or behind.
    fn pass(&self, mut k: usize, mut zeros: u32, block: u64, bits: &mut Bits<'_>) -> Result<usize, Damage> {
        while k <= self.last {
            match (block >> k & 1, zeros) {
                (1, _) => drop(bits.take(1)?),
                (_, 0) => break,
                _ => zeros -= 1,
            }
            k += 1;
        }
        Ok(k)
    }
}
