//! The fuzz targets' harnesses on their saved corpus. A missing corpus is a failure.
#![expect(clippy::print_stdout, reason = "shown when a test fails: the last line is the input that did it")]

mod common;

use std::path::PathBuf;

use frustration::{image, net::onnx, shard};

/// Files of a folder of the repository: at least `least`, with that ending if one is given.
fn corpus(folder: &str, ending: &str, least: usize) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(common::repository(folder)).unwrap_or_else(|e| panic!("{folder}: {e}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(ending));
    paths.sort();
    assert!(paths.len() >= least, "{folder} has {} inputs, expected {least} or more", paths.len());
    paths.into_iter().map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn frames() {
    for (path, bytes) in corpus("fuzz/corpus/frame", "", 40) {
        println!("{}", path.display());
        shard::fuzz_frame(&bytes);
    }
}

#[test]
fn onnx_files() {
    let mut n_read = 0;
    for (path, bytes) in
        [corpus("fixtures/onnx", ".onnx", 35), corpus("fixtures/hostile", ".onnx", 40)].into_iter().flatten()
    {
        println!("{}", path.display());
        n_read += usize::from(onnx::read_bytes("fuzz", &bytes, None, None).is_ok());
    }
    assert!(n_read >= 30, "only {n_read} files of the corpus are networks");
}

#[test]
fn image_files() {
    for (path, bytes) in
        [corpus("fixtures/images", ".jpg", 7), corpus("fixtures/images", ".png", 1)].into_iter().flatten()
    {
        println!("{}", path.display());
        image::fuzz_image(&bytes).unwrap();
        for at in 0..bytes.len() {
            let _ = image::fuzz_image(&[&bytes[..at], &bytes[at + 1..]].concat());
        }
    }
}
