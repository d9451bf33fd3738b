//! How many images to compute at once.

use crate::kernel::LANES;

/// The number of images whose logits are computed next, of `left` that are left, on so many threads: four or eight are
/// one vector of as many lanes, more are whole vectors of sixteen, as many as there are threads.
///
/// Four lanes take a third of the time of sixteen and eight take half of it, so a few images are not worth sixteen;
/// from thirteen on sixteen lanes are faster than eight twice.
pub fn images_at_once(left: usize, threads: usize) -> usize {
    match left {
        ..=4 => 4,
        5..=12 => 8,
        _ => LANES * (left / LANES).clamp(1, threads),
    }
}

#[cfg(test)]
mod tests {
    use super::images_at_once;

    #[test]
    fn few_images_take_few_lanes() {
        for (left, at_once) in [(1, 4), (4, 4), (5, 8), (12, 8), (13, 16), (31, 16), (32, 32), (1000, 64)] {
            assert_eq!(images_at_once(left, 4), at_once, "{left}");
        }
    }
}
