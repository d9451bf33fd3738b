//! Energies of weights of every size, compared with rational numbers.

use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive};
use proptest::prelude::*;

use super::*;

/// `r_i` of every node, and the frustrated and the whole weight: exactly.
fn exactly(edges: &EdgeList, state: &[u8], n: u32) -> (Vec<BigRational>, BigRational, BigRational) {
    let zero = || BigRational::from_integer(0.into());
    let (mut fields, mut frustrated, mut total) = (vec![zero(); n as usize], zero(), zero());
    for &(a, b, w) in edges {
        let term = BigRational::from_float(spin(state, a) * f64::from(w) * spin(state, b)).unwrap();
        fields[a as usize] += &term;
        fields[b as usize] += &term;
        total += term.abs();
        frustrated -= if term.is_negative() { term } else { zero() };
    }
    (fields, frustrated, total)
}

/// The least energy of all states of a graph of a few nodes.
fn least_exactly(edges: &EdgeList, n: u32) -> BigRational {
    let energy = |state: u32| {
        let (_, frustrated, total) = exactly(edges, &state.to_le_bytes(), n);
        frustrated / total
    };
    (0..1u32 << (n - 1)).map(energy).min().unwrap()
}

/// EdgeList of small graphs of every structure, with weights of every size that `f32` has.
fn of_any_scale() -> impl Strategy<Value = (u32, Vec<(NodeId, NodeId, f32)>)> {
    let weights = (-45.0..38.0f64, prop::sample::select(vec![0.0, 3.0, 40.0, 83.0]), any::<u64>());
    (3u32..8, 0..4, weights).prop_map(|(n, structure, (scale, spread, seed))| {
        let ends: Vec<(NodeId, NodeId)> = match structure {
            0 => (1..n).map(|i| (0, i)).collect(),
            1 => (1..n).map(|i| (i - 1, i)).chain([(0, n - 1)]).filter(|(a, b)| a != b).collect(),
            2 => (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).collect(),
            _ => (0..n / 2).flat_map(|i| (n / 2..n).map(move |j| (i, j))).collect(),
        };
        let mut state = seed;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / 2f64.powi(53)
        };
        let mut weight = || {
            let size = 10f64.powf((scale + spread * (uniform() - 0.5)).clamp(-44.5, 38.4));
            let w = (size * (1.0 + uniform())).min(f64::from(f32::MAX)) as f32;
            if uniform() < 0.5 { -w } else { w }
        };
        (n, ends.into_iter().map(|(a, b)| (a, b, weight())).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn energies_of_weights_of_any_size_are_exact((n, edges) in of_any_scale(), seed in any::<u64>()) {
        let csr = Csr::from_edges_unclassed(n, &edges);
        let least = least_exactly(&edges, n);
        for method in METHODS {
            for replica in solve(&csr, &plan(method, 3, seed), &Silent).unwrap() {
                let (fields, frustrated, total) = exactly(&edges, &replica.state, n);
                let energy = &frustrated / &total;
                prop_assert!(energy >= least);
                prop_assert_eq!(replica.energy, energy.to_f64().unwrap(), "{:?}", method);
                prop_assert_eq!(replica.frustrated_weight, frustrated.to_f64().unwrap());
                prop_assert_eq!(replica.sum_abs, total.to_f64().unwrap());
                prop_assert!(replica.local_minimum);
                if method == Method::Steepest {
                    prop_assert!(fields.iter().all(|r| !r.is_negative()), "{:?}", fields);
                }
            }
        }
    }
}

#[test]
fn no_number_of_sweeps_leads_to_a_refusal() {
    let edges = [(0, 1, -0.717_382_7f32), (0, 2, 1.324_171), (1, 2, 0.491_827_3)];
    let csr = Csr::from_edges_unclassed(3, &edges);
    for sweeps in [1, 100, 20_000] {
        let replicas = solve(&csr, &plan(Method::Anneal { sweeps }, 16, 1), &Silent).unwrap();
        let least = least_exactly(&edges, 3).to_f64().unwrap();
        assert!(replicas.iter().all(|replica| replica.energy >= least));
        assert!(replicas.iter().any(|replica| replica.energy == least));
    }
}
