use proptest::prelude::*;

use super::*;
use crate::graph::{Block, Interval, PanelKind, Run};

/// A block over pseudo-random values: shape from the strategy, everything in range of 64 rows and 400 columns.
fn block() -> impl Strategy<Value = Blocks> {
    let runs = (1u32..4, 1u32..4, 0u64..2);
    let panel = (1u32..12, 1u32..3, prop::bool::ANY);
    let intervals = prop::collection::vec((0u32..60, 1u32..40, 0u64..500), 1..8);
    (runs, panel, intervals).prop_map(|((down, across, shift), (n_rows, row_step, dense), intervals)| {
        let group = n_rows * row_step;
        let step = |count: u32, row_step, col_step| Run { count, row_step, col_step, value_step: 7 * shift };
        let block = Block {
            n_rows,
            row_step,
            runs: [step(down, across * group, 31), step(across, group, 5)],
            kind: if dense { PanelKind::Dense } else { PanelKind::Diagonal },
            row_stride: 3,
            col_stride: if dense { 2 } else { 0 },
            ..Block::single(100)
        };
        let len = |len| if dense { len } else { n_rows };
        let intervals: Vec<_> =
            intervals.iter().map(|&(first_col, n, values)| Interval { first_col, len: len(n), values }).collect();
        let mut blocks = Blocks::default();
        blocks.push(block, &intervals);
        blocks
    })
}

fn spins(seed: u64, n_groups: usize) -> Spins {
    let mut spins = Spins::all_up(400, n_groups);
    let mut state = seed;
    for group in 0..n_groups {
        for mask in spins.plane_mut(group) {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *mask = (state >> 40) as u16;
        }
    }
    spins
}

proptest! {
    #[test]
    fn every_instruction_set_gives_the_bits_of_the_plain_loop(
        blocks in prop::collection::vec(block(), 1..3), seed in any::<u64>(), n_groups in 1usize..4,
    ) {
        let values: Vec<f32> = (0..2000u32).map(|i| (i.wrapping_mul(2654435761) as f32 / 4e9 - 0.5) * 0.1).collect();
        let spins = spins(seed, n_groups + 2);
        let groups = 1..1 + n_groups;
        let rows = 100..100 + 12 * 2 * 9;
        let mut expected = Fields::default();
        expected.reset(rows.clone(), groups.clone());
        for blocks in &blocks {
            plain::add_blocks(blocks, &values, &spins, &mut expected);
        }
        for isa in Isa::available() {
            let mut fields = Fields::default();
            fields.reset(rows.clone(), groups.clone());
            let mut scratch = Scratch::default();
            for blocks in &blocks {
                add_blocks(isa, blocks, &values, &spins, &mut fields, &mut scratch);
            }
            let bits = |f: &Fields| f.vectors().iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&fields), bits(&expected), "{:?}", isa);
        }
    }
}

#[test]
fn a_field_is_the_signed_sum_of_the_weights() {
    let mut blocks = Blocks::default();
    blocks.push(Block::single(3), &[Interval { first_col: 0, len: 3, values: 0 }]);
    let mut spins = Spins::all_up(4, 1);
    spins.flip(9, 1);
    let mut fields = Fields::default();
    fields.reset(3..4, [0]);
    add_blocks(Isa::detect(), &blocks, &[1.0, -2.0, 4.0], &spins, &mut fields, &mut Scratch::default());
    assert_eq!(fields.get(3, 0, 0), 3.0);
    assert_eq!(fields.get(3, 0, 9), 7.0);
}
