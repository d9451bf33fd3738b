//! Arbitrary bytes are no network and an error, or a network.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = frustration::net::onnx::read_bytes("fuzz", bytes, None, None);
});
