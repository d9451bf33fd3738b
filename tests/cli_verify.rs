//! `pipeline verify`

mod common;

use common::{Workdir, repository};

/// A copy of the fixture that can be damaged.
fn copied() -> Workdir {
    let dir = Workdir::new();
    dir.copy(&repository("fixtures/format-v1/graph"), "g");
    dir
}

#[test]
fn a_sound_graph_passes() {
    let dir = copied();
    for args in [&["verify", "g"][..], &["verify", "g", "--deep", "--threads", "1", "--quiet"]] {
        let stdout = dir.ok(args).stdout();
        assert!(stdout.starts_with("g is sound\n"), "{stdout}");
        assert!(stdout.contains("incoming and outgoing edges agree one by one"), "{stdout}");
    }
}

#[test]
fn damage_is_one_line_and_exit_code_1() {
    let dir = copied();
    let damage = |name: &str, at: usize| {
        let mut bytes = dir.read(name);
        bytes[at] ^= 1;
        dir.write(name, &bytes);
    };
    damage("g/values.bin", 0);
    dir.run(1, ["verify", "g"]).fails_with(&["g/values.bin, piece 0: checksum", "rebuild the graph"]);
    damage("g/values.bin", 0);
    damage("g/frames-00001.shard", 20);
    dir.run(1, ["verify", "g"]).fails_with(&["g/frames-00001.shard, frame 1: checksum", "rebuild the graph"]);
    let shard = dir.read("g/frames-00001.shard");
    dir.write("g/frames-00001.shard", &shard[..100]);
    dir.run(1, ["verify", "g"]).fails_with(&["g/frames-00001.shard: 100 bytes, manifest says 125"]);
    std::fs::remove_file(dir.path("g/frames-00001.shard")).unwrap();
    dir.run(1, ["verify", "g"]).fails_with(&["cannot read g/frames-00001.shard"]);
}
