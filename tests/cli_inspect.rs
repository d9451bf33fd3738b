//! `pipeline inspect`

mod common;

use common::{Workdir, repository};

fn graph() -> String {
    repository("fixtures/format-v1/graph").to_str().unwrap().to_owned()
}

#[test]
fn totals_layers_shards_and_blocks_are_shown() {
    let dir = Workdir::new();
    let brief = dir.ok(["inspect", &graph()]).stdout();
    for line in [
        "nodes          23",
        "edges          42",
        "frames         4 in 4 shards",
        "network        a block of every sort",
    ] {
        assert!(brief.contains(line), "{line}\n{brief}");
    }
    assert!(brief.contains("conv \"1\""), "{brief}");
    assert!(!brief.contains(".shard"), "{brief}");
    let full = dir.ok(["inspect", &graph(), "--shards", "--frame", "3"]).stdout();
    assert!(full.starts_with(&brief), "{full}");
    assert!(full.contains("frames-00003.shard"), "{full}");
    assert!(full.contains("frame 3: rows 20..23 of layer `class 2`"), "{full}");
    assert!(full.contains("in  diagonal 1x1 groups of 2 rows x 2 columns in 2 intervals"), "{full}");
}

#[test]
fn json_has_every_key() {
    let json: serde_json::Value =
        serde_json::from_str(&Workdir::new().ok(["inspect", &graph(), "--json"]).stdout()).unwrap();
    assert_eq!((&json["n_nodes"], &json["n_edges"], &json["format_version"]), (&23.into(), &42.into(), &1.into()));
    for key in ["sum_abs", "fingerprint", "description", "bytes", "shards"] {
        assert!(!json[key].is_null(), "{key}");
    }
    for key in ["name", "kind", "first_node", "n_nodes", "shape", "n_edges", "sum_abs", "fan_in"] {
        assert!(!json["layers"][1][key].is_null(), "{key}");
    }
}

#[test]
fn what_is_no_graph_is_an_error() {
    let dir = Workdir::new();
    dir.run(1, ["inspect", "g"]).fails_with(&["g is not there; expected a graph directory"]);
    dir.run(1, ["inspect", &graph(), "--frame", "4"]);
    dir.run(2, ["inspect"]);
}
