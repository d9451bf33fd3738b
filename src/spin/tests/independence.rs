//! What a replica does not depend on: frames, threads, the other replicas, instruction sets, memory.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn frames_threads_other_replicas_and_instruction_set_do_not_change_the_answer(
        g in layered(5, 9), seed in any::<u64>(), rows in 1u32..5,
    ) {
        for method in METHODS {
            let expected = solved(&graph(&g), &plan(method, 20, seed), &Silent).unwrap();
            let cut = graph(&g).with_frame_rows(rows);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            for isa in Isa::available() {
                let plan = Plan { isa, ..plan(method, 20, seed) };
                let found = pool.install(|| solved(&cut, &plan, &Silent)).unwrap();
                prop_assert_eq!(&found, &expected);
            }
            let fewer = solved(&cut, &plan(method, 5, seed), &Silent).unwrap();
            prop_assert_eq!(&fewer[..], &expected[..5]);
        }
    }

    /// Weights are small whole numbers: sums are exact, so that their order does not matter.
    #[test]
    fn a_one_way_stream_gives_the_answer_of_both_ways(g in layered(6, 9), seed in any::<u64>(), rows in 1u32..5) {
        for method in METHODS {
            let both = solved(&graph(&g), &plan(method, 40, seed), &Silent).unwrap();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
            let one = graph(&g).with_frame_rows(rows).one_way();
            prop_assert_eq!(&pool.install(|| solved(&one, &plan(method, 40, seed), &Silent)).unwrap(), &both);
        }
    }
}

#[test]
fn a_limit_on_memory_changes_nothing_but_the_order_of_work() {
    let graph = avalanche(200);
    for method in METHODS {
        let free = Plan { random_flips: 1000, ..plan(method, 40, 3) };
        let limit = |bytes| Plan { memory: Some(bytes), ..free.clone() };
        let expected = solved(&graph, &free, &Silent).unwrap();
        let Error::Memory { least, .. } = solve(&graph, &limit(1), &Silent).unwrap_err() else {
            panic!("1 byte is enough")
        };
        assert_eq!(solved(&graph, &limit(least), &Silent).unwrap(), expected, "{method:?}");
        assert!(solve(&graph, &limit(least - 1), &Silent).is_err());
    }
}
