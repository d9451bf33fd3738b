//! Windows along one axis: which taps reach which pixels, as a few lists of pixels that are alike.
//!
//! Windows are rectangles, so down and across can be told apart: the taps that a pixel has are every tap that its row has
//! with every tap that its column has. Along one axis two positions are **alike** if the same taps reach from them, and what
//! they reach lies at a constant distance. A window of three taps with padding 1 over eight positions:
//!
//! ```text
//! output position    0       1       2    …    6       7
//! tap 0 reaches      .       0       1         5       6        taps of position 1: (0, 0), (1, 1), (2, 2)
//! tap 1 reaches      0       1       2         6       7        position 2 has the same taps, one column further, and
//! tap 2 reaches      1       2       3         7       .        so on to 6
//!                   └─┘     └───────────────────┘     └─┘
//!                  alike            alike            alike      three lists, however long the image is
//! ```
//!
//! With a stride of 2 the inputs are alike two by two: inputs 2, 4, 6 are reached by taps 0 and 2, inputs 1, 3, 5 by tap 1.
//! So positions are taken a step apart ([`AlikePositions::step`]), and the residues modulo the step one after the other.
//!
//! A window with a single output position, as a dense layer or a global pool has, is the other extreme: every input has a tap
//! of its own, tap `k` for input `k`. All inputs are alike if the tap may advance with the position
//! ([`AlikePositions::tap_step`]).

use super::element_map::AxisMap;

/// A window along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AxisWindow {
    /// Output positions.
    pub n_out: usize,
    /// Taps.
    pub kernel: usize,
    /// Step between output positions.
    pub stride: usize,
    /// Zeros before the first input position.
    pub pad: usize,
    /// Distance between taps.
    pub dilation: usize,
}

/// Positions along an axis from which the same taps reach: `first`, `first + step`, …, `count` of them.
///
/// Position `n` of them has the taps `(tap + n · tap_step, column + n · col_step)` for each `(tap, column)` in `taps`. The
/// positions are those of a block's rows, and columns are positions of its columns: which of the two are pixels of the
/// layer that reads, and which of the one that is read, depends on the direction of the block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AlikePositions {
    /// First row position.
    pub first: u32,
    /// Distance between row positions, at least 1.
    pub step: u32,
    /// Number of row positions, at least 1.
    pub count: u32,
    /// Column positions advance by this many per row position.
    pub col_step: u32,
    /// Taps advance by this many per row position.
    pub tap_step: u32,
    /// `(tap, column position)` of the first row position, by rising column.
    pub taps: Vec<(u32, u32)>,
}

impl AlikePositions {
    fn at(first: usize, taps: &[(u32, u32)], steps: Steps) -> Self {
        let Steps { row, col, tap } = steps;
        Self { first: first as u32, step: row as u32, count: 1, col_step: col, tap_step: tap, taps: taps.to_vec() }
    }
    /// True if the next position may have these taps.
    fn goes_on_with(&self, taps: &[(u32, u32)]) -> bool {
        let (tap, col) = (self.tap_step * self.count, self.col_step * self.count);
        self.taps.len() == taps.len() && self.taps.iter().zip(taps).all(|(a, b)| (a.0 + tap, a.1 + col) == *b)
    }
}

/// How far rows, columns and taps advance from one position to the next alike.
#[derive(Clone, Copy)]
struct Steps {
    row: usize,
    col: u32,
    tap: u32,
}

/// A window over a view of a source, along one axis, from both ends.
#[derive(Clone, Debug)]
pub(super) struct AxisTaps {
    /// Rows are output positions, columns source positions.
    pub inward: Vec<AlikePositions>,
    /// Rows are source positions, columns output positions.
    pub outward: Vec<AlikePositions>,
    /// Number of output positions at which each tap is valid.
    pub tap_counts: Vec<u64>,
}

impl AxisTaps {
    /// A window over `n_source` positions seen through `map`. Cost: O(positions × taps).
    pub fn new(window: AxisWindow, map: AxisMap, n_source: usize) -> Self {
        let mut by_output = vec![Vec::new(); window.n_out];
        let mut by_source = vec![Vec::new(); n_source];
        let mut tap_counts = vec![0; window.kernel];
        for (o, reached) in by_output.iter_mut().enumerate() {
            for (k, count) in tap_counts.iter_mut().enumerate() {
                let t = (o * window.stride + k * window.dilation) as i64 - window.pad as i64;
                if (map.lo..map.hi).contains(&t) {
                    let source = (t * map.step + map.offset) as usize;
                    reached.push((k as u32, source as u32));
                    by_source[source].push((k as u32, o as u32));
                    *count += 1;
                }
            }
        }
        // Output positions that are neighbours read source positions that are `advance` apart, if the same tap reaches them.
        let advance = map.step as usize * window.stride;
        // Seen from the source: positions a stride apart are reached by the same taps, from neighbouring outputs. If there
        // is one output only, positions differ by the tap that reaches them instead.
        let outward = match window.n_out {
            1 => Steps { row: map.step as usize * window.dilation, col: 0, tap: 1 },
            _ => Steps { row: advance, col: 1, tap: 0 },
        };
        Self {
            inward: positions(&by_output, Steps { row: 1, col: advance as u32, tap: 0 }),
            outward: positions(&by_source, outward),
            tap_counts,
        }
    }
}

/// Cuts the rows, for each residue modulo `steps.row`, into lists of alike positions, each as long as can be.
fn positions(rows: &[Vec<(u32, u32)>], steps: Steps) -> Vec<AlikePositions> {
    let mut positions: Vec<AlikePositions> = Vec::new();
    for class in 0..steps.row.min(rows.len()) {
        let mut open: Option<AlikePositions> = None;
        for first in (class..rows.len()).step_by(steps.row) {
            let taps = rows[first].as_slice();
            match &mut open {
                Some(alike) if alike.goes_on_with(taps) => alike.count += 1,
                _ => {
                    positions.extend(open.take());
                    open = (!taps.is_empty()).then(|| AlikePositions::at(first, taps, steps));
                }
            }
        }
        positions.extend(open);
    }
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(n: usize, n_out: usize, kernel: usize, stride: usize, pad: usize) -> AxisTaps {
        AxisTaps::new(AxisWindow { n_out, kernel, stride, pad, dilation: 1 }, AxisMap::identity(n), n)
    }

    #[test]
    fn a_padded_window_has_two_borders_and_an_interior() {
        let axis = axis(8, 8, 3, 1, 1);
        let counts: Vec<_> = axis.inward.iter().map(|r| (r.first, r.count, r.taps.len())).collect();
        assert_eq!(counts, [(0, 1, 2), (1, 6, 3), (7, 1, 2)]);
        let counts: Vec<_> = axis.outward.iter().map(|r| (r.first, r.count, r.taps.len())).collect();
        assert_eq!(counts, [(0, 1, 2), (1, 6, 3), (7, 1, 2)]);
        assert_eq!(axis.tap_counts, [7, 8, 7]);
    }

    #[test]
    fn sources_of_a_strided_window_form_one_run_per_residue() {
        let axis = axis(9, 4, 3, 2, 0);
        let positions: Vec<_> = axis.outward.iter().map(|r| (r.first, r.step, r.count, r.taps.clone())).collect();
        let expected = [
            (0, 2, 1, vec![(0, 0)]),
            (2, 2, 3, vec![(2, 0), (0, 1)]),
            (8, 2, 1, vec![(2, 3)]),
            (1, 2, 4, vec![(1, 0)]),
        ];
        assert_eq!(positions, expected);
    }

    #[test]
    fn sources_of_a_single_output_are_one_run() {
        let axis = axis(6, 1, 6, 1, 0);
        assert_eq!(axis.outward.len(), 1);
        let alike = &axis.outward[0];
        assert_eq!((alike.count, alike.step, alike.col_step, alike.tap_step), (6, 1, 0, 1));
    }
}
