//! `pipeline perturb`

mod common;

use std::time::Duration;

use common::{Workdir, repository};
use frustration::table::{self, OmegaRow};

/// A folder with the graph of the digits network as `g`, its replicas `r.parquet` and 20 images `x.npy`.
fn digits() -> Workdir {
    let dir = Workdir::digits();
    dir.write("digits.onnx", std::fs::read(repository("fixtures/digits/digits.onnx")).unwrap());
    dir.write("x.npy", std::fs::read(repository("fixtures/digits/images.npy")).unwrap());
    dir.ok(["solve", "g", "-o", "r.parquet", "--replicas", "4", "--random-flips", "5000", "--quiet"]);
    dir
}

const PERTURB: [&str; 16] = [
    "perturb",
    "g",
    "--model",
    "digits.onnx",
    "--images",
    "x.npy",
    "--replicas",
    "r.parquet",
    "--norm",
    "0.1..10",
    "--perturbations",
    "5",
    "--limit",
    "9",
    "--n3-replicas",
    "2",
];

/// The flags above, unless `more` has others.
fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let flags = [&PERTURB[2..], &["--random-flips", "5000"]].concat();
    let kept = flags.chunks(2).filter(|pair| !more.contains(&pair[0])).flatten().copied();
    PERTURB[..2].iter().copied().chain(kept).chain(more.iter().copied()).collect()
}

fn omega(dir: &Workdir, output: &str, more: &[&str]) -> Vec<OmegaRow> {
    dir.ok(args(&[&["-o", output], more].concat()));
    table::read::<OmegaRow>(&dir.path(output)).unwrap()
}

#[test]
fn one_row_per_image_case_and_perturbation() {
    let dir = digits();
    let rows = omega(&dir, "o.parquet", &["--seed", "5", "--n3-models", "2"]);
    assert_eq!(rows.len(), 9 * 3 * 5);
    let mut expected = Vec::new();
    for image in 0..9 {
        for (case, model) in [("real", 0), ("n3", image % 2), ("random-direction", 0)] {
            expected.extend((0..5).map(|perturbation| (image, case, model, perturbation)));
        }
    }
    let found: Vec<_> = rows.iter().map(|r| (r.image_index, r.case.as_str(), r.model, r.perturbation)).collect();
    assert_eq!(found, expected);
    for row in &rows {
        assert_eq!((row.graph.as_str(), row.image.as_str(), row.seed), ("g", row.image_index.to_string().as_str(), 5));
        assert!((row.norm / (0.1 * 100.0_f64.powf(row.perturbation as f64 / 4.0)) - 1.0).abs() < 1e-12);
        assert!((row.omega * 10.0 - (row.omega * 10.0).round()).abs() < 1e-12 && (0.0..=1.0).contains(&row.omega));
        assert!((0.0..1.0).contains(&row.unmoved) && row.unmoved <= row.omega);
        assert!(row.mean_change > 0.0 && row.greatest_change >= row.mean_change);
        assert_eq!(row.same_class, row.class_before == row.class_after);
        assert!((0..10).contains(&row.class_before) && (0..10).contains(&row.class_after));
    }
    // A push that is hardly there changes nothing of the class, a large one of most.
    let same = |perturbation| {
        rows.iter().filter(|r| r.case == "real" && r.perturbation == perturbation && r.same_class).count()
    };
    assert_eq!(same(0), 9);
    assert!(same(4) < 9);
    // Both cases of the real weights begin with the same class, those of new weights with another here and there.
    let before = |case: &str| rows.iter().filter(|r| r.case == case).map(|r| r.class_before).collect::<Vec<_>>();
    assert_eq!(before("real"), before("random-direction"));
    assert_ne!(before("real"), before("n3"));
    let footer = table::read_provenance(&dir.path("o.parquet")).unwrap();
    assert_eq!(footer.get("seed"), Some("5"));
    assert!(dir.ok(["inspect", "g"]).stdout().contains(footer.get("graph").unwrap()));
}

#[test]
fn equal_runs_give_equal_files_and_cases_do_not_depend_on_each_other() {
    let dir = digits();
    let all = omega(&dir, "a.parquet", &["--threads", "1"]);
    omega(&dir, "b.parquet", &["--threads=3", "--quiet"]);
    assert!(dir.read("a.parquet") == dir.read("b.parquet"));
    for case in ["real", "n3", "random-direction"] {
        let only = omega(&dir, "c.parquet", &["--cases", case, "--force"]);
        assert_eq!(only, all.iter().filter(|row| row.case == case).cloned().collect::<Vec<_>>(), "{case}");
    }
    let other = omega(&dir, "d.parquet", &["--seed", "1"]);
    assert!(other.iter().zip(&all).all(|(a, b)| a.mean_change != b.mean_change));
}

#[test]
fn parts_together_are_the_whole() {
    let dir = digits();
    let whole = omega(&dir, "whole.parquet", &["--n3-models", "2"]);
    let mut parts = Vec::new();
    for part in ["1/4", "2/4", "3/4", "4/4"] {
        parts.extend(omega(&dir, &format!("{}.parquet", &part[..1]), &["--n3-models", "2", "--part", part]));
    }
    parts.sort_by_key(|row| whole.iter().position(|other| other == row));
    assert_eq!(parts, whole);
    let lambda = |omegas: &[&str], output: &str| {
        let omegas = omegas.iter().flat_map(|name| ["--omega", name]);
        dir.ok(["lambda", "-o", output].into_iter().chain(omegas)).stdout()
    };
    let four = ["1.parquet", "2.parquet", "3.parquet", "4.parquet"];
    assert_eq!(lambda(&four, "l4.parquet"), lambda(&["whole.parquet"], "l1.parquet"));
    omega(&dir, "2s.parquet", &["--n3-models", "2", "--shard", "2/4"]);
    assert!(dir.read("2s.parquet") == dir.read("2.parquet"), "as earlier versions called it");
    assert!(omega(&dir, "empty.parquet", &["--part", "20/20"]).is_empty());
}

#[test]
fn a_run_killed_again_and_again_ends_in_the_same_file() {
    let dir = digits();
    let more = ["--perturbations", "400", "--threads", "1", "--quiet"];
    omega(&dir, "whole.parquet", &more);
    let lives = dir.killed_until_done(&args(&more), "killed.parquet", Duration::from_millis(50));
    assert!(lives > 0, "every run is killed at least once");
    assert!(dir.read("whole.parquet") == dir.read("killed.parquet"), "after {lives} lives");
    let again = args(&[&["-o", "killed.parquet", "--resume"], &more[..]].concat());
    assert_eq!(dir.ok(again.clone()).stdout(), "killed.parquet: complete\n");
    dir.run(1, again.iter().chain(&["--seed", "1"])).fails_with(&["killed.parquet exists", "--force"]);
}

#[test]
fn a_signal_saves_and_a_checkpoint_is_never_lost_silently() {
    let dir = digits();
    let args = args(&["-o", "o.parquet", "--perturbations", "20000", "--quiet", "--cases", "real"]);
    let message = dir.terminated(args.clone(), "o.parquet.checkpoint");
    assert!(message.contains("interrupted") && message.contains("o.parquet.checkpoint, --resume"), "{message}");
    assert!(!dir.path("o.parquet").exists());
    let refused = dir.run(1, args.clone()).stderr();
    assert!(refused.contains("--resume continues it, --force starts again"), "{refused}");
    let other = dir.run(1, args.iter().copied().chain(["--seed", "9", "--resume"])).stderr();
    assert!(other.contains("made by another search"), "{other}");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let dir = digits();
    let run = |from: &str, to: &str, more: &[&str], words: &[&str]| {
        let args: Vec<_> = args(more).into_iter().map(|arg| if arg == from { to } else { arg }).collect();
        dir.run(1, args.into_iter().chain(["-o", "o.parquet"])).fails_with(words);
        assert!(!dir.path("o.parquet").exists());
    };
    // A graph of the same shape with other weights, and its replicas.
    dir.ok(["build-graph", "--quiet", "--arch", "digits", "--init", "he", "-o", "h"]);
    dir.ok(["solve", "h", "-o", "h.parquet", "--replicas", "1", "--quiet"]);
    run("r.parquet", "h.parquet", &[], &["h.parquet is of the graph with fingerprint", "solve this graph"]);
    run("g", "h", &[], &["layer `input` of the graph", "the network that the graph was built from"]);
    dir.ok(["null", "g", "-o", "n.parquet", "--kind", "n1", "--models", "1", "--keep", "kept"]);
    run("g", "kept/n1-0", &[], &["other weights in layer `conv1`", "the network that the graph was built from"]);
    let other = repository("fixtures/onnx");
    let other = std::fs::read_dir(other).unwrap().map(|entry| entry.unwrap().path());
    let other = other.filter(|path| path.extension().is_some_and(|e| e == "onnx")).min().unwrap();
    run("digits.onnx", other.to_str().unwrap(), &[], &["the network that the graph was built from"]);
    dir.ok(["build-graph", "--quiet", "--model", "digits.onnx", "--batch-norm", "fold", "-o", "f"]);
    run("g", "f", &[], &["--batch-norm ignore", "--cases real,random-direction"]);
    run("x.npy", "none.npy", &["--preprocess", "none"], &["none.npy"]);
    run("r.parquet", "none.parquet", &[], &["cannot read none.parquet"]);

    let without: Vec<_> =
        args(&["-o", "o.parquet"]).into_iter().filter(|arg| !["--norm", "0.1..10"].contains(arg)).collect();
    dir.run(1, without).fails_with(&["tensors do not say", "--norm MIN..MAX"]);
    let without: Vec<_> =
        args(&["-o", "o.parquet"]).into_iter().filter(|arg| !["--replicas", "r.parquet"].contains(arg)).collect();
    assert!(dir.run(2, without.clone()).stderr().contains("needs --replicas"));
    dir.ok(without.into_iter().chain(["--cases", "random-direction"]));
}

#[test]
fn scaled_graphs_have_the_other_cases() {
    let dir = digits();
    dir.ok(["build-graph", "--quiet", "--model", "digits.onnx", "--batch-norm", "fold", "-o", "f"]);
    dir.ok(["solve", "f", "-o", "f.parquet", "--replicas", "1", "--quiet"]);
    let swap = |arg| match arg {
        "g" => "f",
        "r.parquet" => "f.parquet",
        other => other,
    };
    let args = args(&["-o", "o.parquet", "--cases", "random-direction,real"]).into_iter().map(swap);
    let stdout = dir.ok(args).stdout();
    let cases: Vec<_> = stdout.lines().filter_map(|line| line.split_once(": λ ")).map(|(case, _)| case).collect();
    assert_eq!(cases, ["real", "random-direction"]);
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let dir = Workdir::new();
    for more in [
        &["--norm", "10..1"][..],
        &["--norm", "0..1"],
        &["--cases", "n2"],
        &["--perturbations", "0"],
        &["--part", "0/4"],
        &["--n3-models", "0"],
        &["--weights", "x.safetensors"],
    ] {
        let run = dir.run(2, args(&[&["-o", "o.parquet"], more].concat()));
        assert!(run.stderr().contains("--help") || run.stderr().contains("Usage"), "{}", run.stderr());
    }
    assert!(dir.names().is_empty());
}
