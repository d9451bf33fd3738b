//! `pipeline compare`

mod common;

use std::fs::File;

use common::Workdir;
use frustration::table::{self, NullRow, Provenance, ReplicaRow, Sink, SummaryRow};

/// A footer that names the graph by its fingerprint, and the search.
fn footer(fingerprint: &str) -> Provenance {
    let mut provenance = Provenance::default();
    provenance.push("graph", fingerprint);
    provenance.push("search", r#"{"method":"sweep","sweeps":null,"random_flips":5,"max_flips":null}"#);
    provenance
}

fn replicas(energies: &[f64]) -> Vec<ReplicaRow> {
    let row = |(replica, &energy): (i64, &f64)| ReplicaRow {
        graph: "net".into(),
        method: "sweep".into(),
        replica,
        energy,
        local_minimum: true,
        state: vec![1],
        ..ReplicaRow::default()
    };
    (0..).zip(energies).map(row).collect()
}

/// Two runs on each null model.
fn nulls(kind: &str, distribution: Option<&str>, energies: &[f64]) -> Vec<NullRow> {
    let row = |(place, &energy): (i64, &f64)| NullRow {
        graph: "net".into(),
        kind: kind.into(),
        distribution: distribution.map(str::to_owned),
        index: place / 2,
        instance: place % 2,
        method: "sweep".into(),
        energy,
        local_minimum: true,
        ..NullRow::default()
    };
    (0..).zip(energies).map(row).collect()
}

fn write_replicas(dir: &Workdir, name: &str, fingerprint: &str, rows: &[ReplicaRow]) {
    let mut sink = Sink::new(File::create(dir.path(name)).unwrap(), &footer(fingerprint)).unwrap();
    sink.append(rows).unwrap();
    sink.finish().unwrap();
}

fn write_nulls(dir: &Workdir, name: &str, fingerprint: &str, rows: &[NullRow]) {
    let mut sink = Sink::new(File::create(dir.path(name)).unwrap(), &footer(fingerprint)).unwrap();
    sink.append(rows).unwrap();
    sink.finish().unwrap();
}

const REAL: [f64; 4] = [0.40, 0.41, 0.40, 0.39];
const N1: [f64; 4] = [0.42, 0.43, 0.42, 0.41];
const COMPARE: [&str; 7] = ["compare", "--real", "r.parquet", "--null", "n.parquet", "-o", "s.parquet"];

/// A folder with replicas `r.parquet` and null models N1 `n.parquet`.
fn tables() -> Workdir {
    let dir = Workdir::new();
    write_replicas(&dir, "r.parquet", "abc", &replicas(&REAL));
    write_nulls(&dir, "n.parquet", "abc", &nulls("n1", None, &N1));
    dir
}

fn summary(dir: &Workdir) -> Vec<SummaryRow> {
    table::read::<SummaryRow>(&dir.path("s.parquet")).unwrap()
}

#[test]
fn one_row_per_case_and_reference() {
    let dir = tables();
    let other = [nulls("n3", Some("xavier"), &[0.5, 0.51]), nulls("n2", None, &[0.46, 0.47])].concat();
    write_nulls(&dir, "m.parquet", "abc", &other);
    let ran = dir.ok(COMPARE.iter().chain(&["--null", "m.parquet"]));
    assert_eq!(ran.stderr(), "");
    let rows = summary(&dir);
    let pairs: Vec<_> = rows.iter().map(|row| (row.case.as_str(), row.reference.as_deref(), row.n)).collect();
    let expected = [
        ("real", None, 4),
        ("n1", Some("real"), 4),
        ("n2", Some("real"), 2),
        ("n2", Some("n1"), 2),
        ("n3-xavier", Some("real"), 2),
        ("n3-xavier", Some("n1"), 2),
    ];
    assert_eq!(pairs, expected);
    assert!(rows.iter().all(|row| row.graph == "net" && row.method == "sweep"));

    // Equal spreads: t = 0.02 / (sd √(2/4)), sd² = 0.0002 / 3, 6 degrees of freedom, d = 0.02 / sd. log10 p by mpmath.
    let n1 = &rows[1];
    let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12 * expected.abs();
    assert!((n1.mean - 0.42).abs() < 1e-15 && n1.least == 0.41 && close(n1.sd, (0.0002_f64 / 3.0).sqrt()));
    assert!(close(n1.welch_t, 12.0_f64.sqrt()) && close(n1.degrees_of_freedom, 6.0), "{n1:?}");
    assert!(close(n1.log10_p, -1.872896345311318) && close(n1.cohens_d, 6.0_f64.sqrt()), "{n1:?}");
    assert_eq!((rows[0].welch_t, rows[0].cohens_d), (None, None));

    let provenance = table::read_provenance(&dir.path("s.parquet")).unwrap();
    assert_eq!(provenance.get("graph"), Some("abc"));
    assert_eq!(provenance.get("null_sha256").unwrap().split(' ').count(), 2);
}

#[test]
fn stdout_is_a_table() {
    let dir = tables();
    let stdout = dir.ok(COMPARE).stdout();
    let expected = "\
case  n      mean        sd     least  reference     t  dof  log10 p  Cohen's d
real  4  0.400000  0.008165  0.390000  -             -    -        -          -
n1    4  0.420000  0.008165  0.410000  real       3.46  6.0    -1.87       2.45
";
    assert_eq!(stdout, expected);
}

#[test]
fn what_cannot_be_tested_is_null_and_said() {
    let dir = tables();
    write_replicas(&dir, "r.parquet", "abc", &replicas(&[0.4]));
    let ran = dir.ok(COMPARE);
    assert!(ran.stderr().contains("n1 against real: a single value has no standard deviation"), "{}", ran.stderr());
    let rows = summary(&dir);
    assert_eq!((rows[0].sd, rows[1].welch_t, rows[1].log10_p, rows[1].cohens_d), (None, None, None, None));
    assert!(rows[1].sd.is_some());

    write_replicas(&dir, "r.parquet", "abc", &replicas(&[0.1; 3]));
    write_nulls(&dir, "n.parquet", "abc", &nulls("n1", None, &[0.3; 3]));
    let ran = dir.ok(COMPARE.iter().chain(&["--force"]));
    assert!(ran.stderr().contains("n1 against real: neither case varies"), "{}", ran.stderr());
    assert_eq!((summary(&dir)[1].sd, summary(&dir)[1].log10_p), (Some(0.0), None));

    write_nulls(&dir, "n.parquet", "abc", &nulls("n1", None, &[0.1; 3]));
    let ran = dir.ok(COMPARE.iter().chain(&["--force"]));
    assert_eq!((ran.stderr().as_str(), summary(&dir)[1].log10_p), ("", Some(0.0)));
}

#[test]
fn energies_that_are_no_minima_are_noted() {
    let dir = tables();
    let mut rows = nulls("n1", None, &N1);
    rows[2].local_minimum = false;
    write_nulls(&dir, "n.parquet", "abc", &rows);
    assert!(dir.ok(COMPARE).stderr().contains("1 of the energies"));
    assert_eq!(dir.ok(COMPARE.iter().chain(&["--force", "--quiet"])).stderr(), "");
}

#[test]
fn a_run_given_twice_is_refused() {
    let dir = tables();
    let twice = COMPARE.iter().chain(&["--null", "n.parquet"]);
    dir.run(1, twice).fails_with(&["n.parquet, row 0 repeats n.parquet, row 0: n1, index 0, instance 0", "seed 0"]);
    let rows = [nulls("n3", Some("he"), &N1), nulls("n3", Some("xavier"), &N1), nulls("n3", Some("he"), &N1[..1])];
    write_nulls(&dir, "n.parquet", "abc", &rows.concat());
    dir.run(1, COMPARE).fails_with(&["n.parquet, row 8 repeats n.parquet, row 0: n3 he, index 0, instance 0"]);
    assert_eq!(dir.names(), ["n.parquet", "r.parquet"]);

    // Another seed makes other null models of the same numbers.
    let other: Vec<_> = nulls("n1", None, &N1).into_iter().map(|row| NullRow { seed: 1, ..row }).collect();
    write_nulls(&dir, "n.parquet", "abc", &[nulls("n1", None, &N1), other].concat());
    dir.ok(COMPARE);
    assert_eq!(summary(&dir)[1].n, 8);
}

#[test]
fn tables_that_do_not_belong_together_are_refused() {
    let dir = tables();
    let change = |change: fn(&mut NullRow)| {
        let mut rows = nulls("n1", None, &N1);
        change(&mut rows[1]);
        write_nulls(&dir, "n.parquet", "abc", &rows);
        dir.run(1, COMPARE)
    };
    change(|row| row.method = "anneal".into()).fails_with(&[
        "n.parquet, row 1",
        "by anneal",
        "by sweep",
        "--allow-different-search",
    ]);
    change(|row| row.graph = "other".into()).fails_with(&["n.parquet, row 1", "`other`", "`net`"]);
    change(|row| row.kind = "n4".into()).fails_with(&["n.parquet, row 1", "`n4`", "expected n1, n2, n3"]);
    change(|row| row.distribution = Some("he".into())).fails_with(&["n.parquet, row 1", "`n1`", "`he`"]);
    change(|row| row.energy = f64::NAN).fails_with(&["n.parquet, row 1", "NaN"]);

    write_nulls(&dir, "n.parquet", "def", &nulls("n1", None, &N1));
    dir.run(1, COMPARE).fails_with(&["n.parquet", "fingerprint def", "r.parquet of abc"]);
    write_nulls(&dir, "n.parquet", "abc", &nulls("n1", None, &N1));
    let mut rows = replicas(&REAL);
    rows[3].method = "anneal".into();
    write_replicas(&dir, "r.parquet", "abc", &rows);
    dir.run(1, COMPARE).fails_with(&["r.parquet, row 3", "by anneal"]);
}

/// A folder with the digits network `g`.
fn solved(dir: &Workdir, output: &str, flags: &[&str]) {
    let args = ["solve", "g", "--replicas", "3", "--quiet", "-o", output];
    dir.ok(args.iter().chain(flags));
}

#[test]
fn searches_with_other_sweeps_are_not_compared() {
    let dir = Workdir::digits();
    let null = ["null", "g", "--kind", "n1", "--models", "2", "--quiet", "-o", "n.parquet", "--method", "anneal"];
    dir.ok(null.iter().chain(&["--sweeps", "20"]));
    solved(&dir, "r.parquet", &["--method", "anneal", "--sweeps", "5"]);
    let words = [
        "n.parquet was searched by anneal with --sweeps 20 --random-flips 1000000",
        "r.parquet by anneal with --sweeps 5 ",
        "--allow-different-search",
    ];
    dir.run(1, COMPARE).fails_with(&words);
    let ran = dir.ok(COMPARE.iter().chain(&["--allow-different-search"]));
    assert!(ran.stderr().contains("n.parquet was searched by anneal"), "{}", ran.stderr());
    assert_eq!(summary(&dir).len(), 2);

    solved(&dir, "r.parquet", &["--force", "--method", "anneal", "--sweeps", "20", "--random-flips", "7"]);
    dir.run(1, COMPARE.iter().chain(&["--force"])).fails_with(&["--random-flips 7"]);
    solved(&dir, "r.parquet", &["--force", "--method", "anneal", "--sweeps", "20", "--max-flips", "100000"]);
    dir.run(1, COMPARE.iter().chain(&["--force"])).fails_with(&["--max-flips 100000"]);
    // What is the default may be said or not; seed and number of replicas are no part of the search.
    let same = ["--force", "--method=anneal", "--sweeps=20", "--random-flips=1000000", "--seed=3", "--threads=1"];
    solved(&dir, "r.parquet", &same);
    assert_eq!(dir.ok(COMPARE.iter().chain(&["--force"])).stderr(), "");
}

#[test]
fn tables_that_do_not_say_how_they_were_searched_are_noted() {
    let dir = tables();
    let mut sink = Sink::new(File::create(dir.path("n.parquet")).unwrap(), &Provenance::default()).unwrap();
    sink.append(&nulls("n1", None, &N1)).unwrap();
    sink.finish().unwrap();
    let ran = dir.ok(COMPARE);
    assert!(ran.stderr().contains("not known how these were searched") && ran.stderr().contains("n.parquet"));
}

#[test]
fn cases_keep_their_own_method_where_different_searches_are_allowed() {
    let dir = tables();
    let rows: Vec<_> =
        nulls("n1", None, &N1).into_iter().map(|row| NullRow { method: "anneal".into(), ..row }).collect();
    write_nulls(&dir, "n.parquet", "abc", &rows);
    dir.ok(COMPARE.iter().chain(&["--allow-different-search"]));
    let methods: Vec<_> = summary(&dir).into_iter().map(|row| row.method).collect();
    assert_eq!(methods, ["sweep", "anneal"]);
}

#[test]
fn empty_parts_are_parts_and_nothing_but_empty_tables_is_refused() {
    let dir = tables();
    write_nulls(&dir, "e.parquet", "abc", &[]);
    dir.ok(COMPARE.iter().chain(&["--null", "e.parquet"]));
    assert_eq!(summary(&dir)[1].n, 4);
    write_nulls(&dir, "n.parquet", "abc", &[]);
    let ran = dir.run(1, COMPARE.iter().chain(&["--null", "e.parquet", "--force"]));
    ran.fails_with(&["no rows in n.parquet, e.parquet"]);
    write_replicas(&dir, "r.parquet", "abc", &[]);
    dir.run(1, COMPARE.iter().chain(&["--force"])).fails_with(&["r.parquet has no rows"]);
}

#[test]
fn other_files_are_refused() {
    let dir = tables();
    dir.run(1, ["compare", "--real", "r.parquet", "--null", "r.parquet", "-o", "s.parquet"])
        .fails_with(&["r.parquet is no `nulls` table", "column `kind`"]);
    dir.write("n.parquet", "PAR1 and then nothing");
    dir.run(1, COMPARE).fails_with(&["n.parquet is no intact Parquet file"]);
    std::fs::remove_file(dir.path("n.parquet")).unwrap();
    dir.run(1, COMPARE).fails_with(&["cannot read n.parquet"]);
    assert_eq!(dir.names(), ["r.parquet"]);
}

#[test]
fn outputs_are_kept_unless_forced() {
    let dir = tables();
    dir.write("s.parquet", "mine");
    dir.run(1, COMPARE).fails_with(&["s.parquet exists", "--force"]);
    assert_eq!(dir.read("s.parquet"), b"mine");
    dir.ok(COMPARE.iter().chain(&["--force"]));
    assert_eq!(summary(&dir).len(), 2);
    dir.run(2, ["compare", "--real", "r.parquet", "-o", "t.parquet"]);
    dir.run(2, ["compare", "--null", "n.parquet", "-o", "t.parquet"]);
}
