//! Integers in as few bytes as they need: seven bits a byte, low bits first, the top bit says that more follow.
//! Signed differences are zigzag-coded (0, −1, 1, −2, … become 0, 1, 2, 3, …).

use super::error::Fault;

/// Appends `value`.
pub(super) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends `value` as its difference, modulo 2⁶⁴, to `predicted`.
pub(super) fn push_delta(out: &mut Vec<u8>, value: u64, predicted: u64) {
    let delta = value.wrapping_sub(predicted) as i64;
    push(out, ((delta << 1) ^ (delta >> 63)) as u64);
}

/// Reads what the functions above wrote, from bytes that may be anything.
#[derive(Debug)]
pub(super) struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    /// Bytes not yet read.
    pub fn left(&self) -> usize {
        self.0.len()
    }

    pub fn byte(&mut self) -> Result<u8, Fault> {
        let (&first, rest) = self.0.split_first().ok_or(Fault::Truncated)?;
        self.0 = rest;
        Ok(first)
    }

    pub fn u64(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                return Err(Fault::TooLarge);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Fault::TooLarge)
    }

    pub fn u32(&mut self) -> Result<u32, Fault> {
        u32::try_from(self.u64()?).map_err(|_| Fault::TooLarge)
    }

    pub fn delta(&mut self, predicted: u64) -> Result<u64, Fault> {
        let zigzag = self.u64()?;
        Ok(predicted.wrapping_add((zigzag >> 1) ^ (zigzag & 1).wrapping_neg()))
    }

    pub fn delta_u32(&mut self, predicted: u64) -> Result<u32, Fault> {
        u32::try_from(self.delta(predicted)?).map_err(|_| Fault::TooLarge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_numbers_take_one_byte() {
        let mut out = Vec::new();
        push(&mut out, 127);
        push(&mut out, 128);
        push_delta(&mut out, 9, 10);
        push_delta(&mut out, 10, 9);
        assert_eq!(out, [127, 0x80, 1, 1, 2]);
    }

    #[test]
    fn endless_and_too_large_numbers_are_refused() {
        assert!(matches!(Reader(&[0x80; 20]).u64(), Err(Fault::TooLarge)));
        assert!(matches!(Reader(&[0x80; 3]).u64(), Err(Fault::Truncated)));
        assert!(matches!(Reader(&[0xff, 0xff, 0xff, 0xff, 0x1f]).u32(), Err(Fault::TooLarge)));
        let mut nine = [0xff; 10];
        nine[9] = 2;
        assert!(matches!(Reader(&nine).u64(), Err(Fault::TooLarge)));
    }

    proptest! {
        #[test]
        fn what_is_pushed_is_read(value: u64, predicted: u64) {
            let mut out = Vec::new();
            push(&mut out, value);
            push_delta(&mut out, value, predicted);
            let mut reader = Reader(&out);
            prop_assert_eq!(reader.u64().unwrap(), value);
            prop_assert_eq!(reader.delta(predicted).unwrap(), value);
            prop_assert_eq!(reader.left(), 0);
        }
    }
}
