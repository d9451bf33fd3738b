//! Numbers of bytes as people write and read them.

use std::fmt;
use std::str::FromStr;

/// A number of bytes, written with a unit: `8GiB`, `500MB`, `1.5 TiB`, `4096`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Units of [`ByteSize`], lower case, largest first within each system.
const UNITS: [(&str, u64); 10] = [
    ("tib", 1 << 40),
    ("gib", 1 << 30),
    ("mib", 1 << 20),
    ("kib", 1 << 10),
    ("tb", 1_000_000_000_000),
    ("gb", 1_000_000_000),
    ("mb", 1_000_000),
    ("kb", 1_000),
    ("b", 1),
    ("", 1),
];

/// Why a text is no [`ByteSize`].
#[derive(Debug, thiserror::Error)]
pub enum ByteSizeError {
    /// No number in front.
    #[error("expected a size such as 8GiB or 500MB")]
    NotANumber,
    /// Something else than a unit behind the number.
    #[error("unknown unit `{0}`, expected one of B, KiB, MiB, GiB, TiB, KB, MB, GB, TB")]
    Unit(String),
    /// More than 2⁶⁴ bytes, or no byte at all.
    #[error("a size must be at least 1 byte and less than 2^64")]
    Range,
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..end], text[end..].trim());
        let scale = UNITS.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name)).map(|&(_, scale)| scale);
        let bytes = match number.parse::<u64>() {
            Ok(whole) => {
                let scale = scale.ok_or_else(|| ByteSizeError::Unit(unit.into()))?;
                whole.checked_mul(scale).ok_or(ByteSizeError::Range)?
            }
            Err(_) => {
                let number = number.parse::<f64>().map_err(|_| ByteSizeError::NotANumber)?;
                (number * scale.ok_or_else(|| ByteSizeError::Unit(unit.into()))? as f64) as u64
            }
        };
        if bytes == 0 || bytes == u64::MAX { Err(ByteSizeError::Range) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for ByteSize {
    /// In the largest binary unit that leaves at least 1, with one decimal where needed: `1.5 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, scale) in [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1_u64 << 10)] {
            if self.0 >= scale {
                return match self.0 % scale {
                    0 => write!(f, "{} {unit}", self.0 / scale),
                    _ => write!(f, "{:.1} {unit}", self.0 as f64 / scale as f64),
                };
            }
        }
        write!(f, "{} B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_parse_with_their_unit() {
        let bytes = |text: &str| text.parse::<ByteSize>().map(|size| size.0).ok();
        assert_eq!(bytes("8GiB"), Some(8 << 30));
        assert_eq!(bytes("500 mb"), Some(500_000_000));
        assert_eq!(bytes("1.5KiB"), Some(1536));
        assert_eq!(bytes("4096"), Some(4096));
        for wrong in ["", "GiB", "8G", "-1", "0", "1e3", "99999999999TiB", "1.2.3MB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_print_in_the_largest_unit() {
        assert_eq!(ByteSize(8 << 30).to_string(), "8 GiB");
        assert_eq!(ByteSize(1536).to_string(), "1.5 KiB");
        assert_eq!(ByteSize(1000).to_string(), "1000 B");
    }
}
