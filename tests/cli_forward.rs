//! `pipeline forward`

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{Workdir, repository};

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/digits/digits.onnx");
const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/digits/images.npy");
const LABELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/digits/labels.csv");

/// The header and the values of an array of float32.
fn array(path: &Path) -> (String, Vec<f32>) {
    let bytes = std::fs::read(path).unwrap();
    let (header, values) = bytes.split_at(10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]])));
    let values = values.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    (String::from_utf8_lossy(header).into_owned(), values)
}

/// An array file of the first digits.
fn some_images(n: usize) -> Vec<u8> {
    let bytes = std::fs::read(IMAGES).unwrap();
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, 1, 16, 16), }}");
    let mut file = bytes[..10].to_vec();
    file.extend(format!("{dictionary:<117}\n").into_bytes());
    file.extend(&bytes[128..128 + n * 4 * 256]);
    file
}

#[test]
fn digits_are_recognised() {
    let dir = Workdir::new();
    let ran = dir.ok(["forward", "--model", DIGITS, "--images", IMAGES, "-o", "y.npy"]);
    assert_eq!(ran.stdout(), "y.npy: 200 x 10\n");
    let (header, logits) = array(&dir.path("y.npy"));
    assert!(header.contains("'<f4'") && header.contains("(200, 10,)"), "{header}");
    let best = logits.chunks_exact(10).map(|l| (0..10).max_by(|&a, &b| l[a].total_cmp(&l[b])).unwrap());
    let labels = std::fs::read_to_string(LABELS).unwrap();
    let labels = labels.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<usize>().unwrap());
    let right = best.zip(labels).filter(|(best, label)| best == label).count();
    assert!(right > 180, "{right} of 200");
}

#[test]
fn states_have_the_order_of_the_nodes_where_channels_are_shuffled() {
    let dir = Workdir::new();
    let net = ["--arch", "shufflenet_v1_g4", "--init", "he", "--input-size", "32"];
    dir.ok([&["build-graph", "-o", "graph"], &net[..]].concat());
    let shown: serde_json::Value = serde_json::from_str(&dir.ok(["inspect", "graph", "--json"]).stdout()).unwrap();
    let groups =
        |layer: &serde_json::Value| (layer["name"].as_str().unwrap().to_owned(), layer["shuffle_groups"].as_u64());
    let of_graph: HashMap<_, _> = shown["layers"].as_array().unwrap().iter().map(groups).collect();
    assert_eq!(of_graph.values().filter(|&&groups| groups == Some(4)).count(), 16);
    let mut image = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    let dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 32, 32), }";
    image.extend(format!("{dictionary:<117}\n").into_bytes());
    image.resize(128 + 4 * 3 * 32 * 32, 0);
    dir.write("x.npy", image);
    dir.ok([&["forward", "--images", "x.npy", "-o", "y.npy", "--states-dir", "states"], &net[..]].concat());
    let list = std::fs::read_to_string(dir.path("states/layers.csv")).unwrap();
    for line in list.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let expected = of_graph.get(cells[2]).copied().flatten().unwrap_or(0);
        assert_eq!(cells[7].parse(), Ok(expected), "{line}");
    }
}

#[test]
fn states_and_threads_do_not_change_logits() {
    let dir = Workdir::new();
    dir.ok(["forward", "--model", DIGITS, "--images", IMAGES, "-o", "one.npy", "--threads", "1"]);
    dir.ok(["forward", "--model", DIGITS, "--images", IMAGES, "-o", "two.npy", "--threads", "2", "--states-dir", "s"]);
    assert_eq!(dir.read("one.npy"), dir.read("two.npy"));
    let list = std::fs::read_to_string(dir.path("s/layers.csv")).unwrap();
    let first: Vec<&str> = list.lines().take(2).collect();
    assert_eq!(first[0], "index,file,layer,operator,channels,height,width,shuffle_groups");
    assert!(first[1].starts_with("0,000.npy,") && first[1].ends_with(",input,1,16,16,0"), "{}", first[1]);
    assert_eq!(array(&dir.path("s/000.npy")).1, array(Path::new(IMAGES)).1);
    for line in list.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let size: usize = cells[4..7].iter().map(|n| n.parse::<usize>().unwrap()).product();
        assert_eq!(array(&dir.path(&format!("s/{}", cells[1]))).1.len(), 200 * size, "{line}");
    }
}

#[test]
fn photographs_are_what_images_makes_of_them() {
    let dir = Workdir::new();
    dir.copy(&repository("fixtures/images"), "photos");
    let network = ["forward", "--arch", "squeezenet1_1", "--init", "he", "--input-size", "67"];
    let photos = ["--images", "photos", "--preprocess", "caffe"];
    dir.ok([&network[..], &photos, &["-o", "photos.npy"]].concat());
    dir.ok([&["images"], &photos[..], &["--shape", "3,67,67", "-o", "x.npy"]].concat());
    dir.ok([&network[..], &["--images", "x.npy", "-o", "tensors.npy"]].concat());
    assert!(array(&dir.path("photos.npy")).0.contains("(8, 1000,)"));
    assert!(dir.read("photos.npy") == dir.read("tensors.npy"));
    dir.run(1, [&network[..], &photos[..2], &["-o", "y.npy"]].concat()).fails_with(&["need --preprocess"]);
}

#[test]
fn the_number_of_images_does_not_change_logits() {
    let dir = Workdir::new();
    dir.ok(["forward", "--model", DIGITS, "--images", IMAGES, "-o", "all.npy"]);
    let all = array(&dir.path("all.npy")).1;
    for n in [4, 5, 27] {
        std::fs::write(dir.path("some.npy"), some_images(n)).unwrap();
        dir.ok(["forward", "--model", DIGITS, "--images", "some.npy", "-o", "y.npy", "--force"]);
        assert_eq!(array(&dir.path("y.npy")).1, all[..10 * n], "{n} images");
    }
}

#[test]
fn outputs_are_kept_unless_forced() {
    let dir = Workdir::new();
    dir.write("y.npy", "mine");
    let run = ["forward", "--model", DIGITS, "--images", IMAGES, "-o", "y.npy"];
    dir.run(1, run).fails_with(&["y.npy exists", "--force"]);
    std::fs::create_dir(dir.path("s")).unwrap();
    dir.write("s/mine", "mine");
    let states = ["forward", "--model", DIGITS, "--images", IMAGES, "-o", "y.npy", "--force", "--states-dir", "s"];
    dir.run(1, states).fails_with(&["s holds `mine`", "layers.csv"]);
    assert!(dir.path("s/mine").exists());
    assert_eq!(dir.read("y.npy"), b"mine");
    assert_eq!(dir.names(), ["s", "y.npy"]);
}

#[test]
fn a_folder_with_other_things_beside_a_list_is_never_replaced() {
    let dir = Workdir::new();
    let run = ["forward", "--model", DIGITS, "--images", IMAGES, "-o", "y.npy", "--force", "--states-dir", "s"];
    std::fs::create_dir(dir.path("s")).unwrap();
    dir.ok(run);
    dir.ok(run);
    assert_eq!(dir.names(), ["s", "y.npy"]);
    dir.write("s/thesis.tex", "mine");
    dir.run(1, run).fails_with(&["s holds `thesis.tex`", "choose another folder"]);
    std::fs::remove_file(dir.path("s/thesis.tex")).unwrap();
    std::fs::create_dir(dir.path("s/more")).unwrap();
    dir.run(1, run).fails_with(&["s holds `more`"]);
    std::fs::remove_dir(dir.path("s/more")).unwrap();
    dir.write("s/layers.csv", "mine,too\n1,2\n");
    dir.run(1, run).fails_with(&["s holds `"]);
    assert!(dir.path("s/000.npy").exists());
    assert_eq!(dir.read("s/layers.csv"), b"mine,too\n1,2\n");
}

#[cfg(unix)]
#[test]
fn what_a_killed_run_left_goes_with_the_next_one() {
    let dir = Workdir::new();
    std::fs::create_dir(dir.path(".s.AbCd12.tmp")).unwrap();
    dir.write(".s.AbCd12.tmp/000.npy", "half");
    dir.ok(["forward", "--model", DIGITS, "--images", IMAGES, "-o", "y.npy", "--states-dir", "s/"]);
    assert_eq!(dir.names(), ["s", "y.npy"]);
}

#[test]
fn images_that_do_not_fit_are_named() {
    let dir = Workdir::new();
    let run = ["forward", "--model", DIGITS, "--images", "x.npy", "-o", "y.npy"];
    dir.run(1, run).fails_with(&["x.npy"]);
    dir.write("x.npy", "no array at all");
    dir.run(1, run).fails_with(&["x.npy", "NumPy"]);
    let other = ["forward", "--arch", "squeezenet1_1", "--init", "he", "--images", IMAGES, "-o", "y.npy"];
    dir.run(1, other).fails_with(&["images.npy", "200×1×16×16", "N×3×227×227"]);
    let bytes = some_images(3);
    std::fs::write(dir.path("x.npy"), &bytes).unwrap();
    dir.ok(run);
    std::fs::write(dir.path("x.npy"), &bytes[..bytes.len() - 1]).unwrap();
    dir.run(1, [&run[..], &["--force"]].concat()).fails_with(&["x.npy", "write the file again"]);
}

#[test]
fn states_that_overflow_name_their_image_and_layer() {
    let dir = Workdir::digits();
    let mut images = some_images(20);
    let seventeenth = 128 + 17 * 4 * 256;
    images[seventeenth..][..4 * 256].chunks_exact_mut(4).for_each(|b| b.copy_from_slice(&3e38_f32.to_le_bytes()));
    dir.write("x.npy", images);
    let words = ["image 17: layer `", "expected numbers of single precision"];
    let forward = ["forward", "--model", DIGITS, "--images", "x.npy", "-o", "y.npy"];
    dir.run(1, forward).fails_with(&words);
    dir.run(1, forward.iter().chain(&["--states-dir", "s"])).fails_with(&words);
    dir.run(1, ["active", "g", "--model", DIGITS, "--images", "x.npy", "-o", "y.parquet"]).fails_with(&words);
    let perturb = ["perturb", "g", "--model", DIGITS, "--images", "x.npy", "-o", "z.parquet", "--norm", "1..2"];
    let ran = dir.run(1, perturb.iter().chain(&["--cases", "random-direction", "--perturbations", "2"]));
    ran.fails_with(&["image 17", "layer `", "expected numbers of single precision"]);
    // The first sixteen images of `active` are finished and kept.
    assert!(dir.names().iter().all(|name| ["g", "x.npy"].contains(&name.as_str()) || name.ends_with(".checkpoint")));
    dir.ok(forward.iter().chain(&["--limit", "17"]));
}

/// An array file of one image.
fn image(shape: [usize; 3], values: &[f32]) -> Vec<u8> {
    let [c, h, w] = shape;
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': (1, {c}, {h}, {w}), }}");
    let mut file = std::fs::read(IMAGES).unwrap()[..10].to_vec();
    file.extend(format!("{dictionary:<117}\n").into_bytes());
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    file
}

#[test]
fn a_channels_last_output_stays_in_the_order_of_the_file() {
    let (dir, model) = (Workdir::new(), repository("fixtures/onnx/turned_output.onnx"));
    let pixels: Vec<f32> = (0..12).map(|i| i as f32 / 64.0 - 0.1).collect();
    dir.write("x.npy", image([2, 2, 3], &pixels));
    let model = model.to_str().unwrap();
    dir.ok(["forward", "--model", model, "--images", "x.npy", "-o", "y.npy", "--states-dir", "s"]);
    let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
    let unit = |pixel: usize, c: usize| (2 * c + 1) as f32 * pixels[pixel] + (2 * c + 2) as f32 * pixels[pixel + 6];
    let expected: Vec<f32> =
        (0..6).flat_map(|p| (0..3).map(move |c| (p, c))).map(|(p, c)| sigmoid(unit(p, c))).collect();
    let is_expected = |found: &[f32]| {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}, expected {expected:?}");
    };
    is_expected(&array(&dir.path("y.npy")).1);
    let list = std::fs::read_to_string(dir.path("s/layers.csv")).unwrap();
    let last: Vec<&str> = list.lines().last().unwrap().split(',').collect();
    assert_eq!(last[2..4], ["y/file_order", "shuffle"]);
    is_expected(&array(&dir.path(&format!("s/{}", last[1]))).1);
}
