//! Arbitrary bytes are no frame, or a sound one.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frustration::shard::fuzz_frame(bytes));
