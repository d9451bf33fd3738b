//! A stored graph with other values: a directory that shares the frames of another one.

use std::path::Path;

use super::fingerprint::{self, Hash};
use super::map::{self, Map};
use super::writer::{self, Files, Summary};
use super::{Description, Error, Fault, FilePart, Shards, Target};
use crate::graph::BlockStream;
use crate::progress::Progress;

/// How a directory came to the frames of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Both have the same files, by hard links.
    Linked,
    /// It has copies of some: the two are on different file systems, or links are not allowed.
    Copied,
}

/// Writes `stream` as a graph directory that shares the shard files of `parent`. The stream must have the frames of the
/// parent, and as many values; its values, sums, fingerprint and manifest are its own.
///
/// Cost: one read of the frames' stored bytes, and what the values take.
///
/// # Errors
/// If the target exists and may not be replaced, the stream has other frames or layers than the parent, a weight is not
/// finite, a frame is damaged, or the storage fails. Nothing is then left at the target.
pub fn write_revalued(
    parent: &Shards<Map>,
    stream: &dyn BlockStream,
    description: &Description,
    target: &Target,
    progress: &dyn Progress,
) -> Result<(Summary, Topology), Error> {
    target.check()?;
    check(parent, stream).map_err(|source| Error::Unstorable { part: FilePart::Whole, source })?;
    writer::check_values(stream)?;
    let folder = target.temporary()?;
    let files = Files { folder: folder.item.path(), target: &target.dir, create: &writer::create_new };
    let mut topology = Topology::Linked;
    for (index, record) in parent.manifest().shards.iter().enumerate() {
        let bytes = parent.shard_bytes(index);
        if !is_linked(&parent.path(&record.file), bytes, &files.folder.join(&record.file)) {
            topology = Topology::Copied;
            files.write(&record.file, |out| out.write_all(bytes))?;
        }
    }
    let hash = |(index, info)| parent.with_raw(index, |raw| Ok(fingerprint::frame(info, raw)));
    let hashes = parent.frames().iter().enumerate().map(hash).collect::<Result<Vec<Hash>, _>>()?;
    let records = parent.manifest().shards.clone();
    let summary = writer::with_values(stream, |graph| {
        writer::write_rest(&files, graph, description, (records, &hashes), progress)
    })?;
    target.commit(target.stage(folder)?)?;
    Ok((summary, topology))
}

/// That the stream has the parent's topology, as far as tables tell.
fn check(parent: &Shards<Map>, stream: &dyn BlockStream) -> Result<(), Fault> {
    Fault::unless_equal("values", stream.values().len() as u64, parent.values().len() as u64)?;
    Fault::unless_equal("frames", stream.frames().len() as u64, parent.frames().len() as u64)?;
    Fault::unless_equal("nodes", stream.totals().n_nodes, parent.totals().n_nodes)?;
    Fault::unless_equal("edges", stream.totals().n_edges, parent.totals().n_edges)
}

/// Links `to` to the file `from` if that is still the one with these bytes: a directory may be replaced while it is in
/// use. Otherwise there is nothing at `to`.
fn is_linked(from: &Path, bytes: &[u8], to: &Path) -> bool {
    if std::fs::hard_link(from, to).is_err() {
        return false;
    }
    let same = map::open(to).is_ok_and(|file| file.as_ref() == bytes);
    if !same {
        let _ = std::fs::remove_file(to);
    }
    same
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::shard::{Depth, verify, write};
    use crate::testing::blocks::{self, Memory};

    /// The fixture with its values negated and doubled, and a graph directory of the fixture itself.
    fn graphs() -> (tempfile::TempDir, Memory) {
        let dir = tempfile::tempdir().unwrap();
        let mut graph = blocks::fixture();
        write(&graph, &Description::default(), &dir.path().join("g"), &Silent).unwrap();
        graph.values.iter_mut().for_each(|value| *value *= -2.0);
        graph.layers.iter_mut().for_each(|layer| layer.sum_abs *= 2.0);
        (dir, graph)
    }

    #[test]
    fn the_frames_are_shared_and_the_rest_is_its_own() {
        let (dir, graph) = graphs();
        let [from, to, plain] = ["g", "h", "plain"].map(|name| dir.path().join(name));
        let parent = Shards::open(&from).unwrap();
        let description = Description::default();
        let (summary, topology) = write_revalued(&parent, &graph, &description, &Target::new(&to), &Silent).unwrap();
        assert_eq!(topology, Topology::Linked);
        assert_eq!(summary, write(&graph, &description, &plain, &Silent).unwrap());
        assert_ne!(summary.fingerprint, parent.fingerprint());
        verify(&to, Depth::Deep, &Silent).unwrap();
        for name in ["values.bin", "manifest.json"] {
            assert_eq!(std::fs::read(to.join(name)).unwrap(), std::fs::read(plain.join(name)).unwrap(), "{name}");
        }
        #[cfg(unix)]
        for record in &parent.manifest().shards {
            let inode = |dir: &Path| std::os::unix::fs::MetadataExt::ino(&dir.join(&record.file).metadata().unwrap());
            assert_eq!(inode(&from), inode(&to));
        }
        std::fs::remove_dir_all(&from).unwrap();
        verify(&to, Depth::Deep, &Silent).unwrap();
    }

    #[test]
    fn a_parent_that_was_replaced_or_removed_is_copied_from_memory() {
        for replaced in [false, true] {
            let (dir, graph) = graphs();
            let [from, to] = ["g", "h"].map(|name| dir.path().join(name));
            let parent = Shards::open(&from).unwrap();
            std::fs::remove_dir_all(&from).unwrap();
            if replaced {
                std::fs::create_dir(&from).unwrap();
                for record in &parent.manifest().shards {
                    std::fs::write(from.join(&record.file), "of another graph").unwrap();
                }
            }
            let target = Target::new(&to);
            let (_, topology) = write_revalued(&parent, &graph, &Description::default(), &target, &Silent).unwrap();
            assert_eq!(topology, Topology::Copied);
            verify(&to, Depth::Deep, &Silent).unwrap();
        }
    }

    #[test]
    fn other_topologies_and_targets_in_use_are_refused() {
        let (dir, mut graph) = graphs();
        let [from, to] = ["g", "h"].map(|name| dir.path().join(name));
        let parent = Shards::open(&from).unwrap();
        let write = |graph: &Memory, to: &Path| {
            write_revalued(&parent, graph, &Description::default(), &Target::new(to), &Silent).unwrap_err()
        };
        assert!(matches!(write(&graph, &from), Error::Exists { .. }));
        graph.values.push(1.0);
        assert!(matches!(write(&graph, &to), Error::Unstorable { .. }));
        graph.values.pop();
        graph.values[0] = f32::NAN;
        assert!(matches!(write(&graph, &to), Error::NotFinite { .. }));
        assert!(!to.exists());
    }
}
