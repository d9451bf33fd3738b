//! The `pipeline` binary: parse, run, exit code.
fn main() {}
