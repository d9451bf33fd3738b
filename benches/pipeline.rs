//! Where the time goes: unrolling, reading frames, one pass over the edges, Algorithm 1, writing tables. Throughput is
//! in edges (bytes for tables); a pass meets every edge twice, from both its ends, and counts it once.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use frustration::graph::{BlockStream, Frame};
use frustration::kernel::{self, Fields, Isa, LANES, Scratch, Spins};
use frustration::net::{Network, arch, onnx};
use frustration::progress::Silent;
use frustration::shard::{self, Description, Shards};
use frustration::spin::{self, Method, Plan};
use frustration::table::{self, Provenance, ReplicaRow};
use frustration::unroll::{Options, Unrolled};
use rayon::prelude::*;

const SEED: u64 = 1;

fn squeezenet(side: usize) -> Network {
    let weights = arch::Weights::Init { scheme: arch::Init::He, seed: SEED };
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
    let graph = Shards::open(&path).expect("it was just written");
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
        let mut spins = Spins::all_up(graph.totals().n_nodes, 1);
        let mut state = SEED;
        for mask in spins.plane_mut(0) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *mask = (state >> 48) as u16;
        }
        let isa = Isa::detect();
        group(c, &format!("pass, {LANES} replicas"), graph.totals().n_edges).bench_function(name, |b| {
            b.iter(|| {
                (0..graph.frames().len()).into_par_iter().for_each_init(Buffers::default, |buffers, index| {
                    let Buffers { frame, fields, scratch } = buffers;
                    graph.read(index, frame).expect("never fails");
                    fields.reset(graph.frames()[index].rows.clone(), [0]);
                    kernel::add_blocks(isa, &frame.inward, graph.values(), &spins, fields, scratch);
                    kernel::add_blocks(isa, &frame.outward, graph.values(), &spins, fields, scratch);
                    black_box(fields.vectors());
                });
            });
        });
    }
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
            let mut sink = table::replicas(Vec::with_capacity(bytes), &Provenance::default()).expect("memory");
            rows.chunks(16).for_each(|rows| sink.append(rows).expect("memory"));
            sink.finish().expect("memory")
        });
    });
}

criterion_group!(benches, unroll, decode, pass, steepest, append);
criterion_main!(benches);
