//! `pipeline build-graph`

mod common;

use common::{Workdir, repository};

const SMALL: [&str; 7] = ["build-graph", "--arch", "squeezenet1_1", "--init", "he", "--input-size", "67"];

fn json(dir: &Workdir, graph: &str) -> serde_json::Value {
    serde_json::from_str(&dir.ok(["inspect", graph, "--json"]).stdout()).unwrap()
}

#[test]
fn an_architecture_becomes_a_graph() {
    let dir = Workdir::new();
    let ran = dir.ok(SMALL.into_iter().chain(["--seed", "7", "-o", "g"]));
    let stdout = ran.stdout();
    for line in ["graph ", "nodes ", "edges ", "sum |w| ", "bytes on disk ", "bits per edge ", "fingerprint "] {
        assert!(stdout.contains(line), "{line}\n{stdout}");
    }
    assert!(stdout.trim_end().lines().last().unwrap().contains(" s, peak memory "), "{stdout}");
    assert_eq!(dir.names(), ["g"]);
    let graph = json(&dir, "g");
    assert_eq!(graph["description"]["architecture"], "squeezenet1_1");
    assert_eq!(graph["description"]["seed"], "7");
    assert!(graph["bytes"].as_u64().unwrap() < 6_000_000);
    dir.ok(["verify", "g"]);
}

#[test]
fn equal_seeds_make_equal_graphs() {
    let dir = Workdir::new();
    for (name, seed) in [("a", "1"), ("b", "1"), ("c", "2")] {
        dir.ok(SMALL.into_iter().chain(["--seed", seed, "-o", name]));
    }
    let fingerprint = |name| json(&dir, name)["fingerprint"].clone();
    assert_eq!(fingerprint("a"), fingerprint("b"));
    assert_ne!(fingerprint("a"), fingerprint("c"));
    assert_eq!(dir.read("a/manifest.json"), dir.read("b/manifest.json"));
}

#[test]
fn a_model_file_becomes_a_graph() {
    let dir = Workdir::new();
    let model = repository("fixtures/onnx/plain.onnx");
    dir.ok(["build-graph", "--model", model.to_str().unwrap(), "-o", "g"]);
    let graph = json(&dir, "g");
    assert_eq!(graph["description"]["source"], "plain.onnx");
    assert_eq!(graph["description"]["source_sha256"].as_str().unwrap().len(), 64);
    dir.ok(["verify", "g", "--deep"]);
}

#[test]
fn an_existing_graph_is_kept_unless_forced() {
    let dir = Workdir::new();
    let build = || SMALL.into_iter().chain(["-o", "g"]);
    dir.ok(build());
    dir.run(1, build()).fails_with(&["g exists", "--force"]);
    dir.ok(build().chain(["--force"]));
    dir.write("g/notes.txt", "");
    dir.run(1, build().chain(["--force"])).fails_with(&["g exists and is not a graph directory"]);
    dir.run(1, SMALL.into_iter().chain(["-o", "no/g"])).fails_with(&["no/g"]);
    assert_eq!(dir.names(), ["g"]);
}

#[test]
fn a_bad_model_is_one_line_and_no_graph() {
    let dir = Workdir::new();
    for (model, words) in [
        ("nan_weight", &["layer `conv`", "NaN", "expected finite weights"][..]),
        ("unknown_operator", &["layer `attention`", "`Einsum`", "no edge rule"]),
        ("open_size", &["`x`", "--input-size"]),
        ("truncated_2", &["truncated_2.onnx", "truncated"]),
    ] {
        let model = repository(&format!("fixtures/hostile/{model}.onnx"));
        dir.run(1, ["build-graph", "--model", model.to_str().unwrap(), "-o", "g"]).fails_with(words);
        assert!(dir.names().is_empty());
    }
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let dir = Workdir::new();
    dir.run(2, ["build-graph", "-o", "g"]);
    dir.run(2, ["build-graph", "--arch", "resnet18", "-o", "g"]);
    dir.run(2, ["build-graph", "--model", "m.onnx", "--arch", "resnet18", "--init", "he", "-o", "g"]);
    dir.run(2, ["build-graph", "--arch", "resnet18", "--init", "he", "--input-size", "0", "-o", "g"]);
    dir.run(1, ["build-graph", "--model", "m.onnx", "-o", "g"]).fails_with(&["m.onnx"]);
    dir.run(1, ["build-graph", "--arch", "resnet19", "--init", "he", "-o", "g"]).fails_with(&["resnet19", "resnet18"]);
    assert!(dir.names().is_empty());
}

#[test]
fn files_of_other_kinds_are_called_what_they_are() {
    let dir = Workdir::new();
    let safetensors = b"\x10\0\0\0\0\0\0\0{\"a\":{\"dtype\":1}}";
    let lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    let cases: [(&str, &[u8], &[&str]); 7] = [
        (
            "m.pt",
            b"PK\x03\x04....",
            &["m.pt is a ZIP archive, as PyTorch", "expected an ONNX model", "torch.onnx.export"],
        ),
        ("m.pth", b"\x80\x02}q.", &["m.pth is a pickle, as PyTorch", "torch.onnx.export"]),
        ("m.safetensors", safetensors, &["m.safetensors is a safetensors file", "--arch NAME --weights FILE"]),
        ("m.onnx", lfs, &["m.onnx is a pointer of Git LFS", "`git lfs pull`"]),
        ("m.png", b"\x89PNG\r\n\x1a\n", &["m.png is an image (PNG)", "--images"]),
        ("e.onnx", b"", &["e.onnx is empty", "complete?"]),
        ("m.html", b"<!DOCTYPE html>", &["m.html is a web page"]),
    ];
    for (name, bytes, words) in cases {
        dir.write(name, bytes);
        dir.run(1, ["build-graph", "--model", name, "-o", "g"]).fails_with(words);
    }
    std::fs::create_dir(dir.path("d")).unwrap();
    dir.run(1, ["build-graph", "--model", "d", "-o", "g"]).fails_with(&["it is a folder", "name a file in it"]);
    let model = repository("fixtures/digits/digits.onnx");
    for (weights, words) in
        [("m.pt", "a ZIP archive"), ("m.onnx", "a pointer of Git LFS"), (model.to_str().unwrap(), "an ONNX model")]
    {
        let ran = dir.run(1, ["build-graph", "--arch", "digits", "--weights", weights, "-o", "g"]);
        ran.fails_with(&[words, "expected a safetensors file"]);
    }
    assert!(!dir.path("g").exists());
    dir.run(2, ["build-graph", "--model", model.to_str().unwrap(), "-o", "-"]);
}
