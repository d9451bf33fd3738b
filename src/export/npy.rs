//! NumPy's array file, version 1.0: magic, version, header length, a Python dictionary, then the bytes.

use std::io::{self, Write};

/// Writes the header of an array of `shape` (`[]` is a scalar) with NumPy type `descr`.
pub(super) fn header(out: &mut impl Write, descr: &str, shape: &[u64]) -> io::Result<()> {
    let shape: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}", shape.trim_end());
    // Magic, version and length take 10 bytes; the data begin at a multiple of 64, after a newline.
    while (10 + text.len() + 1) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(text.len() as u16).to_le_bytes())?;
    out.write_all(text.as_bytes())
}

/// Writes a whole vector of int64.
pub(super) fn array(out: &mut impl Write, values: &[i64]) -> io::Result<()> {
    header(out, "<i8", &[values.len() as u64])?;
    for part in values.chunks(1 << 16) {
        out.write_all(&part.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>())?;
    }
    Ok(())
}
