//! `pipeline solve`

mod common;

use std::time::{Duration, Instant};

use common::{Workdir, repository};
use frustration::table::{self, ReplicaRow};

/// A folder with a small graph of three shards that can be damaged, as `g`.
fn small() -> Workdir {
    let dir = Workdir::new();
    dir.copy(&repository("fixtures/format-v1/graph"), "g");
    dir
}

fn solve(dir: &Workdir, output: &str, flags: &[&str]) -> Vec<ReplicaRow> {
    dir.ok(["solve", "g", "-o", output].iter().chain(flags));
    table::read::<ReplicaRow>(&dir.path(output)).unwrap()
}

fn states(rows: &[ReplicaRow]) -> Vec<&[u8]> {
    rows.iter().map(|row| row.state.as_slice()).collect()
}

#[test]
fn threads_and_random_flips_have_limits() {
    let dir = Workdir::new();
    for (flag, value) in [("--threads", "100000"), ("--random-flips", "99999999999999")] {
        let ran = dir.run(2, ["solve", "g", "-o", "r.parquet", flag, value]);
        assert!(ran.stderr().contains(&format!("{value} is not in 0..=")), "{}", ran.stderr());
    }
}

#[test]
fn every_column_is_filled_in() {
    let dir = Workdir::digits();
    for (method, flags) in [("sweep", &[][..]), ("steepest", &[]), ("anneal", &["--sweeps", "20"])] {
        let output = format!("{method}.parquet");
        let flags: Vec<_> =
            ["--method", method, "--replicas", "3", "--seed", "5", "--timing"].iter().chain(flags).copied().collect();
        let rows = solve(&dir, &output, &flags);
        assert_eq!(rows.len(), 3, "{method}");
        for (index, row) in (0..).zip(&rows) {
            assert_eq!((row.graph.as_str(), row.method.as_str(), row.replica, row.seed), ("g", method, index, 5));
            assert_eq!((row.n_nodes, row.n_edges), (21_258, 1_563_776));
            assert_eq!(row.initial_flips, if index == 0 { 0 } else { 1_000_000 });
            assert_eq!(row.state.len(), 21_258_usize.div_ceil(8));
            assert_eq!(row.state.last().unwrap() >> (21_258 % 8), 0, "unused bits are clear");
            assert!(row.energy > 0.40 && row.energy < 0.43, "{method}: {}", row.energy);
            assert!((row.satisfied_weight + row.frustrated_weight - row.sum_abs).abs() < 1e-6 * row.sum_abs);
            assert!((row.frustrated_weight / row.sum_abs - row.energy).abs() < 1e-12);
            assert!(row.flips > 0 && row.secs.is_some_and(|secs| secs > 0.0) && row.local_minimum);
            assert_eq!(row.sweeps == 0, method == "steepest");
        }
        let provenance = table::read_provenance(&dir.path(&output)).unwrap();
        let keys: Vec<_> = provenance.pairs().iter().map(|(key, _)| key.as_str()).collect();
        let fixed =
            ["version", "arguments", "seed", "graph", "graph_path", "search"].map(|key| format!("frustration.{key}"));
        assert!(fixed.iter().all(|key| keys.contains(&key.as_str())), "{keys:?}");
        let arguments = provenance.pairs().iter().find(|(key, _)| key == "frustration.arguments").unwrap();
        let said = if method == "sweep" { String::new() } else { format!(" --method {method}") };
        assert!(arguments.1.starts_with(&format!("pipeline solve g --replicas 3{said}")), "{arguments:?}");
    }
    let tables = ["anneal.layers.parquet", "anneal.parquet", "g", "steepest.layers.parquet", "steepest.parquet"];
    assert_eq!(dir.names(), [&tables[..], &["sweep.layers.parquet", "sweep.parquet"]].concat());
}

#[test]
fn the_last_line_says_what_was_found() {
    let dir = Workdir::digits();
    let stdout = dir.ok(["solve", "g", "-o", "x.parquet", "--replicas", "2"]).stdout();
    assert!(stdout.starts_with("ε̂ = 0.4") && stdout.contains("least of 2") && stdout.ends_with("iB\n"), "{stdout}");
    let stdout = dir.ok(["solve", "g", "-o", "y.parquet", "--replicas", "2", "--max-flips", "10"]).stdout();
    assert!(stdout.contains("2 replicas stopped by --max-flips"), "{stdout}");
    assert!(table::read::<ReplicaRow>(&dir.path("y.parquet")).unwrap().iter().all(|row| !row.local_minimum));
}

#[test]
fn equal_seeds_give_equal_states_on_any_number_of_threads_and_with_any_number_of_replicas() {
    let dir = Workdir::digits();
    for method in ["sweep", "steepest", "anneal"] {
        let run = |name: &str, replicas: &str, threads: &str, seed: &str| {
            let flags = ["--replicas", replicas, "--threads", threads, "--seed", seed, "--force"];
            let flags = [&flags[..], &Workdir::method(method, "10")].concat();
            solve(&dir, name, &flags)
        };
        let one = run("one.parquet", "18", "1", "9");
        let two = run("two.parquet", "18", "2", "9");
        assert_eq!(states(&one), states(&two), "{method}: threads");
        assert!(one.iter().zip(&two).all(|(a, b)| a.energy.to_bits() == b.energy.to_bits() && a.flips == b.flips));
        let few = run("few.parquet", "3", "2", "9");
        assert_eq!(states(&few), states(&one)[..3], "{method}: replicas");
        let other = run("other.parquet", "3", "2", "10");
        assert_ne!(states(&few)[1..], states(&other)[1..], "{method}: seed");
    }
}

#[test]
fn existing_outputs_are_kept_unless_forced() {
    let dir = small();
    let run = ["solve", "g", "-o", "x.parquet", "--replicas", "1"];
    dir.write("x.parquet", "mine");
    dir.run(1, run).fails_with(&["x.parquet exists", "--force"]);
    assert_eq!(dir.read("x.parquet"), b"mine");
    std::fs::rename(dir.path("x.parquet"), dir.path("x.layers.parquet")).unwrap();
    dir.run(1, run).fails_with(&["x.layers.parquet exists", "--force"]);
    assert_eq!(dir.names(), ["g", "x.layers.parquet"]);
    dir.ok(run.iter().chain(&["--force"]));
    assert_eq!(table::read::<ReplicaRow>(&dir.path("x.parquet")).unwrap().len(), 1);
}

#[test]
fn a_bad_output_fails_before_the_work() {
    let dir = Workdir::digits();
    let start = Instant::now();
    dir.run(1, ["solve", "g", "-o", "no/x.parquet", "--replicas", "65536"])
        .fails_with(&["no/x.parquet", "does not exist"]);
    // Solving would take many minutes; a busy machine may need some seconds to say no.
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(dir.names(), ["g"]);
}

/// Every method must fail with one line that contains `words`, and leave nothing behind.
#[track_caller]
fn refused(dir: &Workdir, words: &[&str]) {
    let before = dir.names();
    for method in ["sweep", "steepest", "anneal"] {
        dir.run(1, ["solve", "g", "-o", "x.parquet", "--method", method, "--replicas", "2"]).fails_with(words);
        assert_eq!(dir.names(), before, "{method}");
    }
}

#[test]
fn a_directory_that_is_no_graph_is_refused() {
    let dir = Workdir::new();
    refused(&dir, &["cannot open graph g", "g is not there; expected a graph directory", "pipeline build-graph"]);
    dir.write("g", "\u{8}\u{7}\u{12}\u{7}pytorch");
    refused(&dir, &["g is a file (an ONNX model), expected a graph directory, which `pipeline build-graph` makes"]);
    dir.write("g", b"\x89PNG\r\n\x1a\n");
    refused(&dir, &["g is a file (an image (PNG)), expected a graph directory"]);
    std::fs::remove_file(dir.path("g")).unwrap();
    std::fs::create_dir(dir.path("g")).unwrap();
    refused(&dir, &["cannot open graph g", "g is a folder without manifest.json, expected a graph directory"]);
    dir.write("g/manifest.json", "{}");
    refused(&dir, &["g/manifest.json"]);
}

#[test]
fn a_cut_shard_is_refused() {
    let dir = small();
    let shard = dir.read("g/frames-00001.shard");
    dir.write("g/frames-00001.shard", &shard[..100]);
    refused(&dir, &["g/frames-00001.shard: 100 bytes, manifest says 125", "rebuild the graph"]);
}

#[test]
fn flipped_bytes_are_refused() {
    for (file, at, part) in [
        ("g/frames-00001.shard", 20, ", frame 1: checksum"),
        ("g/frames-00001.shard", 70, ", directory: checksum"),
        ("g/values.bin", 3, ", piece 0: checksum"),
        ("g/manifest.json", 40, ""),
    ] {
        let dir = small();
        let mut bytes = dir.read(file);
        bytes[at] ^= 1;
        dir.write(file, &bytes);
        refused(&dir, &[&format!("{file}{part}"), "rebuild the graph"]);
        dir.run(1, ["export", "g", "-o", "x.npz"]).fails_with(&[file]);
        assert_eq!(dir.names(), ["g"]);
    }
}

#[test]
fn a_format_of_the_future_is_refused() {
    let dir = small();
    let manifest = std::fs::read_to_string(dir.path("g/manifest.json")).unwrap();
    dir.write("g/manifest.json", manifest.replace("\"format_version\": 1", "\"format_version\": 2"));
    refused(&dir, &["g/manifest.json: format version 2, this program reads 1", "update frustration"]);
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let dir = Workdir::new();
    for flags in [
        &[][..],
        &["g"],
        &["-o", "x.parquet"],
        &["g", "-o", "x.parquet", "--method", "best"],
        &["g", "-o", "x.parquet", "--replicas", "0"],
        &["g", "-o", "x.parquet", "--sweeps", "0"],
        &["g", "-o", "x.parquet", "--seed", "-1"],
        &["g", "-o", "x.parquet", "--what"],
        &["g", "-o", "x.csv"],
        &["g", "-o", "-"],
        &["g", "-o", "x"],
    ] {
        dir.run(2, ["solve"].iter().chain(flags));
    }
    let ran = dir.run(2, ["solve", "g", "-o", "x.csv"]);
    assert!(ran.stderr().contains("its name must end in .parquet, e.g. x.parquet"), "{}", ran.stderr());
    dir.run(2, ["solve-all"]);
    assert!(dir.names().is_empty());
}

/// The bytes of both tables of a run.
fn tables(dir: &Workdir, name: &str) -> [Vec<u8>; 2] {
    [format!("{name}.parquet"), format!("{name}.layers.parquet")].map(|name| dir.read(&name))
}

#[test]
fn equal_runs_give_equal_files() {
    let dir = Workdir::digits();
    for method in ["sweep", "steepest", "anneal"] {
        let flags = [&["g", "--replicas=18", "--seed", "9"], &Workdir::method(method, "10")[..]].concat();
        dir.ok(["solve", "-o", "one.parquet", "--threads", "1", "--force"].iter().chain(&flags));
        dir.ok(["solve", "--quiet"].iter().chain(&flags).chain(&["--threads=2", "--output=two.parquet", "--force"]));
        assert!(tables(&dir, "one") == tables(&dir, "two"), "{method}");
        assert!(table::read::<ReplicaRow>(&dir.path("one.parquet")).unwrap().iter().all(|row| row.secs.is_none()));
    }
}

#[test]
fn a_search_killed_again_and_again_ends_in_the_same_files() {
    let dir = Workdir::digits();
    for method in ["sweep", "steepest", "anneal"] {
        let flags = [&["--replicas", "20", "--seed", "3", "--quiet"], &Workdir::method(method, "300")[..]].concat();
        solve(&dir, &format!("{method}.parquet"), &flags);
        let output = format!("{method}-killed.parquet");
        let args = [&["solve", "g", "--checkpoint-every", "0"], &flags[..]].concat();
        let lives = dir.killed_until_done(&args, &output, Duration::from_millis(20));
        assert!(lives > 0 || method != "anneal", "the longest search is killed at least once");
        assert!(tables(&dir, method) == tables(&dir, &format!("{method}-killed")), "{method} after {lives} lives");
    }
}

#[test]
fn a_search_killed_after_its_tables_appeared_is_resumed_all_the_same() {
    let dir = Workdir::digits();
    let flags = ["--method", "anneal", "--replicas", "2", "--sweeps", "200", "--checkpoint-every", "0", "--quiet"];
    dir.ok(["solve", "g", "-o", "whole.parquet", "--resume"].iter().chain(&flags));
    let killed = ["solve", "g", "-o", "killed.parquet"];
    let mut run = dir.command(killed.iter().chain(&flags)).spawn().unwrap();
    dir.wait_for("killed.parquet.checkpoint");
    run.kill().unwrap();
    run.wait().unwrap();
    let hidden = |names: &[String]| names.iter().filter(|name| name.ends_with(".tmp")).count();
    assert!(hidden(&dir.names()) >= 2, "a killed search leaves its unfinished tables");
    dir.write(".killed.parquet.checkpoint.AbCdEf.tmp", "SPINCKP1, cut short");
    dir.write("killed.parquet", "complete");
    dir.write("killed.layers.parquet", "complete");
    dir.run(1, killed.iter().chain(&flags)).fails_with(&["killed.parquet exists", "--force"]);
    dir.ok(killed.iter().chain(&flags).chain(&["--resume"]));
    assert_eq!(hidden(&dir.names()), 0, "the next search removes them");
    assert!(tables(&dir, "killed") == tables(&dir, "whole"));
    std::fs::remove_file(dir.path("killed.parquet")).unwrap();
    dir.ok(killed.iter().chain(&flags).chain(&["--resume"]));
    assert!(tables(&dir, "killed") == tables(&dir, "whole"), "only the table of layers had appeared");
    // A cluster that starts a finished run again sees it succeed; what is there is of this run.
    let again = |more: &[&'static str]| killed.iter().chain(&flags).chain(more).copied().collect::<Vec<_>>();
    assert_eq!(dir.ok(again(&["--resume", "--seed", "0", "--threads", "1"])).stdout(), "killed.parquet: complete\n");
    dir.run(1, again(&["--resume", "--seed", "1"])).fails_with(&["killed.parquet exists", "--force"]);
    dir.run(1, again(&[])).fails_with(&["killed.parquet exists", "--force"]);
    assert!(dir.ok(again(&["--resume", "--force"])).stdout().contains("least of 2"));
    std::fs::copy(dir.path("g/manifest.json"), dir.path("killed.layers.parquet")).unwrap();
    dir.run(1, again(&["--resume"])).fails_with(&["exists", "--force"]);
}

#[test]
fn a_signal_saves_and_a_checkpoint_is_never_lost_silently() {
    let dir = Workdir::digits();
    let solve =
        ["solve", "g", "-o", "r.parquet", "--method=anneal", "--sweeps=100000", "--checkpoint-every=0", "--quiet"];
    let message = dir.terminated(solve, "r.parquet.checkpoint");
    assert!(message.contains("interrupted") && message.contains("r.parquet.checkpoint, --resume"), "{message}");
    assert_eq!(dir.names(), ["g", "r.parquet.checkpoint"]);

    let refused = dir.run(1, solve).stderr();
    assert!(refused.contains("--resume continues it, --force starts again"), "{refused}");
    let other = dir.run(1, solve.iter().copied().chain(["--seed", "9", "--resume"])).stderr();
    assert!(other.contains("made by another search"), "{other}");
    dir.write("r.parquet.checkpoint", b"SPINCKP1 and then nothing");
    let damaged = dir.run(1, solve.iter().copied().chain(["--resume"])).stderr();
    assert!(damaged.contains("r.parquet.checkpoint: not an intact checkpoint; remove it"), "{damaged}");
}

#[test]
fn a_closed_terminal_saves_as_well() {
    let dir = Workdir::digits();
    let solve =
        ["solve", "g", "-o", "r.parquet", "--method=anneal", "--sweeps=100000", "--checkpoint-every=0", "--quiet"];
    let message = dir.signalled("HUP", solve, "r.parquet.checkpoint");
    assert!(message.contains("interrupted") && message.contains("r.parquet.checkpoint, --resume"), "{message}");
    assert_eq!(dir.names(), ["g", "r.parquet.checkpoint"]);
}

#[test]
fn checkpoints_of_other_searches_are_described_in_the_words_of_the_command_line() {
    let dir = Workdir::digits();
    let solve = ["solve", "g", "-o", "r.parquet", "--method=anneal", "--checkpoint-every=0", "--quiet"];
    dir.terminated(solve.iter().copied().chain(["--sweeps=100000"]), "r.parquet.checkpoint");
    let ran = dir.run(1, solve.iter().copied().chain(["--sweeps=300", "--resume"]));
    ran.fails_with(&["anneal with --sweeps 100000 --random-flips 1000000", "anneal with --sweeps 300 "]);
    assert!(!ran.stderr().contains("18446744073709551615"), "{}", ran.stderr());
}

#[test]
fn flags_that_the_method_does_not_use_are_refused() {
    let dir = Workdir::new();
    for command in [&["solve", "g"][..], &["null", "g", "--kind", "n1"], &["active", "g", "--images", "x.npy"]] {
        let ran = dir.run(2, command.iter().chain(&["-o", "x.parquet", "--sweeps", "100", "--method", "sweep"]));
        assert!(ran.stderr().contains("--sweeps is for --method anneal"), "{}", ran.stderr());
    }
    let ran = dir.run(2, ["build-graph", "--model", "m.onnx", "--seed", "3", "-o", "g"]);
    assert!(ran.stderr().contains("--seed is for --init"), "{}", ran.stderr());
    assert!(dir.names().is_empty());
}

#[test]
fn tips_do_not_mislead() {
    let dir = Workdir::new();
    let tip = |flag: &str| dir.run(2, ["solve", "g", "-o", "x.parquet", flag]).stderr();
    assert!(!tip("--format").contains("tip"), "{}", tip("--format"));
    assert!(tip("--replica").contains("'--replicas'"), "{}", tip("--replica"));
}

#[test]
fn footers_of_equal_runs_are_equal_whether_defaults_are_said_or_not() {
    let dir = small();
    dir.ok(["solve", "g", "-o", "a.parquet", "--replicas", "2"]);
    let said =
        ["--seed", "0", "--method", "sweep", "--random-flips", "1000000", "--replicas=2", "--checkpoint-every=60"];
    dir.ok(["solve", "--output=b.parquet"].iter().chain(&said).chain(&["g"]));
    assert!(tables(&dir, "a") == tables(&dir, "b"));
}

#[test]
fn a_limit_of_a_few_bytes_is_not_called_none() {
    let dir = small();
    let ran = dir.run(1, ["solve", "g", "-o", "x.parquet", "--memory", "8"]);
    ran.fails_with(&["needs at least", "MiB of memory, but may use 8 B"]);
}

#[test]
fn two_searches_with_one_output_do_not_meet() {
    let dir = Workdir::digits();
    let solve =
        ["solve", "g", "-o", "r.parquet", "--method=anneal", "--sweeps=100000", "--checkpoint-every=0", "--quiet"];
    let mut first = dir.command(solve).spawn().unwrap();
    dir.wait_for("r.parquet.checkpoint");
    for flag in ["--resume", "--force"] {
        let second = dir.run(1, solve.iter().chain(&[flag]));
        second.fails_with(&["r.parquet is being written by another run; wait for it"]);
    }
    assert!(first.try_wait().unwrap().is_none(), "the first goes on");
    first.kill().unwrap();
    first.wait().unwrap();
    dir.run(1, solve).fails_with(&["r.parquet.checkpoint holds an unfinished run"]);
}
