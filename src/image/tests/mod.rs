//! What becomes of single files; folders and arrays have files of their own.

mod folders;
mod tensors;

use std::path::PathBuf;

use super::decode::{Picture, decode};
use super::resize::{ResizedSide, resize};
use super::*;
use crate::kernel::LANES;

/// A PNG file. `data` are the samples as the format packs them.
fn png_file(width: u32, height: u32, colour: png::ColorType, depth: png::BitDepth, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(depth);
    if colour == png::ColorType::Indexed {
        encoder.set_palette(vec![10, 20, 30, 200, 210, 220]);
        encoder.set_trns(vec![255, 0]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn rgb(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let data: Vec<u8> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
    png_file(width, height, png::ColorType::Rgb, png::BitDepth::Eight, &data)
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/images").join(name)).unwrap()
}

const JPEGS: [&str; 7] =
    ["baseline.jpg", "subsampled.jpg", "progressive.jpg", "restarts.jpg", "rotated.jpg", "cmyk.jpg", "grey.jpg"];

fn preset(name: &str) -> Preprocess {
    Preprocess::named(name).unwrap()
}

/// Opens a folder of one PNG file and loads it.
fn load(file: &[u8], preprocess: Preprocess, shape: Shape) -> Result<Vec<f32>, Error> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.png"), file).unwrap();
    Images::open(dir.path(), None, preprocess, shape)?.load(0)
}

#[track_caller]
fn near(found: &[f32], expected: &[f64]) {
    let close = |(&found, &expected): (&f32, &f64)| (f64::from(found) - expected).abs() < 1e-6 * (1.0 + expected.abs());
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(close), "{found:?}\n{expected:?}");
}

#[test]
fn presets_compute_what_their_networks_were_trained_on() {
    let file = rgb(4, 8, |_, _| [10, 20, 30]);
    let shape = Shape::new(3, 1, 1);
    let (r, g, b) = (10.0 / 255.0, 20.0 / 255.0, 30.0 / 255.0);
    let unit = [(r - 0.485) / 0.229, (g - 0.456) / 0.224, (b - 0.406) / 0.225];
    near(&load(&file, preset("imagenet"), shape).unwrap(), &unit);
    near(&load(&file, preset("caffe"), shape).unwrap(), &[30.0 - 104.0, 20.0 - 117.0, 10.0 - 123.0]);
    assert_eq!(preset("squeezenet1_1-caffe"), preset("caffe"));
    near(&load(&file, preset("matlab"), shape).unwrap(), &[10.0, 20.0, 30.0]);
    let file = rgb(1, 1, |_, _| [10, 20, 30]);
    near(&load(&file, preset("cifar10"), shape).unwrap(), &unit);
    near(&load(&file, preset("none"), shape).unwrap(), &[10.0, 20.0, 30.0]);
    assert!(Preprocess::NAMES.iter().all(|name| Preprocess::named(name).is_some()));
    assert_eq!(Preprocess::named("Imagenet"), None);
}

#[test]
fn inputs_are_channels_last_and_cut_from_the_middle() {
    // 300 × 256 is not resized; of 73 and 29 spare pixels half, ties to even, are cut off first: 36 and 14.
    let file = rgb(300, 256, |x, y| [(x % 256) as u8, y as u8, 7]);
    let input = load(&file, preset("caffe"), Shape::new(3, 227, 227)).unwrap();
    assert_eq!(input[..6], [7.0 - 104.0, 14.0 - 117.0, 36.0 - 123.0, 7.0 - 104.0, 14.0 - 117.0, 37.0 - 123.0]);
    assert_eq!(input[227 * 3..][..3], [7.0 - 104.0, 15.0 - 117.0, 36.0 - 123.0]);
}

#[test]
fn images_that_do_not_fit_are_errors() {
    let file = rgb(40, 30, |_, _| [0; 3]);
    let message = |preprocess, shape| load(&file, preprocess, shape).unwrap_err().to_string();
    let found = message(preset("cifar10"), Shape::new(3, 32, 32));
    assert!(found.contains("30 × 40 pixels") && found.contains("32 × 32") && found.contains("x.png"), "{found}");
    let found = message(preset("imagenet"), Shape::new(3, 299, 299));
    assert!(found.contains("256 × 341 once resized") && found.contains("at least 299 × 299"), "{found}");
    assert!(message(preset("imagenet"), Shape::new(1, 8, 8)).contains("mean has 3 values"));
    assert!(message(preset("none"), Shape::new(4, 30, 40)).contains("1 or 3 channels"));
    assert!(message(Preprocess { scale: 1e38, ..preset("none") }, Shape::new(3, 30, 40)).contains("single precision"));
}

#[test]
fn halving_weights_pixels_by_a_triangle() {
    let picture = Picture { width: 4, height: 1, channels: 1, pixels: vec![0, 100, 200, 100] };
    let (y, x) = (ResizedSide { resized: 1, kept: 0..1 }, ResizedSide { resized: 2, kept: 0..2 });
    // (0.75 · 0 + 0.75 · 100 + 0.25 · 200) / 1.75 and (0.25 · 100 + 0.75 · 200 + 0.75 · 100) / 1.75
    assert_eq!(resize(picture.clone(), &y, &x, Interpolation::Bilinear).pixels, [71, 143]);
    let column = Picture { width: 1, height: 4, ..picture };
    assert_eq!(resize(column, &x, &y, Interpolation::Bilinear).pixels, [71, 143]);
}

#[test]
fn cubic_overshoot_is_clamped() {
    let picture = Picture { width: 4, height: 1, channels: 1, pixels: vec![0, 0, 255, 255] };
    let (y, x) = (ResizedSide { resized: 1, kept: 0..1 }, ResizedSide { resized: 8, kept: 0..8 });
    let pixels = resize(picture, &y, &x, Interpolation::Bicubic).pixels;
    assert!(pixels.is_sorted() && pixels[..3] == [0; 3] && pixels[5..] == [255; 3], "{pixels:?}");
}

proptest::proptest! {
    #[test]
    fn a_part_of_the_resized_is_the_part_resized(
        (h, w) in (1_usize..20, 1_usize..20), resized in (1_u64..40, 1_u64..40), cubic: bool, seed: u8, from in (0_u64..40, 0_u64..40),
    ) {
        let interpolation = if cubic { Interpolation::Bicubic } else { Interpolation::Bilinear };
        let pixels = (0..h * w).map(|i| (i as u8).wrapping_mul(37).wrapping_add(seed)).collect();
        let picture = Picture { width: w, height: h, channels: 1, pixels };
        let whole = [resized.0, resized.1].map(|n| ResizedSide { resized: n, kept: 0..n });
        let part = [(resized.0, from.0), (resized.1, from.1)].map(|(n, at)| ResizedSide { resized: n, kept: at % n..n });
        let all = resize(picture.clone(), &whole[0], &whole[1], interpolation);
        let some = resize(picture, &part[0], &part[1], interpolation);
        let rows = all.pixels.chunks(all.width).skip(part[0].kept.start as usize);
        let expected: Vec<u8> = rows.flat_map(|row| &row[part[1].kept.start as usize..]).copied().collect();
        proptest::prop_assert_eq!(some.pixels, expected);
    }
}

#[test]
fn every_kind_of_png_becomes_eight_bits() {
    use png::{BitDepth::*, ColorType::*};
    let pixels = |file: &[u8], channels| decode(file, channels).unwrap().pixels;
    assert_eq!(pixels(&png_file(2, 1, Rgba, Eight, &[1, 2, 3, 0, 4, 5, 6, 255]), 3), [1, 2, 3, 4, 5, 6]);
    assert_eq!(pixels(&png_file(2, 1, GrayscaleAlpha, Eight, &[9, 0, 8, 255]), 3), [9, 9, 9, 8, 8, 8]);
    assert_eq!(pixels(&png_file(1, 1, Rgb, Sixteen, &[1, 255, 2, 255, 3, 255]), 3), [1, 2, 3]);
    assert_eq!(pixels(&png_file(1, 1, Grayscale, Sixteen, &[77, 200]), 1), [77]);
    assert_eq!(pixels(&png_file(3, 1, Indexed, One, &[0b0100_0000]), 3), [10, 20, 30, 200, 210, 220, 10, 20, 30]);
    assert_eq!(pixels(&png_file(3, 1, Grayscale, Two, &[0b0001_1100]), 1), [0, 85, 255]);
    let primaries = png_file(3, 1, Rgb, Eight, &[255, 0, 0, 0, 255, 0, 0, 0, 255]);
    assert_eq!(pixels(&primaries, 1), [76, 150, 29]);
}

#[test]
fn every_kind_of_jpeg_is_near_the_picture() {
    let source = decode(&fixture("source.png"), 3).unwrap();
    for name in JPEGS {
        let channels = if name == "grey.jpg" { 1 } else { 3 };
        let (found, expected) =
            (decode(&fixture(name), channels).unwrap(), decode(&fixture("source.png"), channels).unwrap());
        assert_eq!((found.width, found.height), (source.width, source.height), "{name} is turned");
        let worst = found.pixels.iter().zip(&expected.pixels).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
        assert!(worst <= if name == "subsampled.jpg" { 16 } else { 4 }, "{name}: {worst}");
    }
}

#[test]
fn damaged_files_are_errors_or_images_but_no_panic() {
    let whole = JPEGS.into_iter().chain(["source.png"]).map(|name| (name, fixture(name)));
    let mut n_refused = 0;
    for (name, bytes) in whole {
        fuzz_image(&bytes).unwrap();
        for length in 0..bytes.len() {
            // The last bytes of a PNG say that it ends; those of a JPEG as well.
            let read = fuzz_image(&bytes[..length]);
            assert!(read.is_err() || length + 4 > bytes.len(), "{name} cut at {length} of {}", bytes.len());
        }
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                n_refused += usize::from(fuzz_image(&bytes).is_err());
            }
        }
    }
    assert!(n_refused > 1000, "{n_refused}");
}

#[test]
fn decompression_bombs_are_refused_by_their_header() {
    for side in [9000_u32, 60_000, 100_000, 0x7fff_ffff] {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend([side.to_be_bytes(), side.to_be_bytes()].concat());
        bytes.extend([8, 2, 0, 0, 0]);
        bytes.extend(crc32fast::hash(&bytes[12..]).to_be_bytes());
        let fault = decode(&bytes, 3).unwrap_err();
        assert!(matches!(fault, Fault::Large { width, .. } if width == u64::from(side)), "{fault}");
    }
    let mut jpeg = fixture("baseline.jpg");
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    assert!(matches!(decode(&jpeg, 3), Err(Fault::Large { width: 65535, height: 65535 })));
}

#[test]
fn long_thin_images_cost_what_is_cut_out() {
    let file = rgb(1, 60_000, |_, _| [1, 2, 3]);
    near(
        &load(&file, preset("caffe"), Shape::new(3, 2, 1)).unwrap(),
        &[3.0 - 104.0, 2.0 - 117.0, 1.0 - 123.0].repeat(2),
    );
    let most = Preprocess { resize: Resize::ShortSide(u32::MAX), ..preset("caffe") };
    assert!(load(&file, most, Shape::new(3, 2, 1)).is_ok());
}

#[test]
fn toml_has_every_key_and_no_other() {
    let text = r#"
        resize = 232
        interpolation = "bicubic"
        crop = "centre"
        channels = "bgr"
        scale = 0.5
        mean = [1.0, 2, 3]
        std = [4.0]
    "#;
    let expected = Preprocess {
        resize: Resize::ShortSide(232),
        interpolation: Interpolation::Bicubic,
        crop: Crop::Centre,
        channels: Channels::Bgr,
        scale: 0.5,
        mean: vec![1.0, 2.0, 3.0],
        std: vec![4.0],
    };
    assert_eq!(Preprocess::from_toml(text).unwrap(), expected);
    assert_eq!(Preprocess::from_toml("").unwrap(), preset("none"));
    for name in Preprocess::NAMES {
        let json = serde_json::to_string(&preset(name)).unwrap();
        assert_eq!(serde_json::from_str::<Preprocess>(&json).unwrap(), preset(name), "{json}");
    }
    for (text, words) in [
        ("sclae = 1.0", ["`sclae`", "`scale`"]),
        ("resize = 0", ["resize is 0", "at least 1"]),
        ("resize = \"big\"", ["`big`", "stretch"]),
        ("crop = 224", ["224", "crop"]),
        ("crop = \"middle\"", ["`middle`", "`centre`"]),
        ("std = [1.0, 0.0, 1.0]", ["std is [1.0, 0.0, 1.0]", "not 0"]),
        ("mean = [1.0, 2.0]", ["mean is [1.0, 2.0]", "one or three"]),
        ("mean = [nan]", ["mean is [NaN]", "finite"]),
        ("scale = inf", ["scale is inf", "finite"]),
        ("mean = [", ["preprocessing", "array"]),
    ] {
        let error = Preprocess::from_toml(text).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{text}: {error}");
    }
}
