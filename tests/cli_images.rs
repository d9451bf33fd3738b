//! `pipeline images`

mod common;

use common::{Workdir, repository};

const DIGITS: &str = "fixtures/digits/images.npy";

#[test]
fn tensors_come_out_as_they_went_in() {
    let dir = Workdir::new();
    let digits = repository(DIGITS);
    let digits = digits.to_str().unwrap();
    let ran = dir.ok(["images", "--images", digits, "--shape", "1,16,16", "-o", "x.npy"]);
    assert!(ran.stdout().starts_with("x.npy: 200×1×16×16, "), "{}", ran.stdout());
    let (written, read) = (dir.read("x.npy"), std::fs::read(digits).unwrap());
    assert_eq!(written[written.len() - 204_800..], read[read.len() - 204_800..]);
    let list = std::fs::read_to_string(dir.path("x.labels.csv")).unwrap();
    assert!(list.starts_with("index,file,class_index\n0,0,2\n1,1,9\n"), "{list}");

    let again = ["--labels", "x.labels.csv", "--limit", "3", "--threads", "1", "-o", "y.npy"];
    dir.ok(["images", "--images", "x.npy", "--shape", "1,16,16"].into_iter().chain(again));
    assert_eq!(std::fs::read_to_string(dir.path("y.labels.csv")).unwrap().lines().count(), 4);
    assert_eq!(dir.read("y.npy")[128..], written[128..128 + 3 * 1024]);
}

#[test]
fn files_need_to_be_told_how_they_are_prepared() {
    let dir = Workdir::new();
    dir.copy(&repository("fixtures/images"), "photos");
    let images = |more: &[&'static str]| {
        let all = ["images", "--images", "photos", "--shape", "3,16,16", "-o", "x.npy"];
        all.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()
    };
    dir.run(1, images(&[])).fails_with(&["need --preprocess", "imagenet"]);
    dir.run(1, images(&["--preprocess", "imagnet"])).fails_with(&["imagnet", "imagenet, caffe"]);
    dir.write("own.toml", "resize = \"stretch\"\nmeans = [1.0]\n");
    dir.run(1, images(&["--preprocess", "own.toml"])).fails_with(&["own.toml", "means", "`mean`"]);
    dir.write("own.toml", "resize = 16\ncrop = \"centre\"\n");
    dir.ok(images(&["--preprocess", "own.toml"]));
    assert_eq!(std::fs::metadata(dir.path("x.npy")).unwrap().len(), 128 + 8 * 3 * 16 * 16 * 4);
    dir.run(1, images(&["--preprocess", "own.toml"])).fails_with(&["x.npy exists", "--force"]);
    dir.run(2, ["images", "--images", "photos", "--shape", "3,16", "-o", "y.npy"]);
}

#[test]
fn a_broken_image_leaves_no_output() {
    let dir = Workdir::new();
    dir.copy(&repository("fixtures/images"), "photos");
    let whole = dir.read("photos/grey.jpg");
    dir.write("photos/grey.jpg", &whole[..whole.len() / 2]);
    let ran = dir.run(1, ["images", "--images", "photos", "--preprocess", "caffe", "--shape", "3,8,8", "-o", "x.npy"]);
    ran.fails_with(&["photos/grey.jpg", "no intact JPEG"]);
    assert_eq!(dir.names(), ["photos"]);
}
