//! Energies of large graphs, added up edge by edge.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use proptest::prelude::*;

use super::*;

/// A sum of weights, exactly: mantissas by exponent.
#[derive(Clone, Default)]
struct Exact(std::collections::BTreeMap<i32, i128>);

impl Exact {
    fn add(&mut self, w: f32, sign: i128) {
        let (mantissa, exponent, negative) = num_traits::float::FloatCore::integer_decode(w);
        *self.0.entry(i32::from(exponent)).or_default() += sign * i128::from(negative) * i128::from(mantissa);
    }

    /// In multiples of 2⁻¹⁶⁰.
    fn value(&self) -> BigInt {
        self.0.iter().map(|(&exponent, &n)| BigInt::from(n) << (exponent + 160)).sum()
    }
}

/// Class sizes and edges of a large graph: a star, a chain, a complete graph, two dense layers.
fn large_of_any_scale() -> impl Strategy<Value = (Vec<u32>, Vec<(NodeId, NodeId, f32)>)> {
    let size = prop::sample::select(vec![1_000u32, 10_000, 65_536]);
    (0..4, size, -44.0..37.5f64, prop::sample::select(vec![0.0, 0.0, 2.0, 20.0]), any::<u32>()).prop_map(
        |(structure, n_edges, scale, spread, seed)| {
            let (wide, side, half) = (n_edges / 3, f64::from(n_edges).sqrt() as u32, n_edges / 2 + 1);
            let link = |i: u32| i / 2 + i % 2 * half;
            let (sizes, ends): (Vec<u32>, Vec<(NodeId, NodeId)>) = match structure {
                0 => (vec![1, n_edges], (1..=n_edges).map(|leaf| (0, leaf)).collect()),
                1 => (vec![half, half], (0..n_edges).map(|i| (link(i), link(i + 1))).collect()),
                2 => (vec![1; side as usize], (0..side).flat_map(|a| (a + 1..side).map(move |b| (a, b))).collect()),
                _ => (vec![wide, 3], (0..wide).flat_map(|a| (0..3).map(move |b| (a, wide + b))).collect()),
            };
            let weight = |edge: usize| {
                let drawn = crate::random::mix64(u64::from(seed) << 32 | edge as u64);
                let uniform = (drawn >> 11) as f64 / 2f64.powi(53);
                let w = 10f64.powf((scale + spread * (uniform - 0.5)).clamp(-44.5, 38.4)) as f32;
                if drawn & 7 == 0 { -w } else { w }
            };
            (sizes, ends.into_iter().enumerate().map(|(edge, (a, b))| (a, b, weight(edge))).collect())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 0, ..ProptestConfig::with_cases(10) })]

    #[test]
    fn energies_of_large_graphs_of_any_scale_are_exact((sizes, edges) in large_of_any_scale(), seed in any::<u64>()) {
        METHODS.iter().for_each(|&method| check_one_replica(&sizes, &edges, &plan(method, 1, seed)));
    }
}

/// Solves a large graph, and weighs what comes out edge by edge.
fn check_one_replica(sizes: &[u32], edges: &EdgeList, plan: &Plan) {
    let replica = solve(&Csr::from_edges(sizes.iter().sum(), edges, sizes), plan, &Silent).unwrap().remove(0);
    let (mut frustrated, mut total) = (Exact::default(), Exact::default());
    for &(a, b, w) in edges {
        let is_satisfied = (spin(&replica.state, a) == spin(&replica.state, b)) == (w > 0.0);
        total.add(w.abs(), 1);
        frustrated.add(w.abs(), if is_satisfied { 0 } else { 1 });
    }
    let energy = BigRational::new(frustrated.value(), total.value());
    assert_eq!(replica.energy, energy.to_f64().unwrap(), "{plan:?}");
    assert!(replica.local_minimum);
}

#[test]
fn energies_at_a_degree_of_a_million_are_exact() {
    for scale in [1e-42f32, 0.1, 3e38] {
        let star: Vec<_> = (1..=1_000_000).map(|leaf| (0, leaf, if leaf % 7 == 0 { -scale } else { scale })).collect();
        for method in [Method::Sweep, Method::Steepest] {
            check_one_replica(&[1, 1_000_000], &star, &plan(method, 1, 3));
        }
    }
}

#[test]
fn many_equal_weights_well_satisfied_are_no_reason_to_give_up() {
    // Sums of tenths in `f32` are off by a tenth at a degree like that.
    let star: Vec<_> = (1..100_000).map(|leaf| (leaf, 0, if leaf % 3 == 0 { -0.1 } else { 0.1 })).collect();
    let complete: Vec<_> = (0..60).flat_map(|a| (a + 1..60).map(move |b| (a, b, 0.1))).collect();
    for (n, edges) in [(100_000, star), (60, complete)] {
        let csr = Csr::from_edges_unclassed(n, &edges);
        for method in METHODS {
            for replica in solve(&csr, &plan(method, 2, 5), &Silent).unwrap() {
                assert_eq!(replica.energy, 0.0, "{method:?}");
            }
        }
    }
}
