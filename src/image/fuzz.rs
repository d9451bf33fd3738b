//! The harness of the fuzz targets: arbitrary bytes are an error or an input, never a panic.

use super::decode::{Fault, decode};
use super::preprocess::Preprocess;
use super::recipe::Recipe;
use crate::net::Shape;

/// Reads `bytes` as an image file, for a small grey and a small colour network.
///
/// # Errors
/// If they are no image.
///
/// # Panics
/// Only if there is a bug.
pub fn fuzz_image(bytes: &[u8]) -> Result<(), Fault> {
    for channels in [1, 3] {
        let picture = decode(bytes, channels)?;
        let preprocess =
            Preprocess { mean: vec![0.0], std: vec![1.0], ..Preprocess::named("imagenet").unwrap_or_default() };
        let recipe = Recipe::new(preprocess, Shape::new(channels, 7, 5)).expect("one mean fits all channels");
        let input = recipe.input(picture).expect("256 pixels are enough");
        assert!(input.len() == channels * 35 && input.iter().all(|value| value.is_finite()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    const FILES: [&[u8]; 8] = [
        include_bytes!("../../fixtures/images/source.png"),
        include_bytes!("../../fixtures/images/baseline.jpg"),
        include_bytes!("../../fixtures/images/subsampled.jpg"),
        include_bytes!("../../fixtures/images/progressive.jpg"),
        include_bytes!("../../fixtures/images/restarts.jpg"),
        include_bytes!("../../fixtures/images/rotated.jpg"),
        include_bytes!("../../fixtures/images/cmyk.jpg"),
        include_bytes!("../../fixtures/images/grey.jpg"),
    ];

    const STARTS: [&[u8]; 3] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""];

    proptest! {
        #[test]
        fn mutated_files_are_harmless(
            file in select(&FILES[..]), changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..12),
        ) {
            let mut bytes = file.to_vec();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let _ = fuzz_image(&bytes);
        }

        #[test]
        fn spliced_files_are_harmless(a in select(&FILES[..]), b in select(&FILES[..]), cut: Index, go_on: Index) {
            let _ = fuzz_image(&[&a[..cut.index(a.len())], &b[go_on.index(b.len())..]].concat());
        }

        #[test]
        fn any_bytes_are_harmless(start in select(&STARTS[..]), rest in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = fuzz_image(&[start, &rest].concat());
        }
    }
}
