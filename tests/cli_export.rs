//! `pipeline export`

mod common;

use std::io::Read as _;
use std::path::Path;

use common::Workdir;

/// The graph 1 -> 2 (weight 1), 2 -> 3 (-1), 3 -> 1 (0.5), in a folder `graph`.
fn triangle() -> Workdir {
    let dir = Workdir::new();
    dir.write("edges.csv", "source,target,weight\n1,2,1\n2,3,-1\n3,1,0.5\n");
    dir.ok(["import-graph", "edges.csv", "-o", "graph"]);
    dir
}

/// The bytes of an array in the archive.
fn array(npz: &Path, name: &str) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(npz).unwrap()).unwrap();
    let mut bytes = Vec::new();
    archive.by_name(&format!("{name}.npy")).unwrap().read_to_end(&mut bytes).unwrap();
    bytes.split_off(10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]])))
}

fn ints(bytes: &[u8]) -> Vec<i64> {
    bytes.chunks_exact(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect()
}

fn weights(npz: &Path) -> Vec<f32> {
    array(npz, "data").chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

#[test]
fn rows_are_targets() {
    let dir = triangle();
    let ran = dir.ok(["export", "graph", "-o", "x.npz"]);
    assert_eq!(ran.stdout(), "x.npz: 3 x 3, entries 3\n");
    let npz = dir.path("x.npz");
    assert_eq!(ints(&array(&npz, "indptr")), [0, 1, 2, 3]);
    // A triangle's nodes keep their order: each is a class. Row i holds the edge i - 1 -> i.
    assert_eq!(array(&npz, "indices"), [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(weights(&npz), [0.5, 1.0, -1.0]);
    assert_eq!(array(&npz, "format"), b"csr");
}

#[test]
fn rows_and_direction_select() {
    let dir = triangle();
    dir.ok(["export", "graph", "-o", "x.npz", "--rows", "1..3", "--direction", "out"]);
    let npz = dir.path("x.npz");
    assert_eq!(ints(&array(&npz, "shape")), [2, 3]);
    assert_eq!(weights(&npz), [-1.0, 0.5]);
    dir.run(2, ["export", "graph", "-o", "y.npz", "--rows", "3..1"]);
    dir.run(1, ["export", "graph", "-o", "y.npz", "--rows", "0..4"]).fails_with(&["0..4", "3 nodes"]);
    assert!(!dir.names().iter().any(|name| name.contains("y.npz")), "{:?}", dir.names());
}

#[test]
fn outputs_are_kept_unless_forced() {
    let dir = triangle();
    dir.write("x.npz", "mine");
    dir.run(1, ["export", "graph", "-o", "x.npz"]).fails_with(&["x.npz exists", "--force"]);
    assert_eq!(dir.read("x.npz"), b"mine");
    dir.ok(["export", "graph", "-o", "x.npz", "--force"]);
    dir.run(1, ["export", "graph", "-o", "no/x.npz"]).fails_with(&["no/x.npz", "does not exist"]);
    dir.run(1, ["export", "nothing", "-o", "y.npz"]).fails_with(&["nothing"]);
}
