//! `pipeline null`

mod common;

use std::time::Duration;

use common::{Workdir, repository};
use frustration::table::{self, NullRow, ReplicaRow};

fn null(dir: &Workdir, output: &str, flags: &[&str]) -> Vec<NullRow> {
    dir.ok(["null", "g", "-o", output, "--random-flips", "5000"].iter().chain(flags));
    table::read::<NullRow>(&dir.path(output)).unwrap()
}

/// Distribution, index and instance.
fn places(rows: &[NullRow]) -> Vec<(Option<&str>, i64, i64)> {
    rows.iter().map(|row| (row.distribution.as_deref(), row.index, row.instance)).collect()
}

#[test]
fn every_column_is_filled_in() {
    let dir = Workdir::digits();
    for (kind, method, distributions) in [
        ("n1", "steepest", &[None][..]),
        ("n2", "steepest", &[None]),
        ("n2", "anneal", &[None]),
        ("n3", "sweep", &[Some("he"), Some("he"), Some("xavier")]),
    ] {
        let flags = ["--kind", kind, "--method", method, "--seed", "5", "--timing", "--models", "3"];
        let rows = null(&dir, "x.parquet", &[&flags[..], &["--force"]].concat());
        assert_eq!(rows.len(), 6);
        for row in &rows {
            assert_eq!((row.graph.as_str(), row.kind.as_str(), row.method.as_str(), row.seed), ("g", kind, method, 5));
            assert!(distributions.contains(&row.distribution.as_deref()));
            assert_eq!(row.initial_flips, if row.instance == 0 { 0 } else { 5000 });
            assert_eq!((row.n_nodes, row.n_edges), (21_258, 1_563_776));
            assert!(row.energy > 0.40 && row.energy < 0.45, "{}", row.energy);
            assert!((row.satisfied_weight + row.frustrated_weight - row.sum_abs).abs() < 1e-6 * row.sum_abs);
            assert!((row.frustrated_weight / row.sum_abs - row.energy).abs() < 1e-12);
            assert!(row.flips > 0 && row.secs.is_some_and(|secs| secs > 0.0) && row.local_minimum);
            assert_eq!(row.sweeps == 0, method == "steepest");
        }
        let energies: std::collections::BTreeSet<_> = rows.iter().map(|row| row.energy.to_bits()).collect();
        assert_eq!(energies.len(), 6, "every null model and instance is another one");
        let footer = table::read_provenance(&dir.path("x.parquet")).unwrap();
        assert_eq!(footer.get("seed"), Some("5"));
        let inspect = dir.ok(["inspect", "g"]).stdout();
        assert!(inspect.contains(footer.get("graph").unwrap()));
    }
}

#[test]
fn models_are_split_over_the_distributions_and_sorted() {
    let dir = Workdir::digits();
    let run = |flags: &[&str]| {
        null(&dir, "x.parquet", &[&["--kind", "n3", "--method", "steepest", "--force"], flags].concat())
    };
    let both = run(&["--models", "5", "--instances", "1"]);
    let (he, xavier) = (Some("he"), Some("xavier"));
    assert_eq!(places(&both), [(he, 0, 0), (he, 1, 0), (he, 2, 0), (xavier, 0, 0), (xavier, 1, 0)]);
    // A null model does not depend on how many there are, nor an instance.
    let only = run(&["--models", "2", "--instances", "1", "--distribution", "xavier"]);
    assert_eq!(only, both[3..]);
    let two = run(&["--models", "1", "--distribution", "xavier"]);
    assert_eq!(two[0], both[3]);
    let other = run(&["--models", "2", "--instances", "1", "--distribution", "xavier", "--seed", "1"]);
    assert!(other.iter().zip(&only).all(|(a, b)| a.energy != b.energy));
}

#[test]
fn equal_runs_give_equal_files_on_any_number_of_threads_and_in_any_memory() {
    let dir = Workdir::digits();
    for method in ["steepest", "sweep", "anneal"] {
        let flags = ["null", "g", "--kind=n1", "--models=3", "--seed=9"];
        let flags = [&flags[..], &Workdir::method(method, "10")].concat();
        let run = |output: &str, more: &[&str]| {
            dir.ok(flags.iter().chain(&["--output", output, "--force"]).chain(more));
            dir.read(output)
        };
        let one = run("one.parquet", &["--threads", "1"]);
        assert!(one == run("two.parquet", &["--threads=3", "--quiet"]), "{method}");
        assert!(one == run("two.parquet", &["--threads=3", "--memory=64MiB", "--keep", "kept"]), "{method}");
        let error = dir.run(1, flags.iter().chain(&["-o", "no.parquet", "--memory=1MiB"])).stderr();
        assert!(error.contains("needs at least"), "{error}");
    }
}

#[test]
fn models_side_by_side_and_one_at_a_time_have_the_same_rows() {
    let dir = Workdir::digits();
    for (kind, method) in [("n1", "sweep"), ("n1", "anneal"), ("n3", "sweep"), ("n3", "anneal")] {
        let flags = ["--kind", kind, "--models", "5", "--seed", "4", "--force"];
        let flags = [&flags[..], &Workdir::method(method, "10")].concat();
        let together = null(&dir, "x.parquet", &flags);
        let mut alone = Vec::new();
        for part in ["1/5", "2/5", "3/5", "4/5", "5/5"] {
            alone.extend(null(&dir, "x.parquet", &[&flags[..], &["--part", part]].concat()));
        }
        assert_eq!(together, alone, "{kind} {method}");
        // With nine instances there are no lanes for a second model.
        let mut more = null(&dir, "x.parquet", &[&flags[..], &["--instances", "9"]].concat());
        more.retain(|row| row.instance < 2);
        assert_eq!(together, more, "{kind} {method}");
    }
}

#[test]
fn four_parts_together_are_the_whole() {
    let dir = Workdir::digits();
    for kind in ["n1", "n2", "n3"] {
        let flags = ["--kind", kind, "--models", "7", "--method", "steepest", "--seed", "2", "--force"];
        let whole = null(&dir, "whole.parquet", &flags);
        let mut parts = Vec::new();
        for part in ["1/4", "2/4", "3/4", "4/4"] {
            parts.extend(null(&dir, &format!("{}.parquet", &part[..1]), &[&flags[..], &["--part", part]].concat()));
        }
        parts.sort_by_key(|row| (row.distribution.clone(), row.index, row.instance));
        // As earlier versions called it: the same table, which counts as complete under either name.
        let before = dir.read("2.parquet");
        null(&dir, "2.parquet", &[&flags[..], &["--shard", "2/4"]].concat());
        assert!(dir.read("2.parquet") == before, "{kind}");
        let again = ["null", "g", "-o", "2.parquet", "--random-flips", "5000", "--resume"];
        let again = [&again, &flags[..flags.len() - 1]].concat();
        for name in ["--part", "--shard"] {
            let again = again.iter().copied().chain([name, "2/4"]);
            assert_eq!(dir.ok(again).stdout(), "2.parquet: complete\n", "{kind} {name}");
        }
        assert_eq!(parts, whole, "{kind}");
    }

    dir.ok(["solve", "g", "-o", "r.parquet", "--method", "steepest", "--replicas", "3", "--random-flips", "5000"]);
    let compare = |nulls: &[&str], output: &str| {
        let nulls = nulls.iter().flat_map(|name| ["--null", name]);
        dir.ok(["compare", "--real", "r.parquet", "-o", output].into_iter().chain(nulls)).stdout()
    };
    let four = ["1.parquet", "2.parquet", "3.parquet", "4.parquet"];
    assert_eq!(compare(&four, "s4.parquet"), compare(&["whole.parquet"], "s1.parquet"));
}

#[test]
fn a_part_without_models_is_an_empty_table() {
    let dir = Workdir::digits();
    let rows = null(&dir, "x.parquet", &["--kind", "n1", "--models", "2", "--part", "3/4"]);
    assert!(rows.is_empty());
}

#[test]
fn kept_graphs_are_graphs() {
    let dir = Workdir::digits();
    let flags = ["--kind", "n3", "--models", "2", "--method", "steepest", "--keep", "kept"];
    let rows = null(&dir, "x.parquet", &flags);
    for (name, rows) in ["kept/n3-he-0", "kept/n3-xavier-0"].into_iter().zip(rows.chunks(2)) {
        dir.ok(["verify", name, "--deep"]);
        let json = dir.ok(["inspect", "--json", name]).stdout();
        let (_, seed) = json.split_once("\"solver_seed\": \"").unwrap();
        let seed = &seed[..seed.find('"').unwrap()];
        let flags = ["--replicas", "2", "--random-flips", "5000", "--method", "steepest", "--seed", seed, "--force"];
        dir.ok(["solve", name, "-o", "kept.parquet"].iter().chain(&flags));
        let solved = table::read::<ReplicaRow>(&dir.path("kept.parquet")).unwrap();
        for (replica, row) in solved.iter().zip(rows) {
            assert_eq!((replica.replica, replica.energy, replica.flips), (row.instance, row.energy, row.flips));
            assert_eq!(replica.sum_abs, row.sum_abs);
        }
    }
    let again = ["null", "g", "-o", "y.parquet"].iter().chain(&flags);
    dir.run(1, again.clone()).fails_with(&["kept/n3-he-0 exists", "--force"]);
    dir.ok(again.chain(&["--force"]));
    // The network's graph may go: what is linked stays.
    std::fs::remove_dir_all(dir.path("g")).unwrap();
    dir.ok(["verify", "kept/n3-he-0", "--deep"]);
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let dir = Workdir::new();
    for flags in [
        &[][..],
        &["g", "-o", "x.parquet"],
        &["g", "--kind", "n1"],
        &["g", "-o", "x.parquet", "--kind", "n4"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--distribution", "he"],
        &["g", "-o", "x.parquet", "--kind", "n3", "--distribution", "uniform"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--models", "0"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--instances", "0"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--part", "0/4"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--part", "5/4"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--shard", "5/4"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--part", "1/4", "--shard", "1/4"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--method", "best"],
        &["g", "-o", "x.parquet", "--kind", "n1", "--memory", "much"],
    ] {
        let stderr = dir.run(2, ["null"].iter().chain(flags)).stderr();
        assert!(stderr.contains("Usage: pipeline null") || stderr.contains("--help"), "{stderr}");
    }
    assert!(dir.names().is_empty());
}

#[test]
fn graphs_without_null_models_are_refused() {
    let dir = Workdir::new();
    let run = |kind: &[&str], words: &[&str]| {
        let before = dir.names();
        dir.run(1, ["null", "g", "-o", "x.parquet", "--models", "2", "--kind"].iter().chain(kind)).fails_with(words);
        assert_eq!(dir.names(), before, "{kind:?}");
    };
    run(&["n1"], &["cannot open graph g", "g is not there"]);
    dir.copy(&repository("fixtures/format-v1/graph"), "g");
    // Written before kernels had taps.
    run(&["n3"], &["taps", "conv \"1\"", "build-graph"]);
    dir.ok(["null", "g", "-o", "he.parquet", "--models", "2", "--kind", "n3", "--distribution", "he"]);
    let mut values = dir.read("g/values.bin");
    values[3] ^= 1;
    dir.write("g/values.bin", values);
    run(&["n1"], &["g/values.bin, piece 0: checksum"]);

    std::fs::remove_dir_all(dir.path("g")).unwrap();
    dir.write("e.csv", "source,target,weight\na,b,1\nb,c,-1\n");
    dir.ok(["import-graph", "e.csv", "-o", "g", "--quiet"]);
    run(&["n1"], &["no layer of the graph has parameters"]);
}

#[test]
fn existing_outputs_are_kept_unless_forced() {
    let dir = Workdir::digits();
    dir.write("x.parquet", "mine");
    let run = ["null", "g", "-o", "x.parquet", "--kind", "n1", "--models", "1", "--method", "steepest"];
    dir.run(1, run).fails_with(&["x.parquet exists", "--force"]);
    dir.run(1, run.iter().chain(&["--resume"])).fails_with(&["x.parquet exists", "--force"]);
    assert_eq!(dir.read("x.parquet"), b"mine");
    dir.ok(run.iter().chain(&["--force"]));
    assert_eq!(table::read::<NullRow>(&dir.path("x.parquet")).unwrap().len(), 2);
    assert_eq!(dir.ok(run.iter().chain(&["--resume"])).stdout(), "x.parquet: complete\n");
    dir.run(1, run.iter().chain(&["--resume", "--seed", "1"])).fails_with(&["x.parquet exists", "--force"]);
    // A graph that is to be kept and is not there is something to do.
    dir.run(1, run.iter().chain(&["--resume", "--keep", "kept"])).fails_with(&["x.parquet exists", "--force"]);
}

#[test]
fn a_run_killed_again_and_again_ends_in_the_same_file() {
    let dir = Workdir::digits();
    for (kind, method, models) in [("n3", "steepest", "60"), ("n3", "anneal", "6"), ("n2", "steepest", "12")] {
        let flags = ["--method", method, "--models", models, "--kind", kind, "--seed", "3", "--threads=1", "--quiet"];
        let name = format!("{kind}-{method}");
        null(&dir, &format!("{name}.parquet"), &flags);
        let output = format!("{name}-killed.parquet");
        let args = [&["null", "g", "--keep", &name, "--random-flips", "5000"], &flags[..]].concat();
        let lives = dir.killed_until_done(&args, &output, Duration::from_millis(100));
        assert!(lives > 0, "every run is killed at least once");
        assert!(dir.read(&format!("{name}.parquet")) == dir.read(&output), "{name} after {lives} lives");
        assert_eq!(std::fs::read_dir(dir.path(&name)).unwrap().count().to_string(), models, "kept, and nothing else");
    }
}

#[test]
fn a_signal_saves_and_a_checkpoint_is_never_lost_silently() {
    let dir = Workdir::digits();
    let null = ["null", "g", "-o", "n.parquet", "--kind=n1", "--method=steepest", "--models=20000", "--quiet"];
    let message = dir.terminated(null, "n.parquet.checkpoint");
    assert!(message.contains("interrupted") && message.contains("n.parquet.checkpoint, --resume"), "{message}");
    assert_eq!(dir.names(), ["g", "n.parquet.checkpoint"]);

    let refused = dir.run(1, null).stderr();
    assert!(refused.contains("--resume continues it, --force starts again"), "{refused}");
    let other = dir.run(1, null.iter().copied().chain(["--seed", "9", "--resume"])).stderr();
    assert!(other.contains("made by another search"), "{other}");
    dir.write("n.parquet.checkpoint", "{}\n00000000\n");
    let damaged = dir.run(1, null.iter().copied().chain(["--resume"])).stderr();
    assert!(damaged.contains("n.parquet.checkpoint: not an intact checkpoint; remove it"), "{damaged}");
}

#[test]
fn the_last_lines_say_what_was_found() {
    let dir = Workdir::digits();
    let run = ["null", "g", "-o", "x.parquet", "--kind", "n3", "--models", "3", "--max-flips", "10", "--quiet"];
    let stdout = dir.ok(run).stdout();
    let lines: Vec<_> = stdout.lines().collect();
    assert!(lines[0].starts_with("n3-he: mean ε̂ 0.") && lines[0].ends_with("of 4"), "{stdout}");
    assert!(lines[1].starts_with("n3-xavier: mean ε̂ 0.") && lines[1].ends_with("of 2"), "{stdout}");
    assert!(lines[2].starts_with("6 solutions, ") && lines[2].contains("6 stopped by --max-flips"), "{stdout}");
}
