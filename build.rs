//! Tells the binary which git revision it was built from.
use std::path::Path;
use std::process::Command;

fn main() {
    let revision = own_repository().then(|| git(&["rev-parse", "--short=12", "HEAD"])).flatten();
    println!("cargo:rustc-env=FRUSTRATION_REVISION={}", revision.as_deref().unwrap_or("unknown"));
    println!("cargo:rerun-if-changed=build.rs");
    // The log of HEAD grows with every commit and checkout; in a worktree `.git` is a file, so git says where it is.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    }
}

/// Whether the repository that git sees is this crate's: a packaged crate may lie inside someone else's.
fn own_repository() -> bool {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").and_then(|dir| Path::new(&dir).canonicalize().ok());
    let top = git(&["rev-parse", "--show-toplevel"]).and_then(|dir| Path::new(&dir).canonicalize().ok());
    here.is_some() && here == top
}

fn git(args: &[&str]) -> Option<String> {
    let out = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    (out.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
