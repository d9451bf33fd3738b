//! Where the time goes: unrolling, reading frames, one pass over the edges, Algorithm 1, writing tables. Throughput is
//! in edges (bytes for tables); a pass meets every edge twice, from both its ends, and counts it once. The group `kernel`
//! has the kernel alone, and beside it what the machine can do.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use frustration::graph::{Block, BlockStream, Blocks, Frame, Interval, PanelKind, Repeat};
use frustration::kernel::{self, Fields, Isa, LANES, Operands, Scratch, Spins};
use frustration::net::{Network, arch, onnx};
use frustration::progress::Silent;
use frustration::shard::{self, Description, Shards};
use frustration::spin::{self, Method, Plan};
use frustration::table::{Provenance, ReplicaRow, Sink};
use frustration::unroll::{Options, Unrolled};
use rayon::prelude::*;

const SEED: u64 = 1;

fn squeezenet(side: usize) -> Network {
    let weights = arch::WeightSource::Init { scheme: arch::Init::He, seed: SEED };
    arch::build("squeezenet1_1", weights, Some([side; 2])).expect("a known architecture")
}

fn digits() -> Network {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/digits/digits.onnx");
    onnx::read(path.as_ref(), None).expect("the default network is committed")
}

fn unrolled(net: &Network) -> Unrolled {
    Unrolled::new(net, Options::default()).expect("a network with edge rules")
}

fn group<'a>(c: &'a mut Criterion, name: &str, n_edges: u64) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(n_edges)).sample_size(20);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    group
}

/// From a network in memory to the blocks of every frame.
fn unroll(c: &mut Criterion) {
    let net = squeezenet(227);
    let n_edges = unrolled(&net).totals().n_edges;
    let mut frame = Frame::default();
    group(c, "unroll", n_edges).bench_function("squeezenet1_1", |b| {
        b.iter(|| {
            let graph = unrolled(&net);
            (0..graph.frames().len()).for_each(|index| graph.read(index, &mut frame).expect("never fails"));
            black_box(&frame);
        });
    });
}

/// From shards in the page cache to checked blocks, on one thread.
fn decode(c: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("graph");
    let graph = unrolled(&squeezenet(227));
    shard::write(&graph, &Description::default(), &path, &Silent).expect("the folder is writable");
    let shards = Shards::open(&path).expect("it was just written");
    let graph = shards.unverified();
    let mut frame = Frame::default();
    group(c, "decode", graph.totals().n_edges).bench_function("squeezenet1_1", |b| {
        b.iter(|| {
            (0..graph.frames().len()).for_each(|index| graph.read(index, &mut frame).expect("sound"));
            black_box(&frame);
        });
    });
}

/// All local fields of sixteen replicas, on all cores: what one sweep of the streaming methods costs but for the rule.
fn pass(c: &mut Criterion) {
    for (name, net) in [("digits", digits()), ("squeezenet1_1_67", squeezenet(67))] {
        let graph = unrolled(&net);
        let spins = random_spins(graph.totals().n_nodes);
        let isa = Isa::detect();
        group(c, &format!("pass, {LANES} replicas"), graph.totals().n_edges).bench_function(name, |b| {
            b.iter(|| {
                (0..graph.frames().len()).into_par_iter().for_each_init(Buffers::default, |buffers, index| {
                    let Buffers { frame, fields, scratch } = buffers;
                    graph.read(index, frame).expect("never fails");
                    fields.reset(graph.frames()[index].rows.clone(), [0]);
                    let operands = Operands { isa, values: graph.values(), spins: &spins };
                    operands.add_blocks(&frame.inward, fields, scratch);
                    operands.add_blocks(&frame.outward, fields, scratch);
                    black_box(fields.vectors());
                });
            });
        });
    }
}

/// Sixteen replicas.
fn random_spins(n_nodes: u32) -> Spins {
    let mut spins = Spins::all_up(n_nodes, 1);
    let mut state = SEED;
    for mask in spins.plane_mut(0) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *mask = (state >> 48) as u16;
    }
    spins
}

#[derive(Default)]
struct Buffers {
    frame: Frame,
    fields: Fields,
    scratch: Scratch,
}

/// One whole replica of Algorithm 1 from all spins +1.
fn steepest(c: &mut Criterion) {
    let graph = unrolled(&digits());
    let plan = Plan {
        method: Method::Steepest,
        replicas: 1,
        random_flips: 0,
        seed: SEED,
        max_flips: u64::MAX,
        isa: Isa::detect(),
        memory: None,
    };
    group(c, "steepest, 1 replica", graph.totals().n_edges).bench_function("digits", |b| {
        b.iter(|| spin::solve(&graph, &plan, &Silent).expect("digits has weights"));
    });
}

/// Eighty replicas with the states of SqueezeNet 1.1: 33 MB that do not compress.
fn append(c: &mut Criterion) {
    let mut state = SEED as u32;
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    let mut row =
        |replica| ReplicaRow { replica, state: (0..408_741).map(|_| byte()).collect(), ..ReplicaRow::default() };
    let rows: Vec<_> = (0..80).map(&mut row).collect();
    let bytes: usize = rows.iter().map(|row| row.state.len()).sum();
    let mut group = group(c, "parquet append, 80 replicas", 0);
    group.throughput(Throughput::Bytes(bytes as u64)).bench_function("squeezenet1_1", |b| {
        b.iter(|| {
            let mut sink = Sink::new(Vec::with_capacity(bytes), &Provenance::default()).expect("memory");
            rows.chunks(16).for_each(|rows| sink.append(rows).expect("memory"));
            sink.finish().expect("memory")
        });
    });
}

/// One panel of `rows × cols` weights for `n_groups` row groups, as a convolution's.
fn convolution(rows: u32, cols: u32, n_groups: u32) -> Blocks {
    let mut blocks = Blocks::default();
    let across = Repeat { count: n_groups, row_step: rows, col_step: 64, value_step: 0 };
    let block = Block {
        first_row: cols + 64 * n_groups,
        n_rows: rows,
        row_step: 1,
        repeats: [Repeat { count: 1, ..Repeat::default() }, across],
        kind: PanelKind::Dense,
        row_stride: cols,
        col_stride: 1,
        intervals_start: 0,
        n_intervals: 0,
    };
    blocks.push(block, &[Interval { first_col: 0, len: cols, values: 0 }]);
    blocks
}

/// One element is an edge in one direction for sixteen replicas, on one thread. Without tables of sums an edge costs one
/// masked add of sixteen lanes: `peak` is how many of these the machine makes, from registers alone.
fn kernel(c: &mut Criterion) {
    for (rows, cols, n_groups) in [(64, 576, 495), (512, 4608, 49)] {
        let blocks = convolution(rows, cols, n_groups);
        let values: Vec<f32> =
            (0..rows * cols).map(|i| (i.wrapping_mul(2_654_435_761) as f32 / 4e9 - 0.5) * 0.1).collect();
        let first_row = blocks.blocks[0].first_row;
        let spins = random_spins(first_row);
        let (mut fields, mut scratch) = (Fields::default(), Scratch::default());
        fields.reset(first_row..first_row + rows * n_groups, [0]);
        let mut group = short_group(c, Throughput::Elements(u64::from(rows) * u64::from(cols) * u64::from(n_groups)));
        for isa in Isa::available() {
            group.bench_function(format!("{rows}x{cols}, {n_groups} row groups, {isa:?}"), |b| {
                let operands = Operands { isa, values: &values[..], spins: &spins };
                b.iter(|| operands.add_blocks(&blocks, &mut fields, &mut scratch));
            });
        }
    }
    #[cfg(target_arch = "x86_64")]
    peak::masked_adds(c);
    memory(c);
}

fn short_group(c: &mut Criterion, throughput: Throughput) -> BenchmarkGroup<'_, WallTime> {
    let mut group = c.benchmark_group("kernel");
    group.throughput(throughput).sample_size(10);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    group
}

/// Masked adds of sixteen lanes into independent registers: as many chains as hide the latency of an add.
#[cfg(target_arch = "x86_64")]
mod peak {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    use criterion::{Criterion, Throughput};
    use frustration::kernel::Isa;

    const ROUNDS: u32 = 100_000;
    const CHAINS: usize = 12;

    pub fn masked_adds(c: &mut Criterion) {
        let mut group = super::short_group(c, Throughput::Elements(u64::from(ROUNDS) * CHAINS as u64));
        for isa in Isa::available() {
            let run = match isa {
                // SAFETY: the machine has AVX-512.
                Isa::Avx512 => || unsafe { avx512() },
                // SAFETY: the machine has AVX2.
                Isa::Avx2 => || unsafe { avx2() },
                Isa::Portable => continue,
            };
            group.bench_function(format!("peak, {isa:?}"), |b| b.iter(run));
        }
    }

    #[target_feature(enable = "avx512f")]
    fn avx512() -> f32 {
        let w = _mm512_set1_ps(black_box(1e-9));
        let mut sums = [_mm512_setzero_ps(); CHAINS];
        for round in 0..ROUNDS {
            let mask = black_box(round as u16);
            for sum in &mut sums {
                *sum = _mm512_mask_sub_ps(*sum, mask, *sum, w);
            }
        }
        _mm512_reduce_add_ps(sums.into_iter().fold(w, |a, b| _mm512_add_ps(a, b)))
    }

    /// Two vectors of eight lanes for each sixteen; the sign goes to every weight before the add.
    #[target_feature(enable = "avx2")]
    fn avx2() -> f32 {
        let weights = black_box([_mm256_set1_ps(1e-9); CHAINS]);
        let mut sums = [_mm256_setzero_ps(); CHAINS];
        for round in 0..2 * ROUNDS {
            let sign = _mm256_castsi256_ps(_mm256_set1_epi32(black_box(round << 31) as i32));
            for (sum, &w) in sums.iter_mut().zip(&weights) {
                *sum = _mm256_add_ps(*sum, _mm256_xor_ps(w, sign));
            }
        }
        _mm256_cvtss_f32(sums.into_iter().fold(weights[0], |a, b| _mm256_add_ps(a, b)))
    }
}

/// Reading 256 MiB from memory: what a graph that does not repeat itself must do for every pass, four bytes an edge.
fn memory(c: &mut Criterion) {
    const FLOATS: usize = 64 << 20;
    let numbers = vec![1.0f32; FLOATS];
    let mut group = short_group(c, Throughput::Bytes(4 * FLOATS as u64));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        group.bench_function(format!("memory, threads: {threads}"), |b| {
            b.iter(|| -> f32 {
                pool.install(|| numbers.par_chunks(1 << 16).map(|numbers| Isa::detect().run(Sum { numbers })).sum())
            });
        });
    }
}

/// Sum with 64 independent lanes.
struct Sum<'a> {
    numbers: &'a [f32],
}

impl kernel::Task for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let mut sums = [0.0; 64];
        for numbers in self.numbers.chunks_exact(64) {
            sums.iter_mut().zip(numbers).for_each(|(sum, x)| *sum += x);
        }
        sums.iter().sum()
    }
}

criterion_group!(benches, unroll, decode, pass, steepest, append, kernel);
criterion_main!(benches);
