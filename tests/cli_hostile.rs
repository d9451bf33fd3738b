//! Files that are no files, or that lie: exit code 1 and one sentence at once, never a panic or a hang.

mod common;

use common::{Workdir, repository};

const IMAGES: [&str; 8] = ["images", "--preprocess", "none", "--shape", "3,1,2", "-o", "x.npy", "--images"];

/// A PNG of 2 × 1 pixels that look up these colours.
fn png(palette: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let crc = crc32fast::hash(&[name, data].concat()).to_be_bytes();
        [&(data.len() as u32).to_be_bytes()[..], name, data, &crc].concat()
    };
    let header = chunk(b"IHDR", &[0, 0, 0, 2, 0, 0, 0, 1, 8, 3, 0, 0, 0]);
    // Stored: a row without filter, pixels 0 and 0.
    let data = chunk(b"IDAT", &[0x78, 1, 1, 3, 0, 0xfc, 0xff, 0, 0, 0, 0, 3, 0, 1]);
    [b"\x89PNG\r\n\x1a\n", &header[..], &chunk(b"PLTE", palette), &data, &chunk(b"IEND", b"")].concat()
}

#[test]
fn a_palette_of_no_colours_is_damage_not_a_panic() {
    let dir = Workdir::new();
    std::fs::create_dir(dir.path("i")).unwrap();
    dir.write("i/x.png", png(b"abc"));
    dir.ok(IMAGES.into_iter().chain(["i", "--force"]));
    for palette in [&b""[..], b"ab", b"abcd"] {
        dir.write("i/x.png", png(palette));
        dir.run(1, IMAGES.into_iter().chain(["i", "--force"])).fails_with(&["x.png is no intact PNG; replace it: "]);
    }
}

#[test]
fn a_png_that_claims_more_pixels_than_its_bytes_can_hold_takes_no_memory() {
    let dir = Workdir::new();
    std::fs::create_dir(dir.path("i")).unwrap();
    let mut bytes = png(b"abc");
    bytes[16..24].copy_from_slice(&[0, 0, 0x20, 0, 0, 0, 0x20, 0]);
    let crc = crc32fast::hash(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&crc);
    dir.write("i/x.png", bytes);
    dir.run(1, IMAGES.into_iter().chain(["i"])).fails_with(&["cannot hold 8192 × 8192 pixels"]);
}

#[cfg(unix)]
mod special {
    use super::*;

    fn pipe(dir: &Workdir, name: &str) {
        let made = std::process::Command::new("mkfifo").arg(dir.path(name)).status().expect("there is a mkfifo");
        assert!(made.success());
    }

    const PIPE: &str = "it is a pipe, expected a regular file";

    #[test]
    fn pipes_are_refused_wherever_a_file_is_read() {
        let dir = Workdir::new();
        let model = repository("fixtures/digits/digits.onnx");
        let model = model.to_str().unwrap();
        for name in ["p", "p.csv", "p.mtx", "p.parquet", "p.npy", "p.parquet.checkpoint"] {
            pipe(&dir, name);
        }
        dir.write("x.npy", dir_images());
        let shape = "1,16,16";
        for command in [
            vec!["import-graph", "p.csv", "-o", "g"],
            vec!["import-graph", "p.mtx", "-o", "g"],
            vec!["import-graph", "p.parquet", "-o", "g"],
            vec!["build-graph", "--model", "p", "-o", "g"],
            vec!["build-graph", "--arch", "digits", "--weights", "p", "-o", "g"],
            vec!["images", "--images", "p.npy", "--shape", shape, "-o", "y.npy"],
            vec!["images", "--images", "x.npy", "--labels", "p", "--shape", shape, "-o", "y.npy"],
            vec!["images", "--images", "x.npy", "--preprocess", "p", "--shape", shape, "-o", "y.npy"],
            vec!["lambda", "--omega", "p.parquet", "-o", "y.parquet"],
            vec!["compare", "--real", "p.parquet", "--null", "p.parquet", "-o", "y.parquet"],
        ] {
            dir.run(1, &command).fails_with(&[PIPE]);
        }
        dir.ok(["build-graph", "--quiet", "--model", model, "-o", "g"]);
        std::fs::remove_file(dir.path("p.parquet")).unwrap();
        dir.run(1, ["solve", "g", "-o", "p.parquet", "--resume"]).fails_with(&[PIPE]);
    }

    #[test]
    fn pipes_and_devices_in_a_graph_directory_are_refused() {
        let dir = Workdir::digits();
        for file in ["manifest.json", "values.bin", "frames-00000.shard"] {
            dir.copy(&dir.path("g"), file);
            std::fs::remove_file(dir.path(file).join(file)).unwrap();
            pipe(&dir, &format!("{file}/{file}"));
            dir.run(1, ["inspect", file]).fails_with(&[file, PIPE]);
        }
        std::fs::remove_file(dir.path("manifest.json/manifest.json")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", dir.path("manifest.json/manifest.json")).unwrap();
        dir.run(1, ["inspect", "manifest.json"]).fails_with(&["it is a device"]);
    }

    #[test]
    fn labels_that_cannot_be_read_are_not_taken_for_none() {
        let dir = Workdir::new();
        dir.write("x.npy", dir_images());
        let images = ["images", "--images", "x.npy", "--shape", "1,16,16", "-o", "y.npy"];
        std::fs::create_dir(dir.path("labels.csv")).unwrap();
        dir.run(1, images).fails_with(&["labels.csv: it is a folder"]);
        std::fs::remove_dir(dir.path("labels.csv")).unwrap();
        dir.ok(images);
    }

    fn dir_images() -> Vec<u8> {
        std::fs::read(repository("fixtures/digits/images.npy")).unwrap()
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_outgrows_its_limit_is_an_error_and_not_the_end_of_the_process() {
    let dir = Workdir::digits();
    let ran = dir.fails_under("ulimit -f 8", &["solve", "g", "-o", "x.parquet", "--replicas", "16"]);
    ran.fails_with(&["cannot write x.parquet", "File too large"]);
    assert_eq!(dir.names(), ["g"]);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_refused_before_the_work() {
    let dir = Workdir::new();
    std::os::unix::fs::symlink("none/x", dir.path("x.parquet")).unwrap();
    dir.write("e.csv", "source,target,weight\na,b,1\n");
    dir.ok(["import-graph", "e.csv", "-o", "g", "-q"]);
    dir.run(1, ["solve", "g", "-o", "x.parquet"]).fails_with(&["x.parquet exists, as a link that leads nowhere"]);
}
