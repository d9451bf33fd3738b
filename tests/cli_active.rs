//! `pipeline active`

mod common;

use common::{Workdir, repository};
use frustration::table::{self, ActiveRow, SummaryRow};

const DIGITS: &str = "fixtures/digits/digits.onnx";
const IMAGES: &str = "fixtures/digits/images.npy";

fn path(name: &str) -> String {
    repository(name).to_str().unwrap().to_owned()
}

fn args(output: &str, flags: &[&str]) -> Vec<String> {
    let (model, images) = (path(DIGITS), path(IMAGES));
    let args = ["active", "g", "--model", &model, "--images", &images, "-o", output, "--quiet"];
    args.iter().chain(flags).map(|&arg| arg.to_owned()).collect()
}

fn active(dir: &Workdir, output: &str, flags: &[&str]) -> Vec<ActiveRow> {
    dir.ok(args(output, flags));
    table::read(&dir.path(output)).unwrap()
}

#[test]
fn every_column_is_filled_in() {
    let dir = Workdir::digits();
    for method in ["sweep", "anneal"] {
        let flags = ["--limit", "21", "--seed", "5", "--timing", "--force"];
        let rows = active(&dir, "x.parquet", &[&flags[..], &Workdir::method(method, "30")].concat());
        assert_eq!(rows.len(), 21);
        for (index, row) in (0..).zip(&rows) {
            assert_eq!((row.graph.as_str(), row.method.as_str(), row.seed), ("g", method, 5));
            assert_eq!((row.image_index, row.image.as_str()), (index, index.to_string().as_str()));
            assert!((0..10).contains(&row.class) && row.logit > 0.0);
            assert!(row.energy > 0.34 && row.energy < 0.40, "{}", row.energy);
            assert!((row.satisfied_weight + row.frustrated_weight - row.sum_abs).abs() < 1e-6 * row.sum_abs);
            assert!((row.frustrated_weight / row.sum_abs - row.energy).abs() < 1e-12);
            assert!(row.active_nodes < 15_000 && row.active_edges > 100_000 && row.active_edges < 600_000);
            assert!(row.active.is_none() && row.spins.is_none());
            assert!(row.flips > 0 && row.sweeps > 0 && row.secs.is_some_and(|secs| secs > 0.0) && row.local_minimum);
        }
        let footer = table::read_provenance(&dir.path("x.parquet")).unwrap();
        assert!(dir.ok(["inspect", "g"]).stdout().contains(footer.get("graph").unwrap()));
    }
}

#[test]
fn results_depend_on_the_image_alone() {
    let dir = Workdir::digits();
    for method in ["sweep", "anneal"] {
        let flags = [&["--force", "--keep-masks"], &Workdir::method(method, "10")[..]].concat();
        let run = |output: &str, more: &[&str]| active(&dir, output, &[&flags[..], more].concat());
        let whole = run("w.parquet", &["--limit", "40", "--threads", "1"]);
        run("w2.parquet", &["--limit", "40", "--threads", "2"]);
        assert!(dir.read("w.parquet") == dir.read("w2.parquet"), "threads, {method}");
        assert!(dir.read("w.layers.parquet") == dir.read("w2.layers.parquet"), "threads, {method}");
        // The last batch has other images beside its own.
        assert_eq!(run("p.parquet", &["--limit", "35"]), whole[..35]);
        let mut parts = [
            run("1.parquet", &["--limit", "40", "--part", "1/2"]),
            run("2.parquet", &["--limit", "40", "--part", "2/2"]),
        ]
        .concat();
        parts.sort_by_key(|row| row.image_index);
        assert_eq!(parts, whole);
        // As earlier versions called it.
        run("s.parquet", &["--limit", "40", "--shard", "2/2"]);
        assert!(dir.read("s.parquet") == dir.read("2.parquet"), "{method}");
    }
}

#[test]
fn a_part_without_images_is_complete() {
    let dir = Workdir::digits();
    let mut parts = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let name = format!("{}.parquet", &part[..1]);
        parts.push(active(&dir, &name, &["--limit", "20", "--part", part]).len());
    }
    assert_eq!(parts, [16, 4, 0]);
    assert!(dir.ok(["solve", "g", "-o", "r.parquet", "--replicas", "4"]).stdout().contains("least of 4"));
    let names = ["1.parquet", "2.parquet", "3.parquet"].into_iter().flat_map(|name| ["--active", name]);
    let ran = dir.ok(["compare", "--real", "r.parquet", "-o", "s.parquet"].into_iter().chain(names));
    assert!(ran.stdout().contains("of 20 images") && ran.stderr().is_empty(), "{}", ran.stderr());
}

#[test]
fn a_run_that_is_stopped_is_resumed() {
    let dir = Workdir::digits();
    let whole = args("w.parquet", &["--limit", "96", "--method", "anneal", "--sweeps", "100", "--keep-masks"]);
    dir.ok(&whole);
    let stopped: Vec<_> = whole.iter().map(|arg| arg.replace("w.parquet", "s.parquet")).collect();
    let message = dir.terminated(&stopped, "s.parquet.checkpoint");
    assert!(message.contains("of 96 images are in s.parquet.checkpoint, --resume"), "{message}");
    dir.run(1, &stopped).fails_with(&["--resume continues it, --force starts again"]);
    dir.run(1, stopped.iter().map(String::as_str).chain(["--resume", "--seed", "9"])).fails_with(&["another search"]);
    dir.ok(stopped.iter().map(String::as_str).chain(["--resume"]));
    assert!(dir.read("w.parquet") == dir.read("s.parquet"));
    assert!(dir.read("w.layers.parquet") == dir.read("s.layers.parquet"));
    assert!(!dir.path("s.parquet.checkpoint").exists());
    let again = |more: &[&str]| [stopped.clone(), more.iter().map(|&flag| flag.to_owned()).collect()].concat();
    assert_eq!(dir.ok(again(&["--resume"])).stdout(), "s.parquet: complete\n");
    dir.run(1, again(&["--resume", "--seed", "9"])).fails_with(&["s.parquet exists", "--force"]);
}

#[test]
fn outputs_and_networks_are_checked_before_the_work() {
    let dir = Workdir::digits();
    dir.write("x.parquet", "mine");
    dir.run(1, args("x.parquet", &[])).fails_with(&["x.parquet exists", "--force"]);
    dir.ok(["build-graph", "--quiet", "--arch", "digits", "--init", "he", "-o", "h"]);
    let other: Vec<_> =
        args("y.parquet", &[]).iter().map(|arg| if arg == "g" { "h".into() } else { arg.clone() }).collect();
    dir.run(1, other).fails_with(&["expected the network that the graph was built from"]);
    dir.write("e.csv", "source,target,weight\na,b,1\nb,c,-1\n");
    dir.ok(["import-graph", "e.csv", "-o", "e", "--quiet"]);
    let imported: Vec<_> =
        args("y.parquet", &[]).iter().map(|arg| if arg == "g" { "e".into() } else { arg.clone() }).collect();
    dir.run(1, imported).fails_with(&["pipeline build-graph"]);
    assert!(!dir.path("y.parquet").exists());
    dir.run(2, args("y.parquet", &["--method", "steepest"]));
}

#[test]
fn compare_counts_the_images_below_the_network() {
    let dir = Workdir::digits();
    active(&dir, "a.parquet", &["--limit", "20"]);
    dir.ok(["solve", "g", "-o", "r.parquet", "--method", "sweep", "--replicas", "4", "--quiet"]);
    let compare = ["compare", "--real", "r.parquet", "--active", "a.parquet", "-o", "s.parquet"];
    let stdout = dir.ok(compare).stdout();
    assert!(stdout.contains("active: 20 of 20 images (1.0000) below the mean of real"), "{stdout}");
    let rows = table::read::<SummaryRow>(&dir.path("s.parquet")).unwrap();
    assert_eq!((rows[1].case.as_str(), rows[1].reference.as_deref(), rows[1].n), ("active", Some("real"), 20));
    let footer = table::read_provenance(&dir.path("s.parquet")).unwrap();
    let [real, active, null] = ["real_sha256", "active_sha256", "null_sha256"].map(|key| footer.get(key));
    assert!(active.is_some_and(|hash| hash.len() == 64) && active != real && null.is_none());
    assert!(rows[1].welch_t.unwrap() < 0.0);
    let twice = compare.iter().chain(&["--active", "a.parquet", "--force"]);
    dir.run(1, twice).fails_with(&["repeats", "give each image once"]);
}
