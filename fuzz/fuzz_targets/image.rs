//! Arbitrary bytes are no image and an error, or an image. Start from fixtures/images.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = frustration::image::fuzz_image(bytes);
});
