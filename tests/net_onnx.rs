//! The ONNX importer on the files that `python/make_onnx_cases.py` writes, on damaged copies of them, and on real
//! networks if `FRUSTRATION_DATA` names a folder of them.
use std::collections::HashSet;
use std::path::{Path, PathBuf};

use frustration::net::{Activation, Error, Network, Op, PoolKind, Window, onnx};
use proptest::prelude::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{name}.onnx"))
}

fn read(name: &str) -> Network {
    let network = onnx::read(&fixture(&format!("onnx/{name}")), None).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(network.name, name);
    check(&network);
    network
}

/// What every network must satisfy, whatever file it came from.
fn check(network: &Network) {
    let mut names = HashSet::new();
    for (i, layer) in network.layers.iter().enumerate() {
        assert!(names.insert(&layer.name), "{} twice", layer.name);
        assert!(layer.inputs.iter().all(|input| *input < i), "{}", layer.name);
        assert!(!layer.shape.is_empty());
        assert_eq!(matches!(layer.op, Op::Input), i == 0);
        let shapes: Vec<_> = layer.inputs.iter().map(|input| network.layers[*input].shape).collect();
        let (c, out) = (shapes.first().map_or(0, |shape| shape.c), layer.shape);
        match &layer.op {
            Op::Input => assert!(shapes.is_empty()),
            Op::Conv(conv) => {
                let taps = conv.window.kernel[0] * conv.window.kernel[1];
                assert_eq!(conv.weight.len(), out.c * c / conv.groups * taps);
                assert!(conv.bias.as_ref().is_none_or(|bias| bias.len() == out.c));
            }
            Op::Dense(dense) => {
                assert_eq!(dense.weight.len(), out.len() * shapes[0].len());
                assert!(dense.bias.as_ref().is_none_or(|bias| bias.len() == out.len()));
            }
            Op::BatchNorm(norm) => {
                assert!([&norm.gamma, &norm.beta, &norm.mean, &norm.var].iter().all(|v| v.len() == c))
            }
            Op::Scale(scale) => assert!(scale.mul.len() == c && [c, out.len()].contains(&scale.add.len())),
            Op::Activation(Activation::PRelu(slopes)) => assert_eq!(slopes.len(), c),
            Op::Concat => assert_eq!(shapes.iter().map(|shape| shape.c).sum::<usize>(), out.c),
            Op::Add => assert!(shapes.len() > 1 && shapes.iter().all(|shape| *shape == out)),
            Op::Flatten => assert_eq!(shapes[0].len(), out.c),
            Op::Shuffle { groups } => assert_eq!(out.c % groups, 0),
            Op::Pool(_) => assert_eq!(c, out.c),
            Op::Activation(_) | Op::Lrn(_) | Op::Softmax => assert_eq!(shapes, [out]),
            Op::Slice { begin, step } => {
                let ends = [(0, out.c, c), (1, out.h, shapes[0].h), (2, out.w, shapes[0].w)];
                assert!(ends.into_iter().all(|(k, n, size)| begin[k] + (n - 1) * step[k] < size));
            }
            Op::Pad { before } => assert!(before[0] + c <= out.c && before[1] + shapes[0].h <= out.h),
        }
    }
}

/// One line per layer: name, operator, shape, inputs.
fn lines(network: &Network) -> Vec<String> {
    let line = |layer: &frustration::net::Layer| {
        let op = format!("{:?}", layer.op);
        let op = op.split(['(', ' ']).next().unwrap_or_default();
        format!("{} {op} {} {:?}", layer.name, layer.shape, layer.inputs)
    };
    network.layers.iter().map(line).collect()
}

fn op(network: &Network, name: &str) -> Op {
    network.layers.iter().find(|layer| layer.name == name).expect("a layer of that name").op.clone()
}

fn window(kernel: usize, stride: usize, pad: usize) -> Window {
    Window { kernel: [kernel; 2], stride: [stride; 2], pad: [pad; 2], dilation: [1, 1] }
}

fn ramp(n: usize) -> Vec<f32> {
    (1..=n).map(|i| i as f32).collect()
}

#[test]
fn layer_lists() {
    let x = "x Input 2×6×6 []";
    let small = "x Input 2×2×2 []";
    let flat = "f Flatten 8×1×1 [0]";
    for (name, expected) in [
        ("plain", &[x, "c Conv 3×4×4 [0]", "y Activation 3×4×4 [1]"][..]),
        (
            "auto_pad",
            &[x, "upper Conv 3×3×3 [0]", "r Activation 3×3×3 [1]", "lower Pool 3×2×2 [2]", "y Pool 3×1×1 [3]"],
        ),
        ("ceil_mode", &[x, "y Pool 2×3×3 [0]"]),
        ("ceil_mode_average", &["x Input 2×5×6 []", "a Pool 2×3×3 [0]", "y Pool 2×2×2 [1]"]),
        ("asymmetric_pad", &[x, "c Conv 3×6×5 [0]", "y Pool 3×6×5 [1]"]),
        ("dilation", &[x, "y Conv 3×6×6 [0]"]),
        ("groups", &[x, "y Conv 4×4×4 [0]"]),
        ("constant_of_shape", &[x, "y Conv 3×4×4 [0]"]),
        ("constant_node", &[x, "y Conv 1×6×6 [0]"]),
        ("external", &[x, "y Conv 3×6×6 [0]"]),
        ("gemm", &[small, flat, "y Dense 3×1×1 [1]"]),
        ("gemm_old", &[small, flat, "y Dense 3×1×1 [1]"]),
        ("matmul_add", &[small, flat, "m Dense 3×1×1 [1]", "y Softmax 3×1×1 [2]"]),
        ("shape_arithmetic", &[small, flat, "y Dense 3×1×1 [1]"]),
        ("channels_last", &["x Input 3×2×2 []", "c Conv 2×2×2 [0]", "y Dense 1×1×1 [1]"]),
        ("old_broadcast", &[x, "m Scale 2×6×6 [0]", "bn BatchNorm 2×6×6 [1]", "y Activation 2×6×6 [2]"]),
        ("constants", &[x, "s Scale 2×6×6 [0]", "r Activation 2×6×6 [1]", "n Scale 2×6×6 [2]"]),
        ("mean_image", &[x, "s Scale 2×6×6 [0]", "y Activation 2×6×6 [1]"]),
        ("clip_old", &[x, "y Activation 2×6×6 [0]"]),
        ("dropout_mask", &[x, "y Activation 2×6×6 [0]"]),
        ("sum", &[x, "a Activation 2×6×6 [0]", "b Activation 2×6×6 [0]", "y Add 2×6×6 [0, 1, 2]"]),
        (
            "nested_sum",
            &[
                x,
                "a Activation 2×6×6 [0]",
                "s Add 2×6×6 [0, 1]",
                "b Activation 2×6×6 [2]",
                "t Add 2×6×6 [2, 3]",
                "y Add 2×6×6 [4, 0]",
            ],
        ),
        ("two_outputs", &[x, "a Activation 2×6×6 [0]", "y Activation 2×6×6 [1]"]),
        ("unnamed", &[x, "Relu_0 Activation 2×6×6 [0]", "Tanh_1 Activation 2×6×6 [1]"]),
        ("shuffle", &["x Input 6×2×2 []", "y Shuffle 6×2×2 [0]"]),
        ("option_a", &[x, "s Slice 2×3×3 [0]", "p Pad 4×3×3 [1]", "c Conv 4×3×3 [0]", "y Add 4×3×3 [3, 2]"]),
        ("option_a_old", &[x, "s Slice 2×6×4 [0]", "y Pad 2×7×7 [1]"]),
        ("split", &[x, "a Slice 1×6×6 [0]", "a_2 Slice 1×6×6 [0]", "r Activation 1×6×6 [1]", "y Concat 2×6×6 [3, 2]"]),
        ("reduce_mean", &[x, "m Pool 2×1×1 [0]", "y Dense 3×1×1 [1]"]),
        ("reduce_mean_input", &[x, "m Pool 2×1×1 [0]"]),
        ("global_pool", &[x, "g Pool 2×1×1 [0]", "y Activation 2×1×1 [1]"]),
    ] {
        assert_eq!(lines(&read(name)), expected, "{name}");
    }
}

#[test]
fn windows() {
    let network = read("auto_pad");
    let Op::Conv(conv) = op(&network, "upper") else { panic!() };
    assert_eq!((conv.window, conv.weight, conv.bias), (window(3, 2, 0), ramp(54), None));
    let Op::Pool(pool) = op(&network, "lower") else { panic!() };
    assert_eq!((pool.window, pool.kind), (window(2, 2, 1), PoolKind::Max));
    let network = read("asymmetric_pad");
    let Op::Conv(conv) = op(&network, "c") else { panic!() };
    assert_eq!(conv.window.pad, [0, 1]);
    let Op::Pool(pool) = op(&network, "y") else { panic!() };
    assert_eq!((pool.window, pool.kind), (window(2, 1, 0), PoolKind::AverageWithPad { after: [1, 1] }));
    let Op::Conv(conv) = op(&read("dilation"), "y") else { panic!() };
    assert_eq!((conv.window.dilation, conv.window.pad, conv.bias), ([2, 1], [2, 1], Some(ramp(3))));
    let Op::Conv(conv) = op(&read("groups"), "y") else { panic!() };
    assert_eq!((conv.groups, conv.weight.len()), (2, 36));
    let Op::Pool(pool) = op(&read("global_pool"), "g") else { panic!() };
    assert_eq!((pool.window, pool.kind), (window(6, 1, 0), PoolKind::Max));
}

#[test]
fn weights_of_every_kind() {
    let network = read("data_types");
    assert_eq!(network.layers.len(), 7);
    for layer in &network.layers[1..6] {
        let Op::Conv(conv) = &layer.op else { panic!("{}", layer.name) };
        assert_eq!(conv.weight, [1.0, 2.0], "{}", layer.name);
    }
    let Op::Conv(conv) = op(&read("constant_of_shape"), "y") else { panic!() };
    assert_eq!(conv.weight, [0.5; 54]);
    let Op::Conv(conv) = op(&read("external"), "y") else { panic!() };
    assert_eq!(conv.weight, ramp(6));
}

#[test]
fn dense_layouts() {
    let transposed = |scale: f32| (0..24).map(|i| scale * ((i % 8) * 3 + i / 8 + 1) as f32).collect::<Vec<_>>();
    let Op::Dense(dense) = op(&read("gemm"), "y") else { panic!() };
    assert_eq!((dense.weight, dense.bias), (transposed(2.0), Some(ramp(3))));
    let Op::Dense(dense) = op(&read("gemm_old"), "y") else { panic!() };
    assert_eq!((dense.weight, dense.bias), (ramp(24), Some(ramp(3))));
    let Op::Dense(dense) = op(&read("matmul_add"), "m") else { panic!() };
    assert_eq!((dense.weight, dense.bias), (transposed(1.0), Some(ramp(3))));
    let Op::Dense(dense) = op(&read("channels_last"), "y") else { panic!() };
    assert_eq!(dense.weight, [1.0, 3.0, 5.0, 7.0, 2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn elementwise() {
    let expected = [
        Activation::LeakyRelu(0.1),
        Activation::Clip(0.0, 6.0),
        Activation::Clip(f32::MIN, f32::MAX),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::HardSigmoid(0.2, 0.5),
        Activation::Elu(1.0),
        Activation::Selu(3.0, 2.0),
        Activation::Softplus,
        Activation::Softsign,
        Activation::Relu,
    ];
    let network = read("activations");
    let found: Vec<Op> = network.layers.into_iter().skip(1).map(|layer| layer.op).collect();
    assert_eq!(found, expected.map(Op::Activation));
    let network = read("prelu");
    assert_eq!(op(&network, "p"), Op::Activation(Activation::PRelu(vec![0.25, 0.5])));
    assert_eq!(op(&network, "y"), Op::Activation(Activation::PRelu(vec![0.125, 0.125])));
    // flip = 1 − (x − mean) / 4
    let Op::Scale(scale) = op(&read("constants"), "s") else { panic!() };
    assert_eq!((scale.mul, scale.add), (vec![-0.25, -0.25], vec![1.25, 1.5]));
    let Op::Scale(scale) = op(&read("old_broadcast"), "m") else { panic!() };
    assert_eq!((scale.mul, scale.add), (vec![2.0, 3.0], vec![1.0, -1.0]));
    let network = read("mean_image");
    let Op::Scale(scale) = op(&network, "s") else { panic!() };
    assert_eq!(scale.mul, [1.0, 1.0]);
    assert_eq!(scale.add, (1..=72).map(|value| -value as f32).collect::<Vec<_>>());
    assert!(network.warnings.is_empty());
}

#[test]
fn regions_and_shuffles() {
    assert_eq!(op(&read("shuffle"), "y"), Op::Shuffle { groups: 2 });
    let network = read("option_a");
    assert_eq!(op(&network, "s"), Op::Slice { begin: [0, 0, 0], step: [1, 2, 2] });
    assert_eq!(op(&network, "p"), Op::Pad { before: [1, 0, 0] });
    let network = read("option_a_old");
    assert_eq!(op(&network, "s"), Op::Slice { begin: [0, 0, 1], step: [1, 1, 1] });
    assert_eq!(op(&network, "y"), Op::Pad { before: [0, 1, 2] });
    assert_eq!(op(&read("split"), "a_2"), Op::Slice { begin: [1, 0, 0], step: [1, 1, 1] });
}

#[test]
fn a_layout_is_known_from_the_transpositions_not_from_their_number() {
    assert_eq!(lines(&read("turned_three_times")), ["x Input 2×4×3 []", "y Conv 3×4×3 [0]"]);
}

/// Below operator set 7 the second operand begins at `axis`, between constants too.
#[test]
fn old_constants_are_folded_at_their_axis() {
    let Op::Scale(scale) = op(&read("folded_old"), "y") else { panic!() };
    assert_eq!((scale.mul, scale.add), (vec![1.0; 2], vec![2.0, 3.0, 5.0, 6.0]));
}

#[test]
fn constants_of_more_dimensions_broadcast_from_the_last() {
    let network = read("constant_of_higher_rank");
    let Op::Scale(scale) = op(&network, "m") else { panic!() };
    assert_eq!((scale.mul, scale.add), (vec![2.0, 3.0, 4.0], vec![1.0, 2.0, 3.0]));
    assert_eq!(network.layers.len(), 2);
}

#[test]
fn input_size_replaces_the_file_s() {
    let path = fixture("onnx/initializers_as_inputs");
    let network = onnx::read(&path, Some([4, 5])).unwrap();
    assert_eq!(lines(&network), ["x Input 2×4×5 []", "y Conv 3×4×5 [0]"]);
    let network = onnx::read(&fixture("onnx/plain"), Some([9, 3])).unwrap();
    assert_eq!(network.layers[2].shape.to_string(), "3×7×1");
    assert!(onnx::read(&fixture("onnx/plain"), Some([2, 2])).unwrap_err().to_string().contains("`c`"));
    assert!(onnx::read(&fixture("onnx/plain"), Some([0, 2])).is_err());
    assert!(onnx::read(&fixture("onnx/plain"), Some([usize::MAX; 2])).is_err());
    assert!(onnx::read(&path, None).unwrap_err().to_string().contains("--input-size"));
}

#[test]
fn several_outputs_are_mentioned() {
    assert_eq!(read("two_outputs").warnings, ["the first output, `y`, is used; not `aux`"]);
    assert!(read("dropout_mask").warnings.is_empty());
}

/// Each hostile file and what its message must contain.
const HOSTILE: &[(&str, &[&str])] = &[
    ("cycle", &["cycle.onnx", "`first`", "its own output"]),
    ("doubled_constants", &["elements of computed constants", "at most"]),
    ("empty", &["empty.onnx", "is empty"]),
    ("endless_length", &["truncated"]),
    ("endless_varint", &["64 bits"]),
    ("external_absolute", &["`w`", "/etc/passwd", "folder"]),
    ("external_escape", &["`w`", "leads out of the model's folder"]),
    ("external_too_short", &["`w`", "which has"]),
    ("groups", &["`conv`", "group 2"]),
    ("huge_dims", &["`w`", "2147483648"]),
    ("huge_input", &["`x`", "4294967295"]),
    ("huge_scale", &["`scale`", "at most"]),
    ("huge_weights", &["`fc`", "at most"]),
    ("kernel_attribute", &["`conv`", "kernel_shape [2, 2]"]),
    ("many_groups", &["`conv`", "4611686018427387904"]),
    ("missing_initializer", &["`conv`", "`w`"]),
    ("missing_input", &["`conv`", "no kernel"]),
    ("nan_weight", &["`conv`", "element 1", "NaN"]),
    ("negative_pad_node", &["`pad`", "negative"]),
    ("negative_pads", &["`pool`", "negative"]),
    ("negative_prelu", &["`prelu`", "not monotone", "-1"]),
    ("negative_slope", &["`leaky`", "not monotone", "-0.5"]),
    ("negative_variance", &["`bn`", "channel 1"]),
    ("nested", &["no output"]),
    ("no_output", &["no output"]),
    ("not_monotone", &["`swish`", "HardSwish", "not monotone"]),
    ("open_size", &["`x`", "--input-size"]),
    ("padding_only", &["`pool`", "padding"]),
    ("prelu_by_column", &["`prelu`", "pixel to pixel"]),
    ("quantised", &["`dq`", "DequantizeLinear", "float32"]),
    ("rank", &["`view`", "65 dimensions", "at most 64"]),
    ("short_data", &["`w`", "4 bytes"]),
    ("softmax_inside", &["`attention`", "Softmax", "last layer"]),
    ("sum_of_shapes", &["`sum`", "2×6×6", "2×5×5"]),
    ("swish", &["`gate`", "Swish"]),
    ("text", &["text.onnx", "expected an ONNX model"]),
    ("training_dropout", &["`drop`", "training mode", "TrainingMode.EVAL"]),
    ("training_dropout_6", &["`drop`", "training mode", "TrainingMode.EVAL"]),
    ("training_norm", &["`bn`", "training mode", "TrainingMode.EVAL"]),
    ("training_norm_6", &["`bn`", "training mode", "TrainingMode.EVAL"]),
    ("training_norm_9", &["`bn`", "training mode", "TrainingMode.EVAL"]),
    ("truncated_0", &["truncated"]),
    ("truncated_2", &["truncated"]),
    ("truncated_3", &["truncated"]),
    ("twice", &["`again`", "second time"]),
    ("two_images", &["`x`, `z`", "one input"]),
    ("unknown_domain", &["`fused`", "com.microsoft.FusedConv"]),
    ("unknown_operator", &["`attention`", "Einsum"]),
    ("wrong_kernel", &["`conv`", "[1, 3, 1, 1]", "2 input channels"]),
    ("wrong_reshape", &["`view`", "[1, 71]", "72"]),
    ("zero_stride", &["`pool`", "strides [0, 1]"]),
];

#[test]
fn hostile_files_are_explained_errors() {
    for (name, parts) in HOSTILE {
        let path = fixture(&format!("hostile/{name}"));
        let message = onnx::read(&path, None).expect_err(name).to_string();
        for part in *parts {
            assert!(message.contains(part), "{name}: `{part}` not in: {message}");
        }
    }
    let folder = fixture("hostile/x");
    let files = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let onnx_files = files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "onnx"));
    assert_eq!(onnx_files.count(), HOSTILE.len(), "each file in fixtures/hostile has a line in HOSTILE");
}

#[test]
fn errors_have_the_right_kind() {
    let error = |name: &str| onnx::read(&fixture(&format!("hostile/{name}")), None).unwrap_err();
    assert!(matches!(error("not_monotone"), Error::NotMonotone { .. }));
    assert!(matches!(error("swish"), Error::NotMonotone { .. }));
    assert!(matches!(error("unknown_operator"), Error::UnknownOperator { .. }));
    assert!(matches!(error("nan_weight"), Error::NotFinite { index: 1, .. }));
    assert!(matches!(error("wrong_kernel"), Error::Misfit { .. }));
    assert!(matches!(error("zero_stride"), Error::Misfit { .. }));
    assert!(matches!(error("cycle"), Error::Malformed { .. }));
    assert!(matches!(onnx::read(Path::new("nowhere.onnx"), None).unwrap_err(), Error::Io { .. }));
}

#[test]
fn external_data_needs_a_folder() {
    let bytes = std::fs::read(fixture("onnx/external")).unwrap();
    let folder = fixture("onnx/external");
    assert!(onnx::read_bytes("net", &bytes, folder.parent(), None).is_ok());
    assert!(onnx::read_bytes("net", &bytes, None, None).unwrap_err().to_string().contains("external.bin"));
}

/// The files that damaged copies are made of.
const SEEDS: &[&str] = &[
    "auto_pad",
    "asymmetric_pad",
    "constant_of_shape",
    "gemm",
    "matmul_add",
    "shape_arithmetic",
    "channels_last",
    "old_broadcast",
    "folded_old",
    "constant_of_higher_rank",
    "turned_output",
    "shuffle",
    "option_a",
    "option_a_old",
    "split",
    "reduce_mean_input",
    "activations",
    "nested_sum",
    "data_types",
    "prelu",
    "external",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_panic(
        seed in 0..SEEDS.len(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let path = fixture(&format!("onnx/{}", SEEDS[seed]));
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, value) in flips {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(network) = onnx::read_bytes("damaged", &bytes, path.parent(), None) {
            check(&network);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(onnx::read_bytes("random", &bytes, None, None).is_err());
    }
}

/// Real networks, not in the repository: `FRUSTRATION_DATA` holds `models/` and `light/`.
#[test]
fn real_networks() {
    let Some(folder) = std::env::var_os("FRUSTRATION_DATA").map(PathBuf::from) else { return };
    for (file, layers, input, output) in [
        ("models/squeezenet1_1", 66, "3×227×227", "1000×1×1"),
        ("models/resnet20_cifar10", 73, "3×32×32", "10×1×1"),
        ("light/light_bvlc_alexnet", 23, "3×224×224", "1000×1×1"),
        ("light/light_densenet121", 548, "3×224×224", "1000×1×1"),
        ("light/light_inception_v1", 142, "3×224×224", "1000×1×1"),
        ("light/light_inception_v2", 302, "3×224×224", "1000×1×1"),
        ("light/light_resnet50", 176, "3×224×224", "1000×1×1"),
        ("light/light_shufflenet", 171, "3×224×224", "1000×1×1"),
        ("light/light_squeezenet", 66, "3×224×224", "1000×1×1"),
        ("light/light_vgg19", 45, "3×224×224", "1000×1×1"),
        ("light/light_zfnet512", 23, "3×224×224", "1000×1×1"),
    ] {
        let network = onnx::read(&folder.join(format!("{file}.onnx")), None).unwrap();
        check(&network);
        let shape = |at: usize| network.layers[at].shape.to_string();
        assert_eq!(
            (network.layers.len(), shape(0), shape(layers - 1)),
            (layers, input.into(), output.into()),
            "{file}"
        );
        assert!(network.warnings.is_empty(), "{file}: {:?}", network.warnings);
    }
}
