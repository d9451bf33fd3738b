use std::ops::Range;

use proptest::prelude::*;

use super::lanewise::values::LaneValues;
use super::operands::Operands;
use super::packed::Spins;
use super::plain;
use super::scratch::Scratch;
use super::tile::{ColumnOffsets, Tile};
use crate::graph::{Block, Blocks, Interval, PanelKind, Repeat};
use crate::kernel::{Fields, Isa, LANES, bit_of_lane};

const ROWS: Range<u32> = 100..100 + 20 * 2 * 9;

/// A block of at most `max_count` × `max_count` row groups over pseudo-random values: everything is in range of
/// [`ROWS`], 400 columns and 2000 values.
fn block(max_count: u32) -> impl Strategy<Value = Blocks> {
    let runs = (1..=max_count, 1..=max_count, 0u64..2);
    let panel = (1u32..20, 1u32..3, prop::bool::ANY);
    let strides = prop::sample::select(vec![(3, 2), (1, 20), (40, 1)]);
    let intervals = prop::collection::vec((0u32..60, 1u32..40, 0u64..500), 1..8);
    (runs, panel, strides, intervals).prop_map(
        |((down, across, shift), (n_rows, row_step, dense), strides, intervals)| {
            let group = n_rows * row_step;
            let step = |count: u32, row_step, col_step| Repeat { count, row_step, col_step, value_step: 7 * shift };
            let block = Block {
                n_rows,
                row_step,
                repeats: [step(down, across * group, 31), step(across, group, 5)],
                kind: if dense { PanelKind::Dense } else { PanelKind::Diagonal },
                row_stride: strides.0,
                col_stride: if dense { strides.1 } else { 0 },
                ..Block::single(ROWS.start)
            };
            let len = |len| if dense { len } else { n_rows };
            let intervals: Vec<_> =
                intervals.iter().map(|&(first_col, n, values)| Interval { first_col, len: len(n), values }).collect();
            let mut blocks = Blocks::default();
            blocks.push(block, &intervals);
            blocks
        },
    )
}

/// Every fourth value is a zero of either sign or one of `±0.5`, so that sums cancel.
fn values() -> Vec<f32> {
    let value = |i: u32| {
        let x = i.wrapping_mul(2654435761) as f32 / 4e9 - 0.5;
        if i % 4 == 3 { [0.0, -0.0, 0.5, -0.5][i as usize / 4 % 4] } else { 0.1 * x }
    };
    (0..2000).map(value).collect()
}

fn spins(seed: u64, n_planes: usize) -> Spins {
    let mut spins = Spins::all_up(400, n_planes);
    let mut state = seed;
    for plane in 0..n_planes {
        for mask in spins.plane_mut(plane) {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            *mask = (state >> 40) as u16;
        }
    }
    spins
}

/// Adds the blocks with every instruction set, and compares with the plain loop bit by bit.
fn compare(blocks: &[Blocks], seed: u64, n_planes: usize) -> Result<(), TestCaseError> {
    let values = values();
    let spins = spins(seed, n_planes + 2);
    let planes = 1..1 + n_planes;
    let mut expected = Fields::default();
    expected.reset(ROWS, planes.clone());
    for blocks in blocks {
        plain::add_blocks(blocks, &values, &spins, &mut expected);
    }
    for isa in Isa::available() {
        let mut fields = Fields::default();
        fields.reset(ROWS, planes.clone());
        let mut scratch = Scratch::default();
        for blocks in blocks {
            Operands { isa, values: &values[..], spins: &spins }.add_blocks(blocks, &mut fields, &mut scratch);
        }
        let bits = |f: &Fields| f.vectors().iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&fields), bits(&expected), "{:?}", isa);
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_instruction_set_gives_the_bits_of_the_plain_loop(
        blocks in prop::collection::vec(block(3), 1..3), seed in any::<u64>(), n_planes in 1usize..4,
    ) {
        compare(&blocks, seed, n_planes)?;
    }

    #[test]
    fn a_panel_that_is_used_once_gives_the_bits_of_the_plain_loop(
        blocks in prop::collection::vec(block(1), 1..3), seed in any::<u64>(),
    ) {
        compare(&blocks, seed, 1)?;
    }
}

#[test]
#[should_panic = "a panel reaches outside the value store"]
fn a_weight_outside_the_value_store_is_not_read() {
    let mut offsets = ColumnOffsets::default();
    offsets.reset(&[Interval { first_col: 0, len: 5, values: 3 }, Interval { first_col: 9, len: 1, values: 0 }], 10);
    Tile { all: &offsets, columns: 0..6, n_rows: 2, row_stride: 1 }.check(44);
}

#[test]
fn a_field_is_the_signed_sum_of_the_weights() {
    let mut blocks = Blocks::default();
    blocks.push(Block::single(3), &[Interval { first_col: 0, len: 3, values: 0 }]);
    let mut spins = Spins::all_up(4, 1);
    spins.flip(9, 1);
    let mut fields = Fields::default();
    fields.reset(3..4, [0]);
    let operands = Operands { isa: Isa::detect(), values: &[1.0, -2.0, 4.0][..], spins: &spins };
    operands.add_blocks(&blocks, &mut fields, &mut Scratch::default());
    assert_eq!(fields.get(3, 0, 0), 3.0);
    assert_eq!(fields.get(3, 0, 9), 7.0);
}

/// Fields by the plain loop over the values of each replica's own graph.
fn plain_lanewise(blocks: &Blocks, graphs: &[Vec<f32>], of_replica: [usize; LANES], spins: &Spins) -> Vec<u32> {
    let of_graph = |values: &Vec<f32>| {
        let mut fields = Fields::default();
        fields.reset(ROWS, 0..spins.n_planes());
        plain::add_blocks(blocks, values, spins, &mut fields);
        fields
    };
    let by_graph: Vec<_> = graphs.iter().map(of_graph).collect();
    let n_vectors = by_graph[0].vectors().len();
    let bits =
        |(vector, lane): (usize, usize)| by_graph[of_replica[bit_of_lane(lane)]].vectors()[vector][lane].to_bits();
    (0..n_vectors).flat_map(|vector| (0..LANES).map(move |lane| (vector, lane))).map(bits).collect()
}

proptest! {
    #[test]
    fn lanes_with_values_of_their_own_give_the_bits_of_the_plain_loop(
        block in block(3), seed in any::<u64>(), n_planes in 1usize..3, n_graphs in 1usize..=LANES, step in 1usize..6,
    ) {
        let rotated = |graph: usize| {
            let mut values = values();
            values.rotate_left(1 + 37 * graph);
            values
        };
        let graphs: Vec<_> = (0..n_graphs).map(rotated).collect();
        let of_replica = std::array::from_fn(|replica| replica * step / 3 % n_graphs);
        let spins = spins(seed, n_planes);
        let expected = plain_lanewise(&block, &graphs, of_replica, &spins);
        let mut lane_values = LaneValues::zero(graphs[0].len(), n_graphs, of_replica);
        graphs.iter().enumerate().for_each(|(graph, values)| lane_values.set(graph, values, 1.0));
        prop_assert!((0..n_graphs).all(|graph| lane_values.of_graph(graph) == graphs[graph]));
        for isa in Isa::available() {
            let mut fields = Fields::default();
            fields.reset(ROWS, 0..n_planes);
            let operands = Operands { isa, values: &lane_values, spins: &spins };
            operands.add_blocks(&block, &mut fields, &mut Scratch::default());
            let found: Vec<_> = fields.vectors().iter().flatten().map(|x| x.to_bits()).collect();
            prop_assert_eq!(found, expected.clone(), "{:?}", isa);
        }
    }
}

#[test]
#[should_panic = "a panel reaches outside the value store"]
fn a_lane_value_outside_the_store_is_not_read() {
    let mut blocks = Blocks::default();
    blocks.push(Block::single(ROWS.start), &[Interval { first_col: 0, len: 3, values: 8 }]);
    let mut fields = Fields::default();
    fields.reset(ROWS, [0]);
    let (values, spins) = (LaneValues::zero(10, 3, [0; LANES]), Spins::all_up(3, 1));
    let operands = Operands { isa: Isa::detect(), values: &values, spins: &spins };
    operands.add_blocks(&blocks, &mut fields, &mut Scratch::default());
}
