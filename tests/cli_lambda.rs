//! `pipeline lambda`

mod common;

use std::fs::File;

use common::Workdir;
use frustration::table::{self, LambdaImageRow, LambdaNormRow, LambdaRow, OmegaRow, Provenance, Sink};

/// Ω of each image, one perturbation after the other with norms 1, 10, 100, ...
fn rows(case: &str, images: &[&[f64]]) -> Vec<OmegaRow> {
    let row = |image: usize, perturbation: usize, omega: f64| OmegaRow {
        graph: "net".into(),
        case: case.into(),
        image_index: image as i64,
        image: image.to_string(),
        label: -1,
        perturbation: perturbation as i64,
        norm: 10.0_f64.powi(perturbation as i32),
        omega,
        same_class: perturbation == 0,
        ..OmegaRow::default()
    };
    let of_image = |(image, omegas): (usize, &&[f64])| {
        omegas.iter().enumerate().map(|(k, &omega)| row(image, k, omega)).collect::<Vec<_>>()
    };
    images.iter().enumerate().flat_map(of_image).collect()
}

fn write(dir: &Workdir, name: &str, fingerprint: &str, rows: &[OmegaRow]) {
    let mut footer = Provenance::default();
    footer.push("graph", fingerprint);
    let mut sink = Sink::new(File::create(dir.path(name)).unwrap(), &footer).unwrap();
    sink.append(rows).unwrap();
    sink.finish().unwrap();
}

const LAMBDA: [&str; 5] = ["lambda", "--omega", "o.parquet", "-o", "l.parquet"];

#[test]
fn lambda_by_case_by_image_and_by_norm() {
    let dir = Workdir::new();
    let real = rows("real", &[&[1.0, 0.9], &[0.0, 0.1], &[0.5, 0.6]]);
    write(&dir, "o.parquet", "abc", &[real, rows("random-direction", &[&[0.5, 0.5]])].concat());
    let ran = dir.ok(LAMBDA);
    assert!(ran.stdout().starts_with("graph  case              images  n  lambda"), "{}", ran.stdout());
    assert!(ran.stderr().contains("a single image has no interval"), "{}", ran.stderr());
    let found = table::read::<LambdaRow>(&dir.path("l.parquet")).unwrap();
    // Distances 0.5, 0.5, 0.4, 0.4, 0.1, 0: four of six are at least 0.4, and half of 4/6 is less.
    assert_eq!((found[0].case.as_str(), found[0].n_images, found[0].n), ("real", 3, 6));
    assert!((found[0].lambda - 1.0 / 3.0).abs() < 1e-12, "{}", found[0].lambda);
    assert!(found[0].lambda_low.unwrap() <= found[0].lambda && found[0].lambda <= found[0].lambda_high.unwrap());
    assert!((found[0].same_class - 0.5).abs() < 1e-12 && (found[0].one_sided - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!((found[0].lambda_moved, found[0].mean_unmoved), (found[0].lambda, 0.0));
    assert_eq!((found[1].lambda, found[1].lambda_low, found[1].lambda_high), (0.0, None, None));

    let images = table::read::<LambdaImageRow>(&dir.path("l.images.parquet")).unwrap();
    assert_eq!(images.iter().map(|row| row.above_half).collect::<Vec<_>>(), [1.0, 0.0, 0.5, 0.0]);
    let norms = table::read::<LambdaNormRow>(&dir.path("l.norms.parquet")).unwrap();
    let ranges: Vec<_> = norms.iter().map(|row| (row.norm_least, row.norm_greatest, row.n, row.same_class)).collect();
    assert_eq!(ranges, [(1.0, 1.0, 3, 1.0), (10.0, 10.0, 3, 0.0), (1.0, 1.0, 1, 1.0), (10.0, 10.0, 1, 0.0)]);
}

#[test]
fn logits_that_do_not_change_are_counted_and_left_out() {
    let dir = Workdir::new();
    // Four of ten logits are dead; of the others half follow.
    let still = rows("n3", &[&[0.7, 0.7], &[0.7, 0.7]]).into_iter().map(|row| OmegaRow { unmoved: 0.4, ..row });
    write(&dir, "o.parquet", "abc", &still.collect::<Vec<_>>());
    dir.ok(LAMBDA);
    let found = &table::read::<LambdaRow>(&dir.path("l.parquet")).unwrap()[0];
    assert!((found.lambda - 0.2).abs() < 1e-12 && found.lambda_moved < 1e-12, "{found:?}");
    assert_eq!(found.mean_unmoved, 0.4);
}

#[test]
fn different_experiments_are_not_pooled() {
    let dir = Workdir::new();
    for (name, image, preprocess, replicas) in
        [("a", 0, "one", "x"), ("b", 1, "one", "x"), ("c", 1, "other", "x"), ("d", 1, "one", "y")]
    {
        let mut footer = Provenance::default();
        for (key, value) in [("graph", "abc"), ("preprocess", preprocess), ("replicas_sha256", replicas)] {
            footer.push(key, value);
        }
        let rows: Vec<_> = rows("real", &[&[1.0, 0.9], &[0.0, 0.1]]);
        let mut sink = Sink::new(File::create(dir.path(&format!("{name}.parquet"))).unwrap(), &footer).unwrap();
        sink.append(&rows[2 * image..][..2]).unwrap();
        sink.finish().unwrap();
    }
    let of = |other| ["lambda", "--omega", "a.parquet", other, "-o", "l.parquet", "--force"];
    dir.ok(of("b.parquet"));
    dir.run(1, of("c.parquet")).fails_with(&["c.parquet", "another preprocessing of images than a.parquet"]);
    dir.run(1, of("d.parquet")).fails_with(&["d.parquet", "another table of replicas than a.parquet"]);
}

#[test]
fn an_input_is_no_output_even_if_forced() {
    let dir = Workdir::new();
    write(&dir, "o.parquet", "abc", &rows("real", &[&[1.0, 0.9]]));
    let before = dir.read("o.parquet");
    let ran = dir.run(2, ["lambda", "--omega", "o.parquet", "-o", "./o.parquet", "--force"]);
    assert!(ran.stderr().contains("--output is the file of --omega"), "{}", ran.stderr());
    assert_eq!(dir.read("o.parquet"), before);
}

#[test]
fn empty_parts_are_parts() {
    let dir = Workdir::new();
    write(&dir, "o.parquet", "abc", &rows("real", &[&[1.0, 0.9]]));
    let alone = dir.ok(LAMBDA).stdout();
    write(&dir, "e.parquet", "abc", &[]);
    assert_eq!(dir.ok(LAMBDA.iter().chain(&["--omega", "e.parquet", "--force"])).stdout(), alone);
}

#[test]
fn what_cannot_be_summed_up_is_refused() {
    let dir = Workdir::new();
    let good = rows("real", &[&[1.0, 0.9]]);
    let run = |rows: &[OmegaRow], words: &[&str]| {
        write(&dir, "o.parquet", "abc", rows);
        dir.run(1, LAMBDA).fails_with(words);
        assert_eq!(dir.names(), ["o.parquet"]);
    };
    run(&[], &["no rows in o.parquet"]);
    run(&[good.clone(), good.clone()].concat(), &["row 2 repeats o.parquet, row 0: real, image 0, perturbation 0"]);
    run(&rows("n1", &[&[0.5]]), &["case `n1`, expected real"]);
    run(&rows("real", &[&[1.5]]), &["1.5, expected a number from 0 to 1"]);
    run(&[OmegaRow { unmoved: 1.5, ..good[0].clone() }], &["unmoved is 1.5, expected a share"]);
    run(&[OmegaRow { norm: 0.0, ..good[0].clone() }], &["norm is 0, expected a positive number"]);
    write(&dir, "o.parquet", "abc", &good);
    write(&dir, "p.parquet", "def", &rows("n3", &[&[0.5]]));
    let both = LAMBDA.iter().chain(&["--omega", "p.parquet"]);
    dir.run(1, both).fails_with(&["graph `net` has fingerprint def, that of another table abc"]);
    dir.run(2, ["lambda", "-o", "l.parquet"]);
    dir.write("l.images.parquet", "mine");
    dir.run(1, LAMBDA).fails_with(&["l.images.parquet exists", "--force"]);
}
