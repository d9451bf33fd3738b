//! `pipeline import-graph`, and what every subcommand does alike.

mod common;

use std::process::Stdio;

use common::Workdir;
use frustration::graph::{BlockStream as _, Direction, Frame, edges::for_each_edge};
use frustration::progress::Silent;
use frustration::shard::Shards;
use frustration::table;

const EDGES: &str = "source,target,weight\na,b,1\nb,c,-1\nc,d,-2.5\na,c,1\n";

#[test]
fn a_graph_and_its_labels_are_written() {
    let dir = Workdir::new();
    dir.write("edges.csv", EDGES);
    let ran = dir.ok(["import-graph", "edges.csv", "-o", "graph/"]);
    assert_eq!(ran.stdout(), "graph/: nodes 4, edges 4, classes 3\n");
    assert_eq!(ran.stderr(), "");
    assert_eq!(dir.names(), ["edges.csv", "graph", "graph.nodes.parquet"]);

    let graph = Shards::open(&dir.path("graph")).unwrap();
    assert_eq!((graph.totals().n_nodes, graph.totals().sum_abs), (4, 5.5));
    let provenance = table::read_provenance(&dir.path("graph.nodes.parquet")).unwrap();
    let value = |key: &str| provenance.pairs().iter().find(|pair| pair.0 == key).unwrap().1.clone();
    assert_eq!(value("frustration.graph"), graph.fingerprint());
    assert_eq!(value("frustration.arguments"), "pipeline import-graph edges.csv");
}

#[test]
fn formats_agree() {
    let dir = Workdir::new();
    dir.write("x.csv", "source,target,weight\n1,2,1\n2,3,-1\n3,1,0.5\n");
    dir.write("x.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 3\n2 1 1\n3 2 -1\n1 3 0.5\n");
    let mut found = Vec::new();
    for file in ["x.csv", "x.mtx"] {
        let out = format!("{file}.graph");
        dir.ok(["import-graph", "--quiet", file, "-o", &out]);
        found.push(edges(&Shards::open(&dir.path(&out)).unwrap()));
    }
    assert_eq!(found[0].len(), 3);
    assert_eq!(found[0], found[1]);
}

fn edges(graph: &Shards) -> Vec<(u32, u32, f32)> {
    let graph = graph.verified(&Silent).unwrap();
    let (mut frame, mut edges) = (Frame::default(), Vec::new());
    for index in 0..graph.frames().len() {
        graph.read(index, &mut frame).unwrap();
        for_each_edge(frame.direction(Direction::In), graph.values(), |row, column, w| edges.push((row, column, w)));
    }
    edges
}

#[test]
fn nothing_is_overwritten_unless_forced() {
    let dir = Workdir::new();
    dir.write("edges.csv", EDGES);
    dir.ok(["import-graph", "edges.csv", "-o", "graph"]);
    dir.run(1, ["import-graph", "edges.csv", "-o", "graph"]).fails_with(&["graph", "exists", "--force"]);
    dir.write("edges.csv", "source,target\nx,y\n");
    let ran = dir.ok(["import-graph", "edges.csv", "-o", "graph", "--force"]);
    assert_eq!(ran.stdout(), "graph: nodes 2, edges 1, classes 2\n");
    assert_eq!(Shards::open(&dir.path("graph")).unwrap().totals().n_nodes, 2);
}

#[test]
fn a_wrong_edge_leaves_nothing_behind() {
    let dir = Workdir::new();
    dir.write("edges.csv", format!("{EDGES}d,d,1\n"));
    let ran = dir.run(1, ["import-graph", "edges.csv", "-o", "graph"]);
    ran.fails_with(&["edges.csv, line 6", "`d` is joined to itself"]);
    assert_eq!(dir.names(), ["edges.csv"]);
    dir.run(1, ["import-graph", "none.csv", "-o", "graph"]).fails_with(&["cannot read none.csv", "No such file"]);
    dir.run(1, ["import-graph", "edges.csv", "-o", "no/graph"]).fails_with(&["no/graph"]);
}

#[test]
fn notes_say_what_was_merged_unless_quiet() {
    let dir = Workdir::new();
    dir.write("edges.csv", "a,b,1\nb,a,1\n");
    let ran = dir.ok(["import-graph", "edges.csv", "-o", "graph"]);
    assert!(ran.stderr().lines().all(|line| line.starts_with("pipeline: ")), "{}", ran.stderr());
    assert_eq!(ran.stderr().lines().count(), 2);
    let ran = dir.ok(["import-graph", "edges.csv", "-o", "again", "--quiet"]);
    assert_eq!(ran.stderr(), "");
}

#[test]
fn exit_codes_and_version() {
    let dir = Workdir::new();
    assert!(dir.run(2, ["import-graph"]).stderr().contains("--output"));
    dir.run(2, ["no-such-command"]);
    assert!(dir.ok(["--version"]).stdout().starts_with(&format!("pipeline {} (", env!("CARGO_PKG_VERSION"))));
}

/// `pipeline ... | head` must not complain.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    let dir = Workdir::new();
    dir.write("edges.csv", EDGES);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = dir.command(["import-graph", "edges.csv", "-o", "graph"]);
    let ended = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(0), ""));
    assert!(dir.path("graph").is_dir());
}

#[test]
fn flags_choose_columns() {
    let dir = Workdir::new();
    dir.write("edges.csv", "id,type,group1,group2\n1,-1,61,113\n2,1,61,5\n3,1,5,113\n");
    dir.run(1, ["import-graph", "edges.csv", "-o", "graph"]).fails_with(&["line 1", "`group1`", "--source"]);
    let flags = ["--source", "group1", "--target", "group2", "--weight", "type"];
    let ran = dir.ok([&["import-graph", "edges.csv", "-o", "graph"], &flags[..]].concat());
    assert_eq!(ran.stdout(), "graph: nodes 3, edges 3, classes 3\n");
    assert!(ran.stderr().contains("ignored: `id`"), "{}", ran.stderr());
    dir.run(2, ["import-graph", "edges.csv", "-o", "other", "--source", "group1"]);
    dir.run(2, ["import-graph", "edges.csv", "-o", "other", "--weight", "type", "--unweighted"]);
    dir.write("x.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 1\n");
    dir.run(1, ["import-graph", "x.mtx", "-o", "other", "--unweighted"]).fails_with(&["no columns to choose"]);
}
