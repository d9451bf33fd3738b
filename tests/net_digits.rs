//! The default network: its checkpoint and its ONNX file are one graph, of the size that its README states.
mod common;

use common::{Workdir, repository};
use frustration::net::arch::{self, WeightSource};

/// Builds from the ONNX file and from the checkpoint; gives the lines `nodes`, `edges` and `fingerprint` of each.
fn built(options: &[&str]) -> [Vec<String>; 2] {
    let dir = Workdir::new();
    let onnx = ["--model".into(), repository("fixtures/digits/digits.onnx")].to_vec();
    let checkpoint = repository("fixtures/digits/digits.safetensors");
    let named = ["--arch".into(), "digits".into(), "--weights".into(), checkpoint].to_vec();
    [("onnx", onnx), ("named", named)].map(|(output, network)| {
        let mut command = dir.command(["build-graph", "-o", output]);
        let ran = command.args(network).args(options).output().expect("the binary starts");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let stdout = String::from_utf8_lossy(&ran.stdout);
        let kept = |line: &&str| ["nodes ", "edges ", "fingerprint "].iter().any(|key| line.starts_with(key));
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        stdout.lines().filter(kept).map(words).collect()
    })
}

#[test]
fn the_checkpoint_is_the_graph_of_the_onnx_file_under_every_rule() {
    let sizes = [("expand", ["nodes 21258", "edges 1563776"]), ("node", ["nodes 26890", "edges 1560240"])];
    for (residual, size) in sizes {
        for batch_norm in ["ignore", "sign", "fold"] {
            let [onnx, named] = built(&["--residual", residual, "--batch-norm", batch_norm]);
            assert_eq!(onnx[..2], size, "{residual}, {batch_norm}");
            assert!(onnx[2].starts_with("fingerprint "));
            assert_eq!(onnx, named, "{residual}, {batch_norm}");
        }
    }
}

#[test]
fn every_tensor_of_the_checkpoint_is_used() {
    let path = repository("fixtures/digits/digits.safetensors");
    let net = arch::build("digits", WeightSource::Safetensors(&path), None).expect("builds");
    assert_eq!(net.warnings, Vec::<String>::new());
    assert_eq!((net.layers[0].shape.c, net.layers[0].shape.h), (1, 16));
}
