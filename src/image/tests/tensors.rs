//! Arrays of tensors.

use super::folders::listed;
use super::*;

/// Writes an array file and opens it for a network.
fn tensors(header: &str, data: &[u8], preprocess: Preprocess, shape: Shape) -> Result<Vec<f32>, Error> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    std::fs::write(&path, bytes).unwrap();
    let images = Images::open(&path, None, preprocess, shape)?;
    images.load(images.len() - 1)
}

fn array(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n")
}

#[test]
fn tensors_of_three_types_become_channels_last() {
    let shape = Shape::new(2, 1, 2);
    let values = [9.0, 9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 4.0];
    let f32s: Vec<u8> = values.iter().flat_map(|value: &f64| (*value as f32).to_le_bytes()).collect();
    let f64s: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let bytes = values.map(|value| value as u8);
    for (descr, data) in [("<f4", &f32s[..]), ("<f8", &f64s), ("|u1", &bytes)] {
        let input = tensors(&array(descr, "False", "2, 2, 1, 2"), data, preset("none"), shape).unwrap();
        assert_eq!(input, [1.0, 3.0, 2.0, 4.0], "{descr}");
    }
    let scaled = Preprocess { scale: 10.0, mean: vec![1.0], std: vec![2.0], ..preset("none") };
    let input = tensors(&array("|u1", "False", "2, 2, 1, 2"), &bytes, scaled, shape).unwrap();
    assert_eq!(input, [4.5, 14.5, 9.5, 19.5]);
    let swapped = Preprocess { channels: Channels::Bgr, ..preset("none") };
    let input = tensors(&array("|u1", "False", "1, 3, 1, 1"), &[1, 2, 3], swapped, Shape::new(3, 1, 1)).unwrap();
    assert_eq!(input, [3.0, 2.0, 1.0]);
}

#[test]
fn tensors_that_do_not_fit_are_errors() {
    let shape = Shape::new(1, 1, 2);
    let good = [1.0_f32, 2.0].map(f32::to_le_bytes).concat();
    let fails = |header: &str, data: &[u8], words: &[&str]| {
        let error = tensors(header, data, preset("none"), shape).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{header}: {error}");
    };
    fails(&array("<f4", "True", "1, 1, 1, 2"), &good, &["ascontiguousarray"]);
    fails(&array(">f4", "False", "1, 1, 1, 2"), &good, &[">f4", "astype('<f4')"]);
    fails(&array("<i8", "False", "1, 1, 1, 2"), &good, &["<i8"]);
    fails(&array("<f4", "False", "1, 1, 2, 1"), &good, &["1×1×2×1", "N×1×1×2"]);
    fails(&array("<f4", "False", "1, 1, 2"), &good, &["array[None]"]);
    fails(&array("<f4", "False", "0, 1, 1, 2"), &[], &["0×1×1×2", "N at least 1"]);
    fails(&array("<f4", "False", ""), &good, &["shape ()"]);
    fails(&array("<f4", "False", "1, 1, 1, 2"), &good[..7], &["bytes", "write the file again"]);
    fails(&array("<f4", "False", "2, 1, 1, 2"), &good, &["2×1×1×2"]);
    fails(&array("<f4", "False", "18446744073709551615, 1, 1, 2"), &good, &["more than 2^64"]);
    fails("{}", &good, &["its header is `{}`"]);
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let data = [1.0, value].map(f32::to_le_bytes).concat();
        fails(&array("<f4", "False", "1, 1, 1, 2"), &data, &["image 0", name, "channel 0, row 0, column 1"]);
    }
    fails(
        &array("<f8", "False", "1, 1, 1, 2"),
        &[1e300_f64, 0.0].map(f64::to_le_bytes).concat(),
        &["single precision"],
    );
    let last =
        tensors(&array("<f4", "False", "1, 2, 3, 1"), &[0; 24], preset("none"), Shape::new(1, 2, 3)).unwrap_err();
    assert!(last.to_string().contains("transpose(0, 3, 1, 2)"));
    let resized = tensors(&array("<f4", "False", "1, 1, 1, 2"), &good, preset("matlab"), shape).unwrap_err();
    assert!(resized.to_string().contains("neither resized nor cropped"));
}

#[test]
fn tensors_take_their_labels_by_index() {
    let digits = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/digits");
    let shape = Shape::new(1, 16, 16);
    let images = Images::open(&digits.join("images.npy"), None, preset("none"), shape).unwrap();
    assert_eq!((images.len(), images.shape(), images.warnings().len()), (200, shape, 0));
    assert_eq!(listed(&images)[..2], [("0", Some(2)), ("1", Some(9))]);
    let lanes = images.lanes::<LANES>(&[199]).unwrap();
    assert_eq!(lanes.iter().map(|lanes| lanes[0]).collect::<Vec<_>>(), images.load(199).unwrap());
    assert!(lanes.iter().all(|lanes| lanes[1..] == [0.0; LANES - 1]));

    let dir = tempfile::tempdir().unwrap();
    let labels = dir.path().join("l.csv");
    for (text, words) in [
        ("index,label\n5,1\n200,1\n", ["line 3", "0 to 199"]),
        ("index,label\n5,1\n5,1\n", ["line 3", "as in line 2"]),
        ("file,label\na.png,1\n", ["file,label", "`index`"]),
    ] {
        std::fs::write(&labels, text).unwrap();
        let error =
            Images::open(&digits.join("images.npy"), Some(&labels), preset("none"), shape).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
    }
}
