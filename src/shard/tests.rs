//! The laws of the format as a whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use proptest::prelude::*;

use super::writer::{Output, write_with};
use super::*;
use crate::graph::csr::Csr;
use crate::graph::{BlockStream, Frame};
use crate::progress::Silent;
use crate::testing::blocks::{self, Memory};
use crate::testing::limited::Limited;

type Contents = BTreeMap<String, Vec<u8>>;

/// A graph in a temporary directory.
fn stored(stream: &dyn BlockStream, shard_bytes: u64) -> (tempfile::TempDir, Summary) {
    let dir = tempfile::tempdir().unwrap();
    let target = Target { shard_bytes, ..Target::new(&dir.path().join("g")) };
    let summary = write_to(stream, &Description::default(), &target, &Silent).unwrap();
    (dir, summary)
}

fn contents(dir: &Path) -> Contents {
    let read = |entry: io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(dir).unwrap().map(read).collect()
}

fn open(files: &Contents) -> Result<Shards<Vec<u8>>, Error> {
    let missing = || Error::Read { path: "g".into(), source: io::ErrorKind::NotFound.into() };
    let load = |name: &str| files.get(name).cloned().ok_or_else(missing);
    Shards::from_files(Path::new("g"), &files["manifest.json"], load)
}

fn check(files: &Contents) -> Result<Report, Error> {
    verify::verify_opened(&open(files)?, Depth::Usual, &Silent)
}

fn triangle() -> Csr {
    Csr::from_edges_unclassed(3, &[(0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0)])
}

proptest! {
    #[test]
    fn writing_then_reading_is_the_identity(graph in blocks::graphs(), shard_bytes in 1u64..400) {
        let (dir, summary) = stored(&graph, shard_bytes);
        let (whole, same) = stored(&graph, u64::MAX);
        let path = dir.path().join("g");
        let shards = Shards::open(&path).unwrap();
        prop_assert_eq!(blocks::collect(&shards.unverified()), graph.clone());
        prop_assert_eq!(shards.totals(), graph.totals());
        prop_assert_eq!(blocks::collect(&Shards::open(&whole.path().join("g")).unwrap().unverified()), graph);
        prop_assert_eq!(&summary.fingerprint, &same.fingerprint);
        let files = contents(&path);
        prop_assert_eq!(summary.bytes, files.values().map(|f| f.len() as u64).sum::<u64>());
        prop_assert_eq!(shards.bytes(), summary.bytes);
        let report = verify(&path, Depth::Usual, &Silent).unwrap();
        prop_assert_eq!(&report.fingerprint, shards.fingerprint());
        prop_assert!(report.directions);
    }
}

#[test]
fn a_one_way_graph_comes_back_and_says_so() {
    let edges = [(0, 5, 1.0), (1, 5, -2.0), (2, 5, 3.0), (0, 3, 4.0)];
    let graph = Csr::from_edges(6, &edges, &[2, 3, 1]).one_way();
    let (dir, _) = stored(&graph, u64::MAX);
    let shards = Shards::open(&dir.path().join("g")).unwrap();
    assert!(shards.is_one_way());
    assert_eq!(blocks::collect(&shards.unverified()), blocks::collect(&graph));
    assert!(!verify(&dir.path().join("g"), Depth::Deep, &Silent).unwrap().directions);

    let mut files = contents(&dir.path().join("g"));
    let text = String::from_utf8(files["manifest.json"].clone()).unwrap();
    let mut manifest = Manifest::decode(text.as_bytes(), Path::new("manifest.json")).unwrap();
    manifest.one_way = false;
    files.insert("manifest.json".into(), manifest.encode());
    assert!(open(&files).unwrap_err().to_string().contains("manifest.json"));
}

#[test]
fn values_can_be_made_while_they_are_written() {
    let graph = Csr::from_edges(3, &[(0, 2, 1.0), (1, 2, -2.0)], &[2, 1]).one_way();
    let fill = |first: u64, out: &mut [f32]| {
        (first..).zip(out).for_each(|(offset, value)| *value = [0.5, -4.0, 0.0, 0.0][offset as usize]);
    };
    let made = Generated { topology: &graph, n_values: 4, fill: &fill, own_values: vec![(1, 0..2)] };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("g");
    let summary = write_generated(&made, &Description::default(), &Target::new(&path), &Silent).unwrap();
    assert_eq!(summary.totals.sum_abs, 4.5);
    assert_eq!(Shards::open(&path).unwrap().values(), [0.5, -4.0, 0.0, 0.0]);
    verify(&path, Depth::Usual, &Silent).unwrap();
}

#[test]
fn compressed_rows_are_stored_too() {
    let graph = Csr::from_edges(6, &[(0, 5, 1.0), (1, 5, -2.0), (2, 5, 3.0), (4, 5, 4.0)], &[2, 3, 1]);
    let (dir, summary) = stored(&graph, 1);
    assert_eq!(summary.n_shards, 3);
    let shards = Shards::open(&dir.path().join("g")).unwrap();
    assert_eq!(blocks::collect(&shards.unverified()), blocks::collect(&graph));
    verify(&dir.path().join("g"), Depth::Deep, &Silent).unwrap();
}

#[test]
fn graphs_without_nodes_or_edges_are_graphs() {
    for (sizes, n_shards) in [(&[][..], 0), (&[1], 1)] {
        let (dir, summary) = stored(&Csr::from_edges(sizes.iter().sum(), &[], sizes), 1);
        assert_eq!((summary.n_shards, summary.bits_per_edge()), (n_shards, 0.0));
        let report = verify(&dir.path().join("g"), Depth::Usual, &Silent).unwrap();
        assert_eq!(report.totals.n_nodes as usize, sizes.len());
    }
}

#[test]
fn every_damaged_byte_is_found() {
    let (dir, _) = stored(&triangle(), 1);
    let files = contents(&dir.path().join("g"));
    assert!(check(&files).is_ok());
    for name in files.keys() {
        for at in 0..files[name].len() {
            let mut damaged = files.clone();
            damaged.get_mut(name).unwrap()[at] ^= 1 << (at % 8);
            assert!(check(&damaged).is_err(), "byte {at} of {name}");
        }
    }
}

#[test]
fn every_missing_byte_is_found() {
    let (dir, _) = stored(&triangle(), u64::MAX);
    let files = contents(&dir.path().join("g"));
    for name in files.keys() {
        for len in 0..files[name].len() {
            let mut cut = files.clone();
            cut.get_mut(name).unwrap().truncate(len);
            let error = open(&cut).unwrap_err();
            if name != "manifest.json" {
                let expected = format!("g/{name}: {len} bytes, manifest says {}; the file was cut", files[name].len());
                assert!(error.to_string().starts_with(&expected), "{error}");
            }
        }
    }
}

#[test]
fn a_damaged_frame_is_named() {
    let (dir, _) = stored(&triangle(), 1);
    let mut files = contents(&dir.path().join("g"));
    files.get_mut("frames-00002.shard").unwrap()[17] ^= 1;
    let shards = open(&files).unwrap();
    let mut frame = Frame::default();
    assert!(shards.unverified().read(1, &mut frame).is_ok());
    let message = shards.unverified().read(2, &mut frame).unwrap_err().to_string();
    assert!(message.starts_with("g/frames-00002.shard, frame 2: checksum "), "{message}");
    assert!(message.ends_with("; the file is damaged, rebuild the graph with pipeline build-graph"), "{message}");
}

#[test]
fn shards_of_another_graph_are_refused() {
    let (one, _) = stored(&Csr::from_edges_unclassed(4, &[(0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0)]), u64::MAX);
    let (two, _) = stored(&Csr::from_edges_unclassed(4, &[(0, 1, 1.0), (0, 2, 1.0), (1, 3, -1.0)]), u64::MAX);
    let (mut files, others) = (contents(&one.path().join("g")), contents(&two.path().join("g")));
    for name in ["frames-00000.shard", "values.bin"] {
        let mine = files.insert(name.into(), others[name].clone()).unwrap();
        assert!(check(&files).is_err(), "{name}");
        files.insert(name.into(), mine);
    }
}

#[test]
fn directions_that_disagree_are_found() {
    let mut graph = blocks::collect(&triangle());
    // Node 0 has edges to 1 (weight 1) and 2 (weight -1): swap their weights on the way out only.
    let swapped = &mut graph.contents[0].outward.intervals[..];
    let (a, b) = (swapped[0].values, swapped[1].values);
    (swapped[0].values, swapped[1].values) = (b, a);
    let (dir, _) = stored(&graph, 1);
    let Err(Error::Damaged { source, .. }) = verify(&dir.path().join("g"), Depth::Usual, &Silent) else {
        panic!("the graph is not consistent")
    };
    assert!(matches!(source, Fault::Directions));
}

#[test]
fn streams_that_break_their_contract_are_not_stored() {
    let changes: [fn(&mut Memory); 8] = [
        |g| g.layers[2].params = 0..99,
        |g| g.layers[2].sum_abs = f64::INFINITY,
        |g| g.values[1] = f32::NAN,
        |g| g.contents[1].inward.blocks[0].first_row = 2,
        |g| g.contents[1].inward.intervals[0].first_col = 1,
        |g| g.frames[1].n_edges_in = 2,
        |g| g.layers[1].n_edges = 9,
        |g| {
            g.frames.pop();
        },
    ];
    for (index, change) in changes.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let mut graph = blocks::collect(&triangle());
        change(&mut graph);
        assert!(write(&graph, &Description::default(), &dir.path().join("g"), &Silent).is_err(), "change {index}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "change {index}");
    }
}

impl Output for Limited<fs::File> {
    fn seal(&mut self) -> io::Result<()> {
        self.inner.seal()
    }
}

#[test]
fn a_full_disk_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut target = Target { shard_bytes: 1, existing: Existing::Replace, ..Target::new(&dir.path().join("g")) };
    let try_with = |target: &Target, budget: usize| {
        let left = Arc::new(AtomicUsize::new(budget));
        let create = |path: &Path| -> io::Result<Box<dyn Output>> {
            Ok(Box::new(Limited { left: left.clone(), inner: fs::File::create_new(path)? }))
        };
        write_with(&triangle(), &Description::default(), target, &Silent, &create)
    };
    let (_keep, summary) = stored(&triangle(), 1);
    let needed = summary.bytes as usize;
    for budget in (0..needed).step_by(13).chain([needed - 1]) {
        let error = try_with(&target, budget).unwrap_err();
        assert!(matches!(&error, Error::Write { path, .. } if path.starts_with(&target.dir)), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "budget {budget}");
    }
    try_with(&target, needed).unwrap();
    let before = contents(&target.dir);
    assert!(try_with(&target, needed - 1).is_err());
    assert_eq!(contents(&target.dir), before);
    target.existing = Existing::Keep;
    assert!(matches!(try_with(&target, needed), Err(Error::Exists { .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn only_graphs_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target { existing: Existing::Replace, ..Target::new(&dir.path().join("g")) };
    let write = || write_to(&triangle(), &Description::default(), &target, &Silent);
    write().unwrap();
    let open_before = Shards::open(&target.dir).unwrap();
    write().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    assert_eq!(blocks::collect(&open_before.unverified()), blocks::collect(&triangle()));
    fs::write(target.dir.join("thesis.tex"), "").unwrap();
    assert!(matches!(write(), Err(Error::NotAGraph { .. })));
    assert!(target.dir.join("thesis.tex").exists());
    fs::remove_dir_all(&target.dir).unwrap();
    fs::create_dir(&target.dir).unwrap();
    fs::write(target.dir.join("manifest.json"), "{\"name\": \"an app of the web\"}").unwrap();
    assert!(matches!(write(), Err(Error::NotAGraph { .. })));
    fs::remove_file(target.dir.join("manifest.json")).unwrap();
    write().unwrap();
    let in_no_folder = Target::new(&dir.path().join("no/g"));
    assert!(matches!(in_no_folder.check(), Err(Error::Write { .. })));
}

#[cfg(unix)]
#[test]
fn what_killed_writers_have_left_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let target = Target::new(&dir.path().join("g"));
    for name in [".g.aaaaaa.tmp", ".g.aaaaaa.old", ".h.aaaaaa.tmp"] {
        let graph = Target::new(&dir.path().join(name));
        write_to(&triangle(), &Description::default(), &graph, &Silent).unwrap();
    }
    let names = || {
        let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let other = target.temporary().unwrap();
    let other_name = other.item.path().file_name().unwrap().to_str().unwrap().to_owned();
    // The graph that was set aside may be the only one of its name, until there is another.
    assert_eq!(names(), [".g.aaaaaa.old", ".h.aaaaaa.tmp", &other_name].map(str::to_owned).into());
    write_to(&triangle(), &Description::default(), &target, &Silent).unwrap();
    assert_eq!(names(), ["g", ".h.aaaaaa.tmp", &other_name].map(str::to_owned).into());
}

#[cfg(unix)]
#[test]
fn files_are_read_only() {
    let (dir, _) = stored(&triangle(), 1);
    for entry in fs::read_dir(dir.path().join("g")).unwrap() {
        assert!(entry.unwrap().metadata().unwrap().permissions().readonly());
    }
}

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/format-v1");

#[test]
fn the_first_version_is_still_read() {
    let graph = blocks::fixture();
    let shards = Shards::open(&Path::new(FIXTURE).join("graph")).unwrap();
    assert_eq!(blocks::collect(&shards.unverified()), graph);
    let (_dir, summary) = stored(&graph, u64::MAX);
    assert_eq!(shards.fingerprint(), summary.fingerprint);
}

/// `cargo test write_format_v1 -- --ignored`, for a version that is not released yet. Never after that.
#[test]
#[ignore = "writes fixtures/format-v1"]
fn write_format_v1() {
    let dir = Path::new(FIXTURE);
    let graph = blocks::fixture();
    let target = Target { shard_bytes: 1, existing: Existing::Replace, ..Target::new(&dir.join("graph")) };
    let mut description = Description::default();
    description.set("network", "a block of every sort");
    write_to(&graph, &description, &target, &Silent).unwrap();
    let mut text = String::from("# source target weight\n");
    for frame in &graph.contents {
        crate::graph::edges::for_each_edge(&frame.inward, &graph.values, |target, source, weight| {
            text += &format!("{source} {target} {weight}\n");
        });
    }
    fs::write(dir.join("edges.txt"), text).unwrap();
}
