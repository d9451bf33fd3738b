use proptest::prelude::*;

use super::*;
use crate::kernel::Isa;

/// Numbers with zeros of either sign and −1, +1 among them.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let x = (self.0 >> 40) as f32 / 1e7 - 0.8;
        [0.0, -1.0, 1.0, x, 3.0 * x, -0.0][(self.0 >> 33) as usize % 6]
    }

    fn vectors<const L: usize>(&mut self, n: usize) -> Vec<Vector<L>> {
        (0..n).map(|_| std::array::from_fn(|_| self.next())).collect()
    }
}

/// What a product is made of but for its numbers.
#[derive(Clone, Debug)]
struct Case {
    n_rows: usize,
    /// First column, number of columns.
    spans: Vec<(u32, u32)>,
    shifts: Vec<u32>,
    has_bias: bool,
    has_factors: bool,
    has_addend: bool,
    seed: u64,
}

prop_compose! {
    fn case()(
        n_rows in prop::sample::select(vec![1, 2, 4, 8]),
        spans in prop::collection::vec((0u32..40, 1u32..20), 0..5),
        shifts in prop::collection::vec(0u32..40, 1..9),
        flags in any::<[bool; 3]>(),
        seed in any::<u64>(),
    ) -> Case {
        let [has_bias, has_factors, has_addend] = flags;
        Case { n_rows, spans, shifts, has_bias, has_factors, has_addend, seed }
    }
}

/// The bits of the product of a case.
fn bits<const L: usize>(case: &Case, isa: Isa) -> Vec<u32> {
    let (mut numbers, first_row) = (Numbers(case.seed), 3);
    let mut spans = Vec::new();
    for &(column, len) in &case.spans {
        let k = spans.last().map_or(0, |last: &ColumnSpan| last.k + last.len);
        spans.push(ColumnSpan { column, k, len });
    }
    let n_packed = spans.last().map_or(0, |last| last.k + last.len) as usize;
    let pixels: Vec<_> = (0u32..).zip(&case.shifts).map(|(index, &shift)| OutputPixel { shift, index }).collect();
    let mut several = |has: bool, n: usize| (0..if has { n } else { 0 }).map(|_| numbers.next()).collect::<Vec<_>>();
    let (weights, bias) = (several(true, n_packed * case.n_rows), several(case.has_bias, first_row + case.n_rows));
    let factors = [0; 2].map(|_| several(case.has_factors, first_row + case.n_rows));
    let [mul, add] = factors;
    let columns = numbers.vectors::<L>(100);
    let addend = numbers.vectors::<L>(pixels.len() * case.n_rows);
    let strides = Strides { first: 0, pixel: case.n_rows, row: 1 };
    let out = Strides { first: 2, pixel: 2 * case.n_rows, row: 2 };
    let product = Product {
        weights: &weights,
        n_rows: case.n_rows,
        spans: &spans,
        columns: &columns,
        out,
        first_row,
        bias: &bias,
        finish: &Finish { affine: case.has_factors.then_some((mul, add)), low: -1.5, high: 2.0 },
        addend: case.has_addend.then_some((&addend[..], strides)),
    };
    let mut fields = vec![[0.0; L]; 2 + 2 * pixels.len() * case.n_rows];
    product.add(isa, &pixels, &mut fields);
    fields.iter().flatten().map(|x| x.to_bits()).collect()
}

proptest! {
    #[test]
    fn every_instruction_set_gives_the_bits_of_the_plain_loop(case in case()) {
        for isa in Isa::available() {
            prop_assert_eq!(bits::<16>(&case, isa), bits::<16>(&case, Isa::Portable), "{:?}", isa);
            prop_assert_eq!(bits::<8>(&case, isa), bits::<8>(&case, Isa::Portable), "{:?}", isa);
            prop_assert_eq!(bits::<4>(&case, isa), bits::<4>(&case, Isa::Portable), "{:?}", isa);
        }
    }
}

#[test]
#[should_panic = "a block reaches outside its columns"]
fn a_column_outside_the_image_is_not_read() {
    let product = Product {
        weights: &[1.0; 3],
        n_rows: 1,
        spans: &[ColumnSpan { column: 0, k: 0, len: 3 }],
        columns: &[[1.0; 16]; 2],
        out: Strides { first: 0, pixel: 1, row: 1 },
        first_row: 0,
        bias: &[],
        finish: &Finish::NONE,
        addend: None,
    };
    product.add(Isa::detect(), &[OutputPixel { shift: 0, index: 0 }], &mut [[0.0; 16]]);
}
