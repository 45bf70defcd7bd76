//! Tells the program which commit it is built from: of `HARK_COMMIT`, else of git, else unknown.
//!
//! Runs again when the sources change, which compiles the crate anyway, and not at every commit. A
//! build of changed sources says so, and is right after they are committed, too.

use std::path::Path;
use std::process::Command;

fn main() {
    for changed in ["build.rs", "src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={changed}");
    }
    println!("cargo:rerun-if-env-changed=HARK_COMMIT");
    #[expect(clippy::disallowed_methods, reason = "no program runs yet")]
    let given = std::env::var("HARK_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let commit = given.or_else(commit).unwrap_or_else(|| "unknown commit".to_owned());
    println!("cargo:rustc-env=HARK_COMMIT={}", commit.trim());
}

/// Returns the short hash and the day of the commit, if this folder is a repository of its own: an
/// unpacked archive may lie in somebody else's.
fn commit() -> Option<String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize().ok()?;
    let top = Path::new(&git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if here != top {
        return None;
    }
    let commit = git(&["show", "--no-patch", "--format=%h %cs", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--", "build.rs", "src", "Cargo.toml"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}, changed") })
}

/// Returns what git says, if it is there and does.
fn git(arguments: &[&str]) -> Option<String> {
    let said = Command::new("git").args(arguments).output().ok()?;
    let text = said.status.success().then_some(said.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}
