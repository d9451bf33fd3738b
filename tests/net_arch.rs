//! Named architectures: exact graph sizes by the edge rules, safetensors in good and bad condition, initialisation.
use frustration::net::arch::{self, Init, WeightSource};
use frustration::net::{Error, Network, Op, Shape, Window};
use proptest::prelude::*;
use safetensors::{Dtype, tensor::TensorView};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a residual addition is in the graph.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Residual {
    /// No node: every addend is a source of each consumer.
    Expand,
    /// A layer of its own, with one identity edge per addend element.
    Node,
}

/// Taps of all windows along one axis that fall inside the input.
fn valid_taps(n_in: usize, n_out: usize, window: &Window, axis: usize) -> u64 {
    let [kernel, stride, pad, dilation] =
        [window.kernel, window.stride, window.pad, window.dilation].map(|pair| pair[axis]);
    let inside = |o: usize, k: usize| (pad..pad + n_in).contains(&(o * stride + k * dilation));
    (0..n_out).map(|o| (0..kernel).filter(|&k| inside(o, k)).count() as u64).sum()
}

fn valid_taps_2d(input: Shape, output: Shape, window: &Window) -> u64 {
    valid_taps(input.h, output.h, window, 0) * valid_taps(input.w, output.w, window, 1)
}

/// Nodes and edges of the graph. For each tensor it follows how many sources each channel has: 1 after a layer that
/// makes nodes, more after an expanded sum, 0 for padding.
fn count(net: &Network, residual: Residual) -> (u64, u64) {
    let (mut nodes, mut edges) = (0, 0);
    let mut sources: Vec<Vec<u64>> = Vec::new();
    for layer in &net.layers {
        let shape = layer.shape;
        let of = |i: usize| &sources[layer.inputs[i]];
        let input = layer.inputs.first().map_or(shape, |&i| net.layers[i].shape);
        let pixels = (input.h * input.w) as u64;
        let new_nodes = vec![1; shape.c];
        let (out, is_layer) = match &layer.op {
            Op::Input => (new_nodes, true),
            Op::Conv(conv) => {
                let per_source = (shape.c / conv.groups) as u64 * valid_taps_2d(input, shape, &conv.window);
                edges += of(0).iter().sum::<u64>() * per_source;
                (new_nodes, true)
            }
            Op::Pool(pool) => {
                edges += of(0).iter().sum::<u64>() * valid_taps_2d(input, shape, &pool.window);
                (new_nodes, true)
            }
            Op::Dense(_) => {
                edges += of(0).iter().sum::<u64>() * pixels * shape.c as u64;
                (new_nodes, true)
            }
            Op::Add if residual == Residual::Node => {
                edges += layer.inputs.iter().flat_map(|&i| &sources[i]).sum::<u64>() * pixels;
                (new_nodes, true)
            }
            Op::Add => ((0..shape.c).map(|c| layer.inputs.iter().map(|&i| sources[i][c]).sum()).collect(), false),
            Op::Concat => (layer.inputs.iter().flat_map(|&i| sources[i].clone()).collect(), false),
            Op::Flatten => (of(0).iter().flat_map(|&n| std::iter::repeat_n(n, pixels as usize)).collect(), false),
            Op::Shuffle { groups } => {
                let per_group = shape.c / groups;
                ((0..shape.c).map(|c| of(0)[c % groups * per_group + c / groups]).collect(), false)
            }
            Op::Slice { begin, step } => ((0..shape.c).map(|k| of(0)[begin[0] + k * step[0]]).collect(), false),
            Op::Pad { before } => {
                assert_eq!((input.h, input.w), (shape.h, shape.w), "only channels are padded");
                let channel = |c: usize| c.checked_sub(before[0]).and_then(|c| of(0).get(c)).copied().unwrap_or(0);
                ((0..shape.c).map(channel).collect(), false)
            }
            _ => (of(0).clone(), false),
        };
        assert_eq!(out.len(), shape.c, "{}", layer.name);
        nodes += if is_layer { shape.len() as u64 } else { 0 };
        sources.push(out);
    }
    (nodes, edges)
}

const FRESH: WeightSource = WeightSource::Init { scheme: Init::Xavier, seed: 1 };

fn sizes(name: &str, residual: Residual) -> (u64, u64) {
    count(&arch::build(name, FRESH, None).expect("builds"), residual)
}

#[test]
fn networks_without_sums_have_the_published_sizes() {
    let table = [
        ("squeezenet1_1", (3_269_923, 378_577_376)),
        ("googlenet", (4_796_184, 1_446_338_656)),
        ("googlenet_caffe", (4_796_184, 1_516_599_136)),
        ("alexnet", (733_032, 658_713_600)),
        ("alexnet_caffe", (936_323, 672_424_832)),
    ];
    for (name, size) in table {
        assert_eq!(sizes(name, Residual::Expand), size, "{name}");
    }
}

#[test]
fn residual_networks_have_the_sizes_of_both_rules() {
    let table = [
        ("resnet18", (2_836_456, 2_471_206_208), (3_589_096, 1_683_706_176)),
        ("shufflenet_v1_g4", (3_673_016, 260_855_952), (4_446_040, 126_741_592)),
    ];
    for (name, expand, node) in table {
        let net = arch::build(name, FRESH, None).expect("builds");
        assert_eq!(count(&net, Residual::Expand), expand, "{name}, expand");
        assert_eq!(count(&net, Residual::Node), node, "{name}, node");
    }
    assert_eq!(sizes("resnet20_cifar10", Residual::Expand), (191_562, 74_221_376));
}

#[test]
fn parameter_counts_are_the_published_ones() {
    let parameters = |name| {
        stored_tensors(&small_or_default(name)).iter().map(|(_, shape, _)| shape.iter().product::<usize>()).sum()
    };
    let table: [(&str, usize); 4] = [
        ("squeezenet1_0", 1_248_424),
        ("squeezenet1_1", 1_235_496),
        ("resnet18", 11_689_512),
        ("googlenet", 6_624_904),
    ];
    for (name, n) in table {
        // Running means and variances are stored, but are no parameters.
        let net = small_or_default(name);
        let statistics: usize =
            net.layers.iter().map(|l| if let Op::BatchNorm(_) = l.op { 2 * l.shape.c } else { 0 }).sum();
        let stored: usize = parameters(name);
        assert_eq!(stored - statistics, n, "{name}");
    }
}

fn small_or_default(name: &str) -> Network {
    let side = if name.starts_with("alexnet") || name == "digits" { None } else { Some([64, 48]) };
    arch::build(name, FRESH, side).expect("builds")
}

#[test]
fn every_network_is_well_formed() {
    for name in arch::names() {
        let net = small_or_default(name);
        let layer_names: BTreeSet<&str> = net.layers.iter().map(|l| l.name.as_str()).collect();
        assert_eq!(layer_names.len(), net.layers.len(), "{name}: names are unique");
        let mut read = vec![0; net.layers.len()];
        for (i, layer) in net.layers.iter().enumerate() {
            assert!(layer.inputs.iter().all(|&j| j < i), "{name}: {}", layer.name);
            layer.inputs.iter().for_each(|&j| read[j] += 1);
        }
        read.pop();
        assert!(read.iter().all(|&n| n > 0), "{name}: every layer but the last is read");
        assert_eq!(
            net.layers.last().map(|l| l.shape.len()),
            Some(if matches!(name, "digits" | "resnet20_cifar10") { 10 } else { 1000 })
        );
        assert!(net.warnings.is_empty());
    }
}

#[test]
fn input_sizes_that_do_not_fit_are_errors() {
    for (name, size) in [("alexnet", [300, 300]), ("alexnet_caffe", [300, 300]), ("squeezenet1_1", [5, 400])] {
        assert!(matches!(arch::build(name, FRESH, Some(size)), Err(Error::Misfit { .. })), "{name} {size:?}");
    }
    for name in arch::names() {
        for size in [[0, 224], [usize::MAX, 224], [1, 1], [2, 3]] {
            let result = arch::build(name, FRESH, Some(size));
            assert!(matches!(result, Ok(_) | Err(Error::Misfit { .. })), "{name} {size:?}");
        }
    }
}

#[test]
fn a_seed_fixes_the_weights() {
    let build =
        |scheme, seed| arch::build("resnet20_cifar10", WeightSource::Init { scheme, seed }, None).expect("builds");
    assert_eq!(build(Init::He, 5), build(Init::He, 5));
    assert_ne!(build(Init::He, 5), build(Init::He, 6));
    assert_ne!(build(Init::He, 5), build(Init::Xavier, 5));
}

#[test]
fn a_layer_can_be_drawn_again_on_its_own() {
    let scheme = Init::Xavier;
    let net = arch::build("resnet20_cifar10", WeightSource::Init { scheme, seed: 9 }, None).expect("builds");
    let drawn = net.layers.iter().filter(|l| arch::fans(l).is_some());
    for (index, layer) in drawn.enumerate() {
        let (fan_in, fan_out) = arch::fans(layer).expect("filtered");
        let (Op::Conv(frustration::net::Conv { weight, .. }) | Op::Dense(frustration::net::Dense { weight, .. })) =
            &layer.op
        else {
            unreachable!("only convolution and dense layers have fans");
        };
        let mut again = vec![0.0; weight.len()];
        arch::draw(scheme, fan_in, fan_out, &mut arch::rng(9, index as u64), &mut again);
        assert_eq!(&again, weight, "{}", layer.name);
    }
}

/// Key, shape and values of everything a checkpoint of `net` stores.
fn stored_tensors(net: &Network) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let mut out = Vec::new();
    for layer in &net.layers {
        let mut put = |tensor: &str, shape: &[usize], values: &[f32]| {
            out.push((format!("{}.{tensor}", layer.name), shape.to_vec(), values.to_vec()));
        };
        let c = layer.shape.c;
        match &layer.op {
            Op::Conv(conv) => {
                let [kh, kw] = conv.window.kernel;
                put("weight", &[c, conv.weight.len() / (c * kh * kw), kh, kw], &conv.weight);
                conv.bias.iter().for_each(|bias| put("bias", &[c], bias));
            }
            Op::Dense(dense) => {
                put("weight", &[c, dense.weight.len() / c], &dense.weight);
                dense.bias.iter().for_each(|bias| put("bias", &[c], bias));
            }
            Op::BatchNorm(bn) => {
                let tensors =
                    [("weight", &bn.gamma), ("bias", &bn.beta), ("running_mean", &bn.mean), ("running_var", &bn.var)];
                tensors.iter().for_each(|(name, values)| put(name, &[c], values));
            }
            _ => {}
        }
    }
    out
}

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn resnet20_tensors() -> (Network, Tensors) {
    let net = arch::build("resnet20_cifar10", FRESH, None).expect("builds");
    let bytes = |values: Vec<f32>| values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let tensors = stored_tensors(&net)
        .into_iter()
        .map(|(key, shape, values)| (key, (Dtype::F32, shape, bytes(values))))
        .collect();
    (net, tensors)
}

fn serialize(tensors: &Tensors) -> Vec<u8> {
    let views = tensors
        .iter()
        .map(|(key, (dtype, shape, bytes))| (key, TensorView::new(*dtype, shape.clone(), bytes).expect("consistent")));
    safetensors::serialize(views, None).expect("serializes")
}

fn load_bytes(bytes: &[u8]) -> Result<Network, Error> {
    let dir = tempfile::tempdir().expect("temp dir");
    let path = dir.path().join("net.safetensors");
    std::fs::write(&path, bytes).expect("writes");
    arch::build("resnet20_cifar10", WeightSource::Safetensors(&path), None)
}

fn load_error(tensors: &Tensors) -> String {
    load_bytes(&serialize(tensors)).expect_err("damaged").to_string()
}

#[test]
fn what_is_stored_is_loaded() {
    let (net, mut tensors) = resnet20_tensors();
    tensors.insert("bn1.num_batches_tracked".into(), (Dtype::I64, vec![], vec![0; 8]));
    assert_eq!(load_bytes(&serialize(&tensors)).expect("loads"), net);
    let prefixed = tensors.into_iter().map(|(key, tensor)| (format!("module.{key}"), tensor)).collect();
    assert_eq!(load_bytes(&serialize(&prefixed)).expect("loads"), net);
}

#[test]
fn tensors_of_no_use_are_a_warning() {
    let (_, mut tensors) = resnet20_tensors();
    tensors.insert("ema.decay".into(), (Dtype::F32, vec![1], vec![0; 4]));
    let warnings = load_bytes(&serialize(&tensors)).expect("loads").warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("ema.decay"), "{warnings:?}");
}

#[test]
fn a_missing_tensor_is_named_with_its_shape() {
    let (_, mut tensors) = resnet20_tensors();
    tensors.remove("layer2.1.conv1.weight");
    let message = load_error(&tensors);
    assert!(
        message.contains("`layer2.1.conv1.weight` of shape [32, 32, 3, 3]") && message.contains("bn1.bias"),
        "{message}"
    );
}

#[test]
fn a_wrong_shape_or_type_is_an_error() {
    let (_, mut tensors) = resnet20_tensors();
    tensors.get_mut("linear.weight").expect("there").1 = vec![64, 10];
    let message = load_error(&tensors);
    assert!(message.contains("[64, 10]") && message.contains("[10, 64]"), "{message}");
    tensors.insert("linear.weight".into(), (Dtype::I32, vec![10, 64], vec![0; 2560]));
    assert!(load_error(&tensors).contains("I32"));
}

#[test]
fn a_nan_is_named_with_its_place() {
    let (_, mut tensors) = resnet20_tensors();
    tensors.get_mut("linear.bias").expect("there").2[12..16].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = load_bytes(&serialize(&tensors)).expect_err("damaged");
    assert!(matches!(error, Error::NotFinite { ref tensor, index: 3, .. } if tensor == "bias"), "{error}");
}

#[test]
fn damaged_headers_are_errors() {
    let bytes = serialize(&resnet20_tensors().1);
    assert!(matches!(load_bytes(&[]), Err(Error::OtherKind { found: "empty", .. })));
    let truncated = [7, 8, 100, bytes.len() - 1].map(|n| bytes[..n].to_vec());
    let huge_length = [&[0xff; 8][..], &bytes[8..]].concat();
    for damaged in truncated.into_iter().chain([huge_length, far_offsets()]) {
        assert!(matches!(load_bytes(&damaged), Err(Error::Malformed { .. })));
    }
}

/// A consistent header whose tensors end just below 2⁶⁴.
fn far_offsets() -> Vec<u8> {
    let step = 1_u64 << 60;
    let tensor = |i: u64| {
        let (begin, end) = (i * step, if i == 15 { u64::MAX - 7 } else { (i + 1) * step });
        format!(r#""t{i:02}":{{"dtype":"U8","shape":[{}],"data_offsets":[{begin},{end}]}}"#, end - begin)
    };
    let header = format!("{{{}}}", (0..16).map(tensor).collect::<Vec<_>>().join(","));
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

#[test]
fn a_missing_file_is_named() {
    let weights = WeightSource::Safetensors(Path::new("/nowhere/net.safetensors"));
    let error = arch::build("alexnet", weights, None).expect_err("no file");
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("/nowhere/net.safetensors"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_damage_never_panics(hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), in_header: bool) {
        static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| serialize(&resnet20_tensors().1));
        let mut bytes = BYTES.clone();
        let reach = if in_header { bytes.len() / 100 } else { bytes.len() };
        for (at, value) in hits {
            bytes[at.index(reach)] = value;
        }
        let _ = load_bytes(&bytes);
    }
}

/// Needs the real networks: set FRUSTRATION_DATA to the folder that has `models/`.
#[test]
fn real_checkpoints_load() {
    let Some(data) = std::env::var_os("FRUSTRATION_DATA") else { return };
    for name in ["squeezenet1_1", "resnet20_cifar10"] {
        let path = Path::new(&data).join("models").join(format!("{name}.safetensors"));
        let net = arch::build(name, WeightSource::Safetensors(&path), None).expect("loads");
        assert_eq!(net.warnings, Vec::<String>::new());
        assert_eq!(count(&net, Residual::Expand), sizes(name, Residual::Expand));
    }
}
