//! The whole pipeline in one process on the default network, its numbers pinned.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use frustration::shard::Shards;
use frustration::table::{self, ReplicaRow};
use sha2::{Digest as _, Sha256};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/digits/digits.onnx");

/// SHA-256 of the graph.
const FINGERPRINT: &str = "44523f676da75b715bacff59b4d7127e8ed3f0ee1272810fe186bc09d1b9577c";

/// Algorithm 1 from all spins +1: energy and flips as `fixtures/digits/README.md` states them, found independently in
/// f64; SHA-256 of the packed state.
const STEEPEST: (f64, i64, &str) = (0.419203, 8931, "c2724981a8dd3e353b88ff934e57f82df352766281327b6c228e6a97c92d303b");

fn pipeline(args: &[&str]) {
    let code = frustration::cli::run(std::iter::once("pipeline").chain(args.iter().copied()));
    // ExitCode has no equality; its debug form tells codes apart.
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS), "pipeline {}", args.join(" "));
}

fn rows(path: &Path) -> Vec<ReplicaRow> {
    table::read::<ReplicaRow>(path).unwrap()
}

fn sha256(rows: &[ReplicaRow]) -> String {
    let mut hasher = Sha256::new();
    rows.iter().for_each(|row| hasher.update(&row.state));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_default_network_gives_the_pinned_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let graph = text("digits");

    pipeline(&["build-graph", "--quiet", "--model", MODEL, "-o", &graph]);
    pipeline(&["verify", "--quiet", &graph, "--deep"]);
    {
        let graph = Shards::open(&path("digits")).unwrap();
        assert_eq!((graph.totals().n_nodes, graph.totals().n_edges), (21_258, 1_563_776));
        assert_eq!(graph.fingerprint(), FINGERPRINT);
    }

    let out = text("steepest.parquet");
    let to_the_letter = ["--method", "steepest", "--replicas", "1", "--random-flips", "0"];
    pipeline(&[&["solve", "--quiet", &graph, "-o", &out], &to_the_letter[..]].concat());
    let found = rows(&path("steepest.parquet"));
    assert!((found[0].energy - STEEPEST.0).abs() < 5e-7, "{}", found[0].energy);
    assert_eq!((found[0].flips, sha256(&found).as_str()), (STEEPEST.1, STEEPEST.2));

    for method in ["sweep", "steepest", "anneal"] {
        let [one, two] = ["1", "2"].map(|threads| {
            let name = format!("{method}{threads}.parquet");
            let plan = ["--method", method, "--replicas", "2", "--seed", "3", "--threads", threads];
            let schedule = if method == "anneal" { &["--sweeps", "20"][..] } else { &[] };
            pipeline(&[&["solve", "--quiet", &graph, "-o", &text(&name)], &plan[..], schedule].concat());
            rows(&path(&name))
        });
        assert!(one.iter().all(|row| row.local_minimum && row.energy < 0.425), "{method}");
        assert_eq!(sha256(&one), sha256(&two), "{method} on one and two threads");
    }

    pipeline(&["export", "--quiet", &graph, "-o", &text("digits.npz")]);
    let mut npz = zip::ZipArchive::new(File::open(path("digits.npz")).unwrap()).unwrap();
    // An array is its bytes behind a header of 128.
    let mut len = |name: &str| npz.by_name(name).unwrap().size();
    assert_eq!(len("indptr.npy"), 128 + 8 * (21_258 + 1));
    assert_eq!(len("data.npy"), 128 + 4 * 1_563_776);
}
