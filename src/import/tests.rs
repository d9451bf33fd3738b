//! Readers, merging and classes, on text written out.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::graph::{BlockStream as _, Direction};

/// A file that lives as long as the folder.
fn file(name: &str, text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

/// Edges by label.
fn edges(imported: &Imported) -> BTreeMap<(String, String), f32> {
    let label = |node: u32| imported.labels[node as usize].clone();
    let row =
        |node: u32| imported.graph.row(node, Direction::Out).map(move |(target, w)| ((label(node), label(target)), w));
    (0..imported.labels.len() as u32).flat_map(row).collect()
}

fn imported(name: &str, text: &str) -> Imported {
    let (_dir, path) = file(name, text);
    read(&path, &Choice::default()).unwrap()
}

fn fault(name: &str, text: &str) -> String {
    let (dir, path) = file(name, text);
    let folder = format!("{}/", dir.path().display());
    read(&path, &Choice::default()).unwrap_err().to_string().replace(&folder, "")
}

fn list(edges: &[(&str, &str, f32)]) -> BTreeMap<(String, String), f32> {
    edges.iter().map(|&(source, target, w)| ((source.into(), target.into()), w)).collect()
}

fn chosen(text: &str, choice: &Choice) -> Result<Imported, String> {
    let (_dir, path) = file("x.csv", text);
    read(&path, choice).map_err(|error| error.to_string())
}

fn columns(ends: [&str; 2], weights: &[&str], header: Header) -> Choice {
    let weight = Weight::Product(weights.iter().map(|&name| name.into()).collect());
    Choice { ends: Some(ends.map(str::to_owned)), weight, header }
}

#[test]
fn columns_are_recognised_by_name() {
    let expected = list(&[("a", "b", -1.5), ("b", "c", 2.0)]);
    assert_eq!(edges(&imported("x.csv", "Source,TARGET,Weight\na,b,-1.5\nb,c,2\n")), expected);
    let extra = imported("x.csv", "weight,source,extra,target\r\n-1.5, a ,z,b\r\n+2,b,,c");
    assert_eq!(edges(&extra), expected);
    assert_eq!(extra.notes, ["columns that are ignored: `extra`"]);
    for header in [
        "from,to,sign",
        "src,dst,w",
        "u,v,polarity",
        "i,j,Rating",
        "FromNodeId,ToNodeId,Sign",
        "from_node_id,to-node-id,w",
    ] {
        let found = imported("x.csv", &format!("{header}\na,b,-1.5\nb,c,2\n"));
        assert_eq!(edges(&found), expected, "{header}");
        assert!(found.notes[0].starts_with("source, target and weight: `"), "{:?}", found.notes);
    }
    assert_eq!(edges(&imported("x.csv", "source,target\na,b\n")), list(&[("a", "b", 1.0)]));
}

/// A frame of R has a column of row names; here a date was taken as the weight, too.
#[test]
fn ids_were_taken_as_nodes_and_times_as_weights() {
    let found = imported("x.csv", "\"\",\"from\",\"to\",\"sign\"\n\"1\",3,7,-1\n\"2\",7,5,1\n");
    assert_eq!(edges(&found), list(&[("3", "7", -1.0), ("7", "5", 1.0)]));
    let found = imported("x.csv", "from,to,time,sign\n1,2,20,-1\n");
    assert_eq!(edges(&found), list(&[("1", "2", -1.0)]));
    assert_eq!(found.notes[1], "columns that are ignored: `time`");
    let text = "id,type,group1,group2,date\n1,-1,61,113,2010-02-18\n";
    let error = fault("x.csv", text);
    assert!(
        error.starts_with("x.csv, line 1: the first line is `id`, `type`, `group1`, `group2`, `date`, neither"),
        "{error}"
    );
    let found = chosen(text, &columns(["group1", "GROUP2"], &["type"], Header::Recognised)).unwrap();
    assert_eq!(edges(&found), list(&[("61", "113", -1.0)]));
}

#[test]
fn what_cannot_be_told_apart_is_refused() {
    for (text, expected) in [
        ("source,target,weight,sign\na,b,3,1\n", "several may be the weight"),
        ("source,target,from,to\na,b,c,d\n", "several may be source and target"),
        ("source,target,score\na,b,3\n", "none is known as the weight"),
        ("alice,bob\nbob,carol\n", "the first line is `alice`, `bob`, neither"),
        ("0,1,2\n5,6,1\n", "the first line is `0`, `1`, `2`, neither"),
        ("6,2,4,1289241911\n", "--no-header"),
        ("u,v,1\nu,w,1\n", "--no-header"),
    ] {
        let error = fault("x.csv", text);
        assert!(error.starts_with("x.csv, line 1: ") && error.contains(expected), "{text}: {error}");
    }
    let product = columns(["source", "target"], &["weight", "sign"], Header::Recognised);
    let found = chosen("source,target,weight,sign\na,b,3,-1\n", &product).unwrap();
    assert_eq!(edges(&found), list(&[("a", "b", -3.0)]));
    let error = chosen("a,b\n1,2\n", &columns(["a", "c"], &[], Header::Recognised)).unwrap_err();
    assert!(error.ends_with("there is no column `c`; the columns are `a`, `b`"), "{error}");
    let error = chosen("a,b\n1,2\n", &columns(["a", "a"], &[], Header::Recognised)).unwrap_err();
    assert!(error.ends_with("column `a` is chosen twice"), "{error}");
}

#[test]
fn the_first_edge_was_lost_to_the_header() {
    let headless = imported("x.csv", "a,b,-1.5\nb,c,2\n");
    assert_eq!(edges(&headless), list(&[("a", "b", -1.5), ("b", "c", 2.0)]));
    assert_eq!(headless.notes, ["the first line is taken as an edge: source, target and weight `a`, `b`, `-1.5`"]);
    assert_eq!(edges(&imported("x.txt", "4 5\n 5   6 \n")), list(&[("4", "5", 1.0), ("5", "6", 1.0)]));
    let absent = Choice { header: Header::Absent, ..Choice::default() };
    assert_eq!(edges(&chosen("alice,bob\nbob,carol\n", &absent).unwrap()).len(), 2);
    assert_eq!(edges(&chosen("0,1,2\n5,6,1\n", &absent).unwrap()).len(), 2);
    let bitcoin = "6,2,-4,1289241911\n6,5,2,1289241941\n";
    assert!(chosen(bitcoin, &absent).unwrap_err().contains("--weight 3"));
    let found = chosen(bitcoin, &columns(["1", "2"], &["3"], Header::Absent)).unwrap();
    assert_eq!(edges(&found), list(&[("6", "2", -4.0), ("6", "5", 2.0)]));
    let error = chosen(bitcoin, &columns(["1", "2"], &["5"], Header::Absent)).unwrap_err();
    assert!(error.contains("`5` is no column"), "{error}");
}

#[test]
fn comments_of_snap_and_konect_are_understood() {
    let expected = list(&[("0", "1", -1.0), ("1", "2", 1.0)]);
    let snap = "# Directed graph\n# Nodes: 3 Edges: 2\n# ToNodeId\tFromNodeId\tSign\n1\t0\t-1\n2\t1\t1\n";
    assert_eq!(edges(&imported("x.txt", snap)), expected, "the comment names the columns");
    let konect = "% asym signed\n% 2 3 3\n0 1 -1 1289241911\n1 2 1 1289241912\n";
    assert_eq!(edges(&imported("out.x", konect)), expected, "the fourth column is the time");
    assert!(fault("out.x", "% bip signed\n1 1 -1\n").contains("two sides"));
    assert_eq!(edges(&imported("x.tsv", "\u{feff}source\ttarget\tsign\r0\t1\t-1\r1\t2\t1")), expected);
    assert_eq!(edges(&imported("x.csv", "source;target;sign\n0;1;-1\n1;2;1\n")), expected);
    let hashes = imported("x.csv", "source,target,sign\n#a,%b,-1\n");
    assert_eq!(edges(&hashes), list(&[("#a", "%b", -1.0)]), "comments are in front only");
}

#[test]
fn an_unclosed_quote_swallowed_edges() {
    let swallow = "weight,source,target\n1,a,b\n1,a,\"c\n1,c,d\n-1,d,e\n";
    let expected = "x.csv, line 3: a quote opens here and does not close; expected a second one on the same line";
    assert_eq!(fault("x.csv", swallow), expected);
    assert_eq!(fault("x.csv", &format!("{swallow}1,e,\"\n")), expected);
    assert!(fault("x.csv", "source,target\n\"a\"b,c\n").starts_with("x.csv, line 2: a quoted field is followed"));
    let quoted = imported("x.csv", "source,target\n\"a, \"\"b\"\"\" ,\"c\"\n");
    assert_eq!(edges(&quoted), list(&[("a, \"b\"", "c", 1.0)]));
}

#[test]
fn wrong_lines_are_named() {
    let head = "source,target,weight\n1,2,1\n";
    let csv = |line: &str| fault("x.csv", &format!("{head}{line}\n"));
    assert_eq!(csv("2,3,x"), "x.csv, line 3: weight `x` is not a number");
    assert_eq!(csv("2,3,"), "x.csv, line 3: weight `` is not a number");
    assert_eq!(csv("2,3,NaN"), "x.csv, line 3: weight NaN is not finite");
    assert_eq!(csv("2,3,-inf"), "x.csv, line 3: weight -inf is not finite");
    assert!(csv("2,3,1e40").contains("exceeds single precision"));
    assert_eq!(csv("2,2,1"), "x.csv, line 3: node `2` is joined to itself; a signed graph has no loops");
    assert_eq!(csv(",2,1"), "x.csv, line 3: a node has no label");
    assert!(csv("2,3").starts_with("x.csv, line 3: found 2 fields"));
    assert!(fault("x.csv", "").contains("holds no edge"));
    assert!(fault("x.csv", "source,target,weight\na,b,1\nb,a,-1\n").contains("holds no edge"));
    assert!(fault("x.xyz", "").contains(".csv, .tsv"));
    let (_dir, path) = file("x.csv", b"source,target\n\xff,b\n");
    assert!(read(&path, &Choice::default()).unwrap_err().to_string().contains("line 2: not UTF-8"));
}

#[test]
fn parallel_edges_are_summed_into_the_first_direction() {
    let graph = imported("x.csv", "source,target,weight\nb,a,1\na,b,0.5\nb,a,2\nc,a,1\na,c,-1\n");
    assert_eq!(edges(&graph), list(&[("b", "a", 3.5)]));
    assert_eq!(graph.labels.len(), 3, "a node whose edges cancel stays");
    let counts: Vec<_> = graph.notes.iter().map(|note| note.rsplit(' ').next().unwrap()).collect();
    assert_eq!(counts, ["1", "2", "1"], "{:?}", graph.notes);
}

#[test]
fn matrices_are_read_as_rows_of_targets() {
    let general = "%%MatrixMarket matrix coordinate real general\n% comment\n\n3 3 2\n2 1 -1.5\n1 3 2e0\n";
    let graph = imported("x.mtx", general);
    assert_eq!(edges(&graph), list(&[("1", "2", -1.5), ("3", "1", 2.0)]));
    let symmetric = imported("x.mtx", "%%matrixmarket MATRIX coordinate integer symmetric\n3 3 1\n2 1 -2\n");
    assert_eq!(edges(&symmetric), list(&[("1", "2", -2.0)]), "one stored entry is one edge, not two halves");
    let pattern = imported("x.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n2 1\n");
    assert_eq!(edges(&pattern), list(&[("1", "2", 1.0)]));
    let skew = imported("x.mtx", "%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n2 1 3\n3 1 -1\n");
    assert_eq!(edges(&skew), list(&[("1", "2", 3.0), ("1", "3", -1.0)]));
}

#[test]
fn a_matrix_of_billions_of_rows_costs_what_its_entries_cost() {
    let text = "%%MatrixMarket matrix coordinate real general\n4000000000 4000000000 2\n3999999999 7 1\n10 7 -1\n";
    let graph = imported("x.mtx", text);
    assert_eq!(edges(&graph), list(&[("7", "10", -1.0), ("7", "3999999999", 1.0)]));
    assert_eq!(graph.notes, ["nodes without an entry, left out: 3999999997"]);
    let list = mtx::parse(&mut mtx::MtxLines::new(Cursor::new(text))).unwrap();
    assert_eq!(list.labels, ["7", "10", "3999999999"], "numbers ascend, not as text");
}

#[test]
fn wrong_matrices_are_named() {
    let real = |rest: &str| fault("x.mtx", &format!("%%MatrixMarket matrix coordinate real general\n{rest}"));
    assert_eq!(real("2 2 1\n1 1 1\n"), "x.mtx, line 3: node `1` is joined to itself; a signed graph has no loops");
    assert_eq!(real("2 2 1\n3 1 1\n"), "x.mtx, line 3: expected a row, a column and a value, both between 1 and 2");
    assert_eq!(real("2 2 1\n2 1 nan\n"), "x.mtx, line 3: weight NaN is not finite");
    assert_eq!(real("2 2 2\n2 1 1\n"), "x.mtx, line 3: found 1 entries, the header says 2");
    assert_eq!(real("2 2 1\n2 1 1\n1 2 1\n"), "x.mtx, line 4: found 2 entries, the header says 1");
    assert!(real("2 3 1\n").contains("square"));
    assert!(real("2 2\n").contains("number of rows"));
    assert!(real("9999999999 9999999999 0\n").contains("nodes"));
    assert!(fault("x.mtx", "").contains("%%MatrixMarket"));
    assert!(fault("x.mtx", "%%MatrixMarket matrix array real general\n").contains("`array` is not supported"));
    assert!(fault("x.mtx", "%%MatrixMarket matrix coordinate complex general\n").contains("`complex`"));
    let upper = "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n";
    assert_eq!(fault("x.mtx", upper), "x.mtx, line 3: entry (1, 2) lies above the diagonal of a symmetric matrix");
}

#[test]
fn classes_follow_degree_then_appearance() {
    // A star and its leaves: the centre has the largest degree and chooses first.
    let graph = imported("x.csv", "source,target\nleaf1,centre\nleaf2,centre\ncentre,leaf3\n");
    assert_eq!(graph.labels, ["centre", "leaf1", "leaf2", "leaf3"]);
    let sizes: Vec<_> = graph.graph.layers().iter().map(|layer| layer.nodes.len()).collect();
    assert_eq!(sizes, [1, 3]);
}

prop_compose! {
    fn signed_list()(n in 2u32..20)(edges in prop::collection::vec((0..n, 0..n, -8i32..8), 0..60)) -> Vec<(u32, u32, i32)> {
        edges.into_iter().filter(|(a, b, _)| a != b).collect()
    }
}

proptest! {
    #[test]
    fn import_keeps_weights_and_separates_neighbours(given in signed_list()) {
        let mut list = EdgeList::default();
        let mut expected: BTreeMap<(u32, u32), f32> = BTreeMap::new();
        for &(source, target, weight) in &given {
            list.push(&source.to_string(), &target.to_string(), f64::from(weight)).unwrap();
            *expected.entry((source.min(target), source.max(target))).or_default() += weight as f32;
        }
        expected.retain(|_, weight| *weight != 0.0);
        match build(list) {
            Err(fault) => prop_assert!(fault == Fault::NoEdges && expected.is_empty()),
            Ok(imported) => {
                let number = |label: &String| label.parse::<u32>().unwrap();
                let found = edges(&imported).into_iter().map(|((s, t), w)| {
                    let (s, t) = (number(&s), number(&t));
                    ((s.min(t), s.max(t)), w)
                });
                prop_assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
                // `Csr` itself refuses an edge inside a class; every node is in one.
                let covered: usize = imported.graph.layers().iter().map(|layer| layer.nodes.len()).sum();
                prop_assert_eq!(covered, imported.labels.len());
            }
        }
    }
}
